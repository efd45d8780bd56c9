"""Pages as whole WSGI calls, against Flask returning the same bytes; on SQLite FULL."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response
from flask.testing import FlaskClient

from bench import respondent
from bench.many import CASES_A_VENDOR, Filling
from bench.measure import Figure, Line, at_most, side_by_side
from tests import builders, statements
from vendorrisk import factory
from vendorrisk.db.engine import Database
from vendorrisk.services.operating import keys
from vendorrisk.settings import Settings

SECTION = "customer-list-protection/access_and_protection"


def lines() -> list[Line | Figure]:
    """Section page and preview; how much of them goes over the line, with how many queries."""
    with tempfile.TemporaryDirectory() as folder:
        client, reference, database = _respondent(Path(folder))
        section = client.get(f"/respond/{reference}/sections/{SECTION}")
        preview = client.get(f"/respond/{reference}/preview")
        assert (section.status_code, preview.status_code) == (200, 200)
        found: list[Line | Figure] = [
            _page("section page", client, section.request.path, section.data, 12),
            _page("preview of all questions", client, preview.request.path, preview.data, 8),
            *_weights("section page", client, section.request.path, database, queries=4),
            *_weights("preview of all questions", client, preview.request.path, database, queries=1),
        ]
        return found + _vendors()


def _vendors() -> list[Line | Figure]:
    """The list of 1,000 vendors, as staff see it."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        keys.create(settings.key_file)
        runtime = factory.build_runtime(settings)
        database = runtime.database
        with database.writing() as session:
            Filling(session, now=now).write(1_000 * CASES_A_VENDOR)
            petra = builders.add_user(session, now=now)
        client = factory.create_app(settings, runtime).test_client()
        builders.sign_in(client, database, petra, now)
        page = at_most("list of 1,000 vendors, a page of 25, p95", lambda: client.get("/vendors"), seconds=0.015)
        return [page, *_weights("list of 1,000 vendors", client, "/vendors", database, queries=6)]


def settings_in(folder: Path, *, database: str = "") -> Settings:
    """Settings with everything in one folder, unless the database is elsewhere."""
    return Settings.from_env(
        {
            "VENDORRISK_DATABASE": database or f"sqlite:///{folder}/bench.sqlite",
            "VENDORRISK_KEY_FILE": str(folder / "master.key"),
            "VENDORRISK_STORAGE": str(folder / "files"),
            "VENDORRISK_MAIL": f"file:{folder}/mail",
            "VENDORRISK_LOG": "error",
        }
    )


def _respondent(folder: Path) -> tuple[FlaskClient, str, Database]:
    """A browser that has passed the code, at a request with all three questionnaires."""
    settings = settings_in(folder)
    keys.create(settings.key_file)
    runtime = factory.build_runtime(settings)
    with runtime.database.writing() as session:
        seated = respondent.seat(session, now=datetime.now(UTC))
    client = factory.create_app(settings, runtime).test_client()
    client.set_cookie("respondent", seated.cookie, path="/respond")
    return client, seated.reference, runtime.database


def _page(name: str, client: FlaskClient, path: str, body: bytes, budget: float) -> Line:
    bare = Flask("bare")
    bare.add_url_rule("/", view_func=lambda: Response(body, mimetype="text/html"))
    floor = bare.test_client()
    return side_by_side(
        f"{name}, {len(body) // 1024} KB", lambda: client.get(path), "Flask returning the same bytes",
        lambda: floor.get("/"), budget=budget, runs=10, floor_runs=30,
    )  # fmt: skip


def _weights(name: str, client: FlaskClient, path: str, database: Database, *, queries: int) -> list[Figure]:
    """Bytes of the compressed page, and its SQL statements, held to the number of today."""
    with statements.reaching_the_driver(database) as run:
        packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    return [
        Figure(f"{name}, gzip", len(packed.data) / 1024, "KB", 30),
        Figure(f"{name}, SQL statements", len(run), "", queries),
    ]
