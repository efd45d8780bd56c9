"""The statements that go to the database while a block runs: as SQLAlchemy sends them, or as SQLite's driver gets them.

For tests and benchmarks that count them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from vendorrisk.db.engine import Database


@contextmanager
def sent(database: Database) -> Iterator[list[str]]:
    """What SQLAlchemy sends, on either database. A `Prepared` goes to the driver by itself and is not among it."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    with _listening(database, "before_cursor_execute", note):
        yield seen


@contextmanager
def reaching_the_driver(database: Database) -> Iterator[list[str]]:
    """Everything that reaches SQLite's driver, what a `Prepared` sends included."""
    seen: list[str] = []

    def note(statement: str) -> None:
        # One that has a trigger is traced twice.
        if statement.split(" ", 1)[0] in ("SELECT", "INSERT", "UPDATE", "DELETE") and statement not in seen[-1:]:
            seen.append(statement)

    def watch(driver: sqlite3.Connection, *_rest: object) -> None:
        driver.set_trace_callback(note)

    try:
        with _listening(database, "checkout", watch):
            yield seen
    finally:
        with database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.set_trace_callback(None)


@contextmanager
def _listening(database: Database, name: str, hear: Callable[..., Any]) -> Iterator[None]:
    event.listen(database.engine, name, hear)
    try:
        yield
    finally:
        event.remove(database.engine, name, hear)
