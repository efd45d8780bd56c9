"""Brings a database to the newest schema, or back: Alembic driven from code. Called at each start, and by tests.

Alembic is imported only where there is something to do: it would cost each start of an up-to-date service 10 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from vendorrisk.db import engine

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parents[2] / "migrations"
_TRAIL_TRIGGERS = frozenset(
    f"{table}_no_{action}" for table in ("trail_events", "trail_links") for action in ("update", "delete", "replace")
)


class BrokenMigration(Exception):
    """A migration would have left the database in a bad state; nothing of it was kept."""


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database up to `revision`. One transaction: it works as a whole or changes nothing."""
    with _connected(database_url) as connection:
        if revision != "head" or _revision(connection) != newest():
            from alembic import command

            command.upgrade(_config(connection), revision)
        _check(connection)


def downgrade(database_url: str, revision: str) -> None:
    """Take the database back to `revision` ("base": nothing left), in one transaction."""
    from alembic import command

    with _connected(database_url) as connection:
        command.downgrade(_config(connection), revision)
        _check(connection)


def current(database_url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with _connected(database_url) as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def newest() -> str:
    """The revision that this version of the service needs: migrations are one chain, numbered by their files' names."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


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
            yield connection
    finally:
        made.dispose()


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _check(connection: Connection) -> None:
    """Refuse a schema with dangling rows, or a trail that could be changed."""
    if connection.dialect.name != "sqlite":
        return
    dangling = connection.execute(text("PRAGMA foreign_key_check")).first()
    if dangling is not None:
        raise BrokenMigration(f"a row of {dangling[0]} points to nothing in {dangling[2]}")
    names = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')")))
    if "trail_events" in names and not names >= _TRAIL_TRIGGERS:
        raise BrokenMigration("the triggers of the trail are gone: was it changed in batch mode?")
