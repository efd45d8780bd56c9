"""What reaches SQLite's driver; for tests and benchmarks that count statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from vendorrisk.db.engine import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Everything that reaches the driver: prepared statements too, which SQLAlchemy's own events would not show."""
    seen: list[str] = []

    def note(statement: str) -> None:
        # One that has a trigger is traced twice.
        if statement.split(" ", 1)[0] in ("SELECT", "INSERT", "UPDATE", "DELETE") and statement not in seen[-1:]:
            seen.append(statement)

    def watch(driver: sqlite3.Connection, *_rest: object) -> None:
        driver.set_trace_callback(note)

    event.listen(database.engine, "checkout", watch)
    try:
        yield seen
    finally:
        event.remove(database.engine, "checkout", watch)
        with database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.set_trace_callback(None)
