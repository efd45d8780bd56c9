"""The database as the edge sees it; called by web, cli and jobs.

with database.writing() as session:   # one transaction
    ...
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from vendorrisk.db import vault
from vendorrisk.db.models import DataKey
from vendorrisk.db.queue import FairLock
from vendorrisk.db.vault import MasterKey
from vendorrisk.domain.errors import WrongState

BUSY_SECONDS = 5
"""How long a writer waits for the others before it gives up."""

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "secure_delete=ON")
_WRITING = "vendorrisk_writing"
_POSTGRES_SAYS_WAIT = frozenset({"55P03", "40P01", "40001"})
"""Its codes for: lock not available in time, deadlock, could not serialize."""


class Busy(Exception):
    """Another writer held the database for too long: answer 503 with Retry-After."""


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """An engine for SQLite (WAL, synchronous FULL, BEGIN by us) or PostgreSQL. Migrations do without foreign keys."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        patience = {"options": f"-c lock_timeout={BUSY_SECONDS * 1000:.0f}"}
        return create_engine(parsed, pool_pre_ping=True, pool_size=20, max_overflow=20, connect_args=patience)
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": BUSY_SECONDS}}
    if parsed.database in (None, "", ":memory:"):
        options["poolclass"] = StaticPool
    else:
        options.update(pool_size=20, max_overflow=20)
    engine = create_engine(parsed, **options)
    event.listen(engine, "connect", partial(_prepare_sqlite, foreign_keys=foreign_keys))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def for_writing(engine: Engine) -> Engine:
    """The same engine whose transactions are for writing from their start."""
    return engine.execution_options(**{_WRITING: True})


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry, *, foreign_keys: bool) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE for writers: two deferred transactions that both read first would deadlock when they come to write.
    writing = connection.get_execution_options().get(_WRITING, False)
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
    except sqlite3.OperationalError as error:
        raise OperationalError("BEGIN", None, error) from error


class Database:
    """An engine, the master key, and the two ways to use them. SQLite takes one writer at a time, in order."""

    def __init__(self, engine: Engine, master: MasterKey) -> None:
        self.engine = engine
        self.master = master
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._make_reader = sessionmaker(engine, expire_on_commit=False)
        self._make_writer = sessionmaker(for_writing(engine), expire_on_commit=False)
        self._lock = FairLock()

    def session(self, *, writing: bool) -> Session:
        """A session with its keyring; the caller closes it. Prefer `reading` and `writing`."""
        session = self._make_writer() if writing else self._make_reader()
        vault.attach(session, self.master)
        return session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking only: rolled back at the end."""
        with self.session(writing=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back on any error.

        Raises Busy where others hold what it needs for too long, and WrongState where somebody else has changed a row
        since it was read here; nothing was done then.
        """
        with _in_our_words(), self._one_writer(), self.session(writing=True) as session, session.begin():
            session.connection()  # SQLite's write lock is taken now, while there is nothing yet to lose
            yield session

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        # SQLite's own lock is polled with growing pauses; among our threads this one wakes the next at once.
        if not self.is_sqlite:
            yield
            return
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise Busy(f"the database has been locked for {BUSY_SECONDS} seconds")
        try:
            yield
        finally:
            self._lock.release()

    def watch_writers(self, event_name: str, call: Callable[..., None]) -> Callable[[], None]:
        """Call `call` at an event ("after_flush", "after_commit") of every writing session; returns how to stop."""
        event.listen(self._make_writer, event_name, call)
        return lambda: event.remove(self._make_writer, event_name, call)

    def ensure_system_key(self) -> None:
        """Make the system's own data key at first start."""
        with self.writing() as session:
            if session.get(DataKey, vault.SYSTEM_KEY) is None:
                vault.add_key(session, "system", now=datetime.now(UTC), key_id=vault.SYSTEM_KEY)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except StaleDataError as error:
        raise WrongState("Somebody else changed this at the same moment. Nothing of yours was saved.") from error
    except OperationalError as error:
        if _says_wait(error):
            raise Busy("another transaction holds what this one needs") from error
        raise


def _says_wait(error: OperationalError) -> bool:
    if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return True
    return getattr(error.orig, "sqlstate", None) in _POSTGRES_SAYS_WAIT
