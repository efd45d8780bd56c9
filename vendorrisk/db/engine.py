"""The database as the edge sees it; called by web, cli and jobs.

with database.writing() as session:   # one transaction
    ...
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, StaticPool

from vendorrisk.db import prepared, vault
from vendorrisk.db.models import DataKey
from vendorrisk.db.queue import FairLock
from vendorrisk.db.vault import Master, MasterKey
from vendorrisk.domain.errors import WrongState

BUSY_SECONDS = 5
"""How long a writer waits for the others before it gives up."""

REST_SECONDS = 1
"""How long a connection to PostgreSQL lies unused before it is asked whether it is still there."""

_SWITCHES_WITHIN = 0.01
_RESTS = "vendorrisk_rests_since"
_PRAGMAS = ("synchronous=FULL", "temp_store=MEMORY", "secure_delete=ON", "cache_size=-16000")
"""A cache of 16 MB for each connection, once the database is that large: with SQLite's own 2 MB, half of a list's time
went into reading the same pages again. Not as mapped memory (mmap_size): there, a page that the disk cannot read ends
the process.
"""
_POOL: dict[str, Any] = {
    "pool_size": 20, "max_overflow": 20,
    "pool_use_lifo": True,  # the one used last still has its statements and, on SQLite, the pages in memory
}  # fmt: skip
_WRITING = "vendorrisk_writing"
_SQLITE_FULL, _SQLITE_SAYS_WAIT = 13, frozenset({5, 6})
_POSTGRES_FULL = "53100"
_POSTGRES_SAYS_WAIT = frozenset({"55P03", "40P01", "40001", "53300"})
"""Its codes for: lock not available in time, deadlock, could not serialize, too many connections."""
_POSTGRES_IS_AWAY = ("08", "57P")
"""How its codes begin for: no connection, stopping or starting."""


class Busy(Exception):
    """The database is away, or others hold it for too long: answer 503 with Retry-After.

    Where the connection broke during the commit, nobody can know whether that was still done.
    """


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """An engine for SQLite (WAL, synchronous FULL, BEGIN by us) or PostgreSQL. Migrations do without foreign keys."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(
            parsed, pool_timeout=BUSY_SECONDS, hide_parameters=True, **_POOL,
            connect_args={
                # Whatever the server is set to: "saved" is said when it is on disk.
                "options": f"-c lock_timeout={BUSY_SECONDS * 1000:.0f} -c synchronous_commit=on",
                "connect_timeout": math.ceil(BUSY_SECONDS) + 1,
            },
        )  # fmt: skip
        event.listen(engine, "checkin", _rested)
        event.listen(engine, "checkout", partial(_ping_the_rested, engine.dialect))
        return engine
    options: dict[str, Any] = {
        "connect_args": {"check_same_thread": False, "timeout": BUSY_SECONDS}, "hide_parameters": True,
    }  # fmt: skip
    if parsed.database in (None, "", ":memory:"):
        options["poolclass"] = StaticPool
    else:
        options.update(_POOL, pool_timeout=BUSY_SECONDS)
    engine = create_engine(parsed, **options)
    event.listen(engine, "connect", partial(_prepare_sqlite, foreign_keys=foreign_keys))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _rested(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_RESTS] = time.monotonic()


def _ping_the_rested(
    dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _given: PoolProxiedConnection
) -> None:
    # What was in use a moment ago is taken at its word: a question to the server before each save costs a twentieth of
    # it. Should the server have stopped within that moment, the save is answered with "busy" and sent again.
    if time.monotonic() - record.info.get(_RESTS, math.inf) < REST_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError("the server has stopped since") from error


def for_writing(engine: Engine) -> Engine:
    """The same engine whose transactions are for writing from their start."""
    return engine.execution_options(**{_WRITING: True})


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry, *, foreign_keys: bool) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Where several open a new file at once, SQLite does not wait for the one that switches it: so we do."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _SQLITE_SAYS_WAIT or time.monotonic() > until:
                raise
            time.sleep(_SWITCHES_WITHIN)


