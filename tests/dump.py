"""The whole database as plain text, to say that nothing has changed or just this; and putting it back as it was."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy import Table, delete, insert, select, text

from vendorrisk.db.base import Base
from vendorrisk.db.engine import Database

_IS_RANDOM = re.compile(r"UUID\(|b['\"]|'[ARPV]-[0-9A-Z-]+'$|'[0-9a-f-]{32,64}(\.letter)?'$")
Dump = Mapping[tuple[str, str], Mapping[str, str]]
"""Column values by table and primary key."""


def rows(database: Database) -> Dump:
    """What stands in the database now."""
    found: dict[tuple[str, str], Mapping[str, str]] = {}
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            keys = [column.name for column in table.primary_key]
            for row in session.execute(select(table)).mappings():
                values = {name: repr(value) for name, value in row.items()}
                found[table.name, "/".join(values[key] for key in keys)] = values
    return found


def changes(before: Dump, after: Dump) -> set[str]:
    """What differs: "table.column" for changed values, "+table" and "-table" for rows that came and went."""
    found = {f"+{table}" for table, key in after.keys() - before.keys()}
    found |= {f"-{table}" for table, key in before.keys() - after.keys()}
    for table, key in before.keys() & after.keys():
        was, now = before[table, key], after[table, key]
        found |= {f"{table}.{column}" for column in was if was[column] != now[column]}
    return found


class Snapshot:
    """The database as it was when this was made; `restore` brings it back, past the triggers of the trail."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        if database.is_sqlite:
            self._sqlite(lambda live: live.backup(self._copy))
            return
        with database.reading() as session:
            for table in Base.metadata.sorted_tables:
                self._rows[table] = [dict(row) for row in session.execute(select(table)).mappings()]

    def restore(self) -> None:
        """Everything is as it was."""
        if self._database.is_sqlite:
            self._sqlite(self._copy.backup)
            return
        with self._database.writing() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(delete(table))
            for table, rows in self._rows.items():
                if rows:
                    session.execute(insert(table), rows)

    def _sqlite(self, copy: Callable[[sqlite3.Connection], None]) -> None:
        connection = self._database.engine.raw_connection()
        try:
            copy(cast(sqlite3.Connection, connection.driver_connection))
        finally:
            connection.close()

    def close(self) -> None:
        """Let go of the copy."""
        self._copy.close()


def written(before: Dump, after: Dump) -> list[str]:
    """What was written, one line a value, with what is drawn at random (new ids, references, sealed bytes) as "*"."""
    known = {value for values in before.values() for value in values.values()}
    lines = []
    for place, now in after.items():
        was = before.get(place, {})
        lines += [
            f"{place[0]}.{column}={value if value in known or not _IS_RANDOM.match(value) else '*'}"
            for column, value in now.items()
            if was.get(column) != value
        ]
    return sorted([*lines, *(f"-{table}" for table, key in before.keys() - after.keys())])
