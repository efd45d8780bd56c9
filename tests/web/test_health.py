"""/healthz and /readyz: what they look at, what they say, and what they cost whoever asks too often."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from tests import builders
from tests.application import Clock
from vendorrisk import factory
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.vault import Master, MasterKey
from vendorrisk.mail.messages import Message
from vendorrisk.services.letters import outbox
from vendorrisk.services.operating import health
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.web import health as pages


def ready(client: FlaskClient) -> tuple[int, list[str]]:
    """The status, and the names of what fails."""
    answer = client.get("/readyz")
    assert answer.json is not None
    assert answer.json["ready"] is (answer.status_code == 200)
    return answer.status_code, answer.json["failing"]


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered from one look to the next."""
    monkeypatch.setattr(pages, "DATABASE_SECONDS", 0.0)
    monkeypatch.setattr(pages, "STORAGE_SECONDS", 0.0)


def test_a_service_that_is_well_is_alive_and_ready(client: FlaskClient) -> None:
    alive = client.get("/healthz")
    assert (alive.status_code, alive.text) == (200, "ok\n")
    assert alive.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert ready(client) == (200, [])


def test_being_alive_does_not_depend_on_the_database(client: FlaskClient, database: Database) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    assert client.get("/healthz").status_code == 200
    assert asked == []


def _no_schema(database: Database, runtime: Runtime) -> None:
    with database.writing() as session:
        session.execute(text("DROP TABLE alembic_version"))


def _later_schema(database: Database, runtime: Runtime) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))


def _other_key(database: Database, runtime: Runtime) -> None:
    database._master = Master(MasterKey("other", bytes(range(1, 33))))


def _no_storage(database: Database, runtime: Runtime) -> None:
    folder = Path(runtime.settings.storage)
    shutil.rmtree(folder)
    folder.write_text("in the way")


def _nobody_works(database: Database, runtime: Runtime) -> None:
    late = builders.NOW - health.STUCK - timedelta(seconds=1)
    with database.writing() as session:
        request = builders.add_request(session)
        letter = Message("victor@northwind.example", "", "", "Subject", "text", "<p>text</p>")
        outbox.put(session, letter, kind="receipt", key_id=vault.SYSTEM_KEY, request_id=request.id, now=late)


@pytest.mark.parametrize(
    ("harm", "failing"),
    [
        (_no_schema, ["schema"]), (_later_schema, ["schema"]), (_other_key, ["key"]), (_no_storage, ["storage"]),
        (_nobody_works, ["jobs"]),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_named_and_nothing_else_is_said(
    client: FlaskClient, database: Database, runtime: Runtime, harm: Callable[[Database, Runtime], None],
    failing: list[str],
) -> None:  # fmt: skip
    harm(database, runtime)
    assert ready(client) == (503, failing)


def test_a_database_that_is_away_is_named_and_may_come_back(
    client: FlaskClient, database: Database, database_url: str
) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    database.close()
    moved = file.rename(file.with_name("away.sqlite"))
    file.mkdir()
    assert ready(client) == (503, ["database"])
    file.rmdir()
    moved.rename(file)
    assert ready(client) == (200, [])


def test_who_asks_often_makes_no_work(app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "DATABASE_SECONDS", 60.0)
    pages.install(app, app.extensions["vendorrisk"])
    client = app.test_client()
    assert ready(client) == (200, [])
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    for _ in range(50):
        assert ready(client) == (200, [])
    assert asked == []


def test_a_look_that_takes_long_keeps_nobody_else_waiting() -> None:
    asked = []

    def look() -> list[tuple[str, health.Finding]]:
        asked.append(remembered.failing())  # what another request sees meanwhile
        return [("database", health.Finding(health.State.STOP, "away"))]

    remembered = pages._Remembered(look, 60.0)
    assert remembered.failing() == ("database",)
    assert asked == [("not looked yet",)]


def test_a_probe_may_ask_by_ip_address_but_only_for_these_two(
    settings: Settings, runtime: Runtime, clock: Clock
) -> None:
    by_name = Settings.from_env(
        {"VENDORRISK_BASE_URL": "https://risk.acme.example", "VENDORRISK_STORAGE": settings.storage}
    )
    app = factory.create_app(by_name, replace(runtime, settings=by_name))
    app.config.update(TESTING=True, CLOCK=clock)
    client = app.test_client()
    asked = {"Host": "10.0.0.7:8000"}
    assert client.get("/healthz", headers=asked).status_code == 200
    assert client.get("/readyz", headers=asked).status_code == 200
    assert client.get("/sign-in", headers=asked).status_code == 400
    assert client.get("/healthz/", headers=asked).status_code == 400
