"""Every row of every table as plain text: what tests compare to say that nothing has changed, or just this."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from vendorrisk.db.base import Base
from vendorrisk.db.engine import Database

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
