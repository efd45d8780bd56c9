"""Every migration with more than 10,000 rows: from the newest schema down to the first and up again, on both databases.

What a later schema added is gone after the way down; what the first schema holds must be the same, cell by cell.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import MetaData, Table, create_engine, func, select

from bench.faults.counts import Count
from bench.faults.postgres import Postgres
from tests import builders
from vendorrisk.db import engine, migrate, schema
from vendorrisk.db.engine import Database
from vendorrisk.db.vault import MasterKey
from vendorrisk.domain.assessment import RequestStatus

ROWS, BATCH = 10_000, 50
_FIRST = "0001"
_NOT_DATA = "alembic_version"

Cells = Mapping[str, Mapping[str, str]]
"""For each table and column: a hash over all its values, in the order of the rows' keys."""


def counts(rows: int = ROWS) -> Iterator[Count]:
    """Rows that came through, and cells that did not."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _on(f"sqlite:///{folder}/migrated.sqlite", "SQLite", rows)
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder) / "pg") as server:
        yield from _on(server.url, "PostgreSQL", rows)


def _on(url: str, kind: str, rows: int) -> Iterator[Count]:
    migrate.upgrade(url)
    filled = _fill(url, rows)
    before = _cells(url)
    begun = time.perf_counter()
    if schema.newest() != _FIRST:
        migrate.downgrade(url, _FIRST)
    at_first = _cells(url)
    migrate.upgrade(url)
    taken = time.perf_counter() - begun
    changed = _differences(before, at_first) + _differences(at_first, _cells(url))
    seen = f"{schema.newest()} → {_FIRST} → {schema.newest()} in {taken:.1f} s; {', '.join(changed[:3])}".rstrip("; ")
    yield Count(f"migrated down and up with data on {kind}: every row as it was", filled, len(changed), seen)
    migrate.downgrade(url, "base")
    migrate.upgrade(url)
    left = sum(_rows(url).values())
    yield Count(f"down to nothing and up again on {kind}: the schema is made, and empty", 1, left + (not _fits(url)))


def _fill(url: str, rows: int) -> int:
    """Vendors with contacts, cases, requests, links, answers and their trail; returns how many rows there are."""
    database = Database(engine.make_engine(url), MasterKey("bench", bytes(range(32))))
    database.ensure_system_key()
    while sum(_rows(url).values()) < rows:
        with database.writing() as session:
            for _ in range(BATCH):
                request = builders.add_request(session, status=RequestStatus.OPEN)
                builders.add_link(session, request)
                builders.add_answer(session, request, "remote_access", "own", comment="äß\u200f🙂 from home")
    database.close()
    return sum(_rows(url).values())


def _tables(url: str) -> Iterator[tuple[object, Table]]:
    made = create_engine(url)
    with made.connect() as connection:
        there = MetaData()
        there.reflect(connection)
        for table in there.sorted_tables:
            if table.name != _NOT_DATA:
                yield connection, table
    made.dispose()


def _rows(url: str) -> dict[str, int]:
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) for connection, table in _tables(url)
    }


def _cells(url: str) -> Cells:
    found = {}
    for connection, table in _tables(url):
        hashes = {column.name: hashlib.sha256() for column in table.columns}
        for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings():
            for name, value in row.items():
                hashes[name].update(repr(value).encode() + b"\0")
        found[table.name] = {name: value.hexdigest() for name, value in hashes.items()}
    return found


def _differences(one: Cells, other: Cells) -> list[str]:
    """The columns that both have and whose values differ."""
    return [
        f"{table}.{column}"
        for table in one.keys() & other.keys()
        for column in one[table].keys() & other[table].keys()
        if one[table][column] != other[table][column]
    ]


def _fits(url: str) -> bool:
    return migrate.current(url) == schema.newest()