def _begin_sqlite(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    if driver.in_transaction:
        return  # `Database.writing` has begun it
    # IMMEDIATE for writers: two deferred transactions that both read first would deadlock when they come to write.
    writing = connection.get_execution_options().get(_WRITING, False)
    try:
        driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
    except sqlite3.OperationalError as error:
        raise OperationalError("BEGIN", None, error) from error


class Database:
    """An engine, the master's secrets, and the two ways to use them. SQLite takes one writer at a time, in order."""

    def __init__(self, engine: Engine, master: Master | MasterKey) -> None:
        self.engine = engine
        self._master = Master(master) if isinstance(master, MasterKey) else master
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._make_reader = sessionmaker(engine, expire_on_commit=False)
        self._writing_engine = for_writing(engine)
        self._make_writer = sessionmaker(self._writing_engine, expire_on_commit=False)
        self._lock = FairLock()

    @property
    def master(self) -> Master:
        """The master's secrets; the root is read from the database at first use. Raises crypto.CannotOpen."""
        if not self._master.has_root:
            with self._make_reader() as session:
                vault.attach(session, self._master)
                self._master.learn_root(vault.data_key(session, vault.ROOT_KEY))
        return self._master

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
        with _in_our_words(), self._one_writer(), self._writing_engine.connect() as connection:
            if self.is_sqlite:
                _begin_sqlite(connection)  # its lock is taken now, while there is nothing yet to lose
            with self._make_writer(bind=connection) as session:
                vault.attach(session, self.master)
                prepared.hold(session, connection)
                yield session
                self._commit(session, connection)

    def _commit(self, session: Session, connection: Connection) -> None:
        # The transaction is the connection's; the session joins it when it is first needed, which many saves never do.
        if session.in_transaction():
            session.commit()
        prepared.commit(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees the database as it is at one moment, for as long as it lasts. Writers go on."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    def forget_log(self) -> bool:
        """SQLite: move the write-ahead log into the database and cut it off, so that what was overwritten is in
        neither. False where a reader held it up; the next time will do.
        """
        if not self.is_sqlite:
            return True
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            cursor.close()
        finally:
            connection.close()
        return bool(busy == 0)

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
        """Make the root secret and the system's own data key at first start."""
        with _in_our_words(), self._one_writer(), self._make_writer.begin() as session:
            vault.attach(session, self._master)
            now = datetime.now(UTC)
            vault.add_root(session, now=now)
            if session.get(DataKey, vault.SYSTEM_KEY) is None:
                vault.add_key(session, "system", now=now, key_id=vault.SYSTEM_KEY)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except StaleDataError as error:
        raise WrongState("Somebody else changed this at the same moment. Nothing of yours was saved.") from error
    except (DBAPIError, PoolTimeout) as error:
        if says_wait(error):
            raise Busy("the database is away, or another transaction holds what this one needs") from error
        raise


def says_wait(error: DBAPIError | PoolTimeout) -> bool:
    """Whether the same may work in a while: locked, overloaded, stopped, starting, or not to be reached."""
    if isinstance(error, PoolTimeout) or error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error) in _SQLITE_SAYS_WAIT
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the driver's own complaint: no connection could be had, or it broke
        return isinstance(error, OperationalError)
    return state in _POSTGRES_SAYS_WAIT or state.startswith(_POSTGRES_IS_AWAY)


def says_full(error: DBAPIError) -> bool:
    """Whether there is no room left on the database's disk."""
    return _sqlite_code(error) == _SQLITE_FULL or getattr(error.orig, "sqlstate", None) == _POSTGRES_FULL


def _sqlite_code(error: DBAPIError) -> int:
    return int(getattr(error.orig, "sqlite_errorcode", 0)) & 0xFF
