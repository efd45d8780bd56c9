"""Brings a database to the newest schema, or back: Alembic driven from code. Called at each start, and by tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from vendorrisk.db import engine

MIGRATIONS = Path(__file__).parents[2] / "migrations"
_TRAIL_TABLES = ("trail_events", "trail_links")
_GUARDS = {"sqlite": ("update", "delete", "replace"), "postgresql": ("change", "truncate")}
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND NOT tgisinternal",
}


class BrokenMigration(Exception):
    """A migration would have left the database in a bad state; nothing of it was kept."""


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database up to `revision`. One transaction: it works as a whole or changes nothing."""
    with _connected(database_url) as connection:
        command.upgrade(_config(connection), revision)
        _check(connection)


def downgrade(database_url: str, revision: str) -> None:
    """Take the database back to `revision` ("base": nothing left), in one transaction."""
    with _connected(database_url) as connection:
        command.downgrade(_config(connection), revision)
        _check(connection)


def current(database_url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with _connected(database_url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision that this version of the service needs."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert head is not None
    return head


def draft(message: str) -> Path:
    """Write a new migration from the difference between the models and the newest schema, for a developer to finish."""
    number = f"{len(list((MIGRATIONS / 'versions').glob('*.py'))) + 1:04d}"
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/draft.sqlite"
        if number != "0001":
            upgrade(url)
        with _connected(url) as connection:
            command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    return next((MIGRATIONS / "versions").glob(f"{number}_*.py"))


@contextmanager
def _connected(database_url: str) -> Iterator[Connection]:
    # Foreign keys are off meanwhile: SQLite's batch mode drops and rebuilds tables that others point to.
    made = engine.make_engine(database_url, foreign_keys=False)
    try:
        with engine.for_writing(made).begin() as connection:
            yield connection
    finally:
        made.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def missing_triggers(connection: Connection) -> frozenset[str]:
    """Which triggers that refuse to change the trail are not there, or are switched off."""
    kind = connection.dialect.name
    wanted = {f"{table}_no_{action}" for table in _TRAIL_TABLES for action in _GUARDS[kind]}
    return frozenset(wanted - set(connection.scalars(text(_TRIGGERS[kind]))))


def _check(connection: Connection) -> None:
    """Refuse a schema with dangling rows, or a trail that could be changed."""
    if inspect(connection).has_table(_TRAIL_TABLES[0]) and missing_triggers(connection):
        raise BrokenMigration("the triggers of the trail are gone: was it changed in batch mode?")
    if connection.dialect.name != "sqlite":
        return
    dangling = connection.execute(text("PRAGMA foreign_key_check")).first()
    if dangling is not None:
        raise BrokenMigration(f"a row of {dangling[0]} points to nothing in {dangling[2]}")
