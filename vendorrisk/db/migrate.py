"""Brings a database to the newest schema, or back: Alembic driven from code. Called where `schema` says that it must.

Whoever comes second while somebody else migrates waits, and finds nothing left to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from vendorrisk import private_files
from vendorrisk.db import engine, schema
from vendorrisk.db.schema import MIGRATIONS, newest

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = [
    "MIGRATIONS", "BrokenMigration", "current", "downgrade", "draft", "hold_off", "missing_triggers", "newest",
    "scratch", "upgrade",
]  # fmt: skip

_PATIENCE = "120s"
_ONE_AT_A_TIME = 7_316_001
"""PostgreSQL's number for "somebody migrates"; SQLite has one writer anyway."""
_TRAIL_TABLES = ("trail_events", "trail_links")
_GUARDS = {"sqlite": ("update", "delete", "replace"), "postgresql": ("change", "truncate")}
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND NOT tgisinternal",
}


class BrokenMigration(Exception):
    """A migration would have left the database in a bad state; nothing of it was kept."""


def upgrade(database_url: str, revision: str = "head", *, copy_to: Path | None = None) -> str | None:
    """Bring the database up to `revision`; returns the one that it was at. It works as a whole or changes nothing.

    A SQLite database that has something to lose is copied to `copy_to` first.
    """
    from alembic import command

    with _connected(database_url) as connection:
        before = schema.current(connection)
        if copy_to is not None and before not in (None, newest()):
            _copy(connection, copy_to)
        command.upgrade(_config(connection), revision)
        _check(connection)
        return before


def downgrade(database_url: str, revision: str) -> None:
    """Take the database back to `revision` ("base": nothing left), in one transaction."""
    from alembic import command

    with _connected(database_url) as connection:
        command.downgrade(_config(connection), revision)
        _check(connection)


@contextmanager
def scratch(revision: str) -> Iterator[Connection]:
    """An empty database in memory at `revision`: it shows what the tables were like then."""
    from alembic import command

    with _connected("sqlite://") as connection:
        command.upgrade(_config(connection), revision)
        yield connection


def hold_off(connection: Connection) -> bool:
    """Let nobody migrate until the end of this transaction. False where somebody is at it.

    For PostgreSQL, where a snapshot sees nothing in a table that was rewritten after it began. Readers of SQLite see
    one moment of the schema too.
    """
    if connection.dialect.name == "sqlite":
        return True
    return bool(connection.scalar(text(f"SELECT pg_try_advisory_xact_lock_shared({_ONE_AT_A_TIME})")))


def current(database_url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with _connected(database_url) as connection:
        return schema.current(connection)


def draft(message: str) -> Path:
    """Write a new migration from the difference between the models and the newest schema, for a developer to finish."""
    from alembic import command

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
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})"))
            yield connection
    finally:
        made.dispose()


def _copy(connection: Connection, target: Path) -> None:
    """Copy a SQLite database as it was before this transaction. Others may read it meanwhile."""
    draft = target.with_name(f"{target.name}.part")
    draft.unlink(missing_ok=True)
    private_files.create(draft).close()
    source = str(connection.engine.url.database)
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(draft)) as here:
        there.backup(here)
    draft.replace(target)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

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
