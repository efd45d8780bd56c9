"""Tables as plain rows, the same from SQLite and from PostgreSQL, and back into either; what backups are made of.

A shape names each column and its kind; both stand in the backup, so that it can be read without the models of its time.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    TableClause,
    Uuid,
    column,
    func,
    insert,
    select,
    table,
    text,
)
from sqlalchemy.types import TypeEngine

from vendorrisk.db import migrate, schema
from vendorrisk.db.base import Base, UTCDateTime

BATCH = 250
"""Rows that are fetched at once."""
_PART_BYTES = 1 << 20
_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's name and its columns with their kinds. `serial`: the column that the database counts up by itself."""

    name: str
    columns: tuple[tuple[str, str], ...]
    serial: str = ""

    def clause(self) -> TableClause:
        """The table, for statements."""
        return table(self.name, *(column(name, _kind(kind).type) for name, kind in self.columns))


@dataclass(frozen=True, slots=True)
class _Kind:
    type: TypeEngine[Any]
    to_plain: Callable[[Any], Any]
    from_plain: Callable[[Any], Any]


def _as_it_is(value: Any) -> Any:
    return value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


_KINDS: dict[str, _Kind] = {
    "uuid": _Kind(Uuid(), str, UUID),
    "moment": _Kind(UTCDateTime(), datetime.isoformat, datetime.fromisoformat),
    "day": _Kind(Date(), date.isoformat, date.fromisoformat),
    "bytes": _Kind(LargeBinary(), _base64, base64.b64decode),
    "bool": _Kind(Boolean(), bool, bool),
    "int": _Kind(BigInteger(), _as_it_is, _as_it_is),
    "json": _Kind(JSON(none_as_null=True), _as_it_is, _as_it_is),
    "text": _Kind(String(), str, str),
}
_BY_TYPE: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (UTCDateTime, "moment"), (DateTime, "moment"), (Uuid, "uuid"), (CHAR, "uuid"), (LargeBinary, "bytes"),
    (Boolean, "bool"), (Integer, "int"), (Date, "day"), (JSON, "json"), (String, "text"),
)  # fmt: skip
"""Kinds by the types of the models, and by those that SQLite tells of its tables, where an id is a CHAR."""


def _kind(name: str) -> _Kind:
    if name.startswith("decimal "):
        return _Kind(Numeric(38, int(name.removeprefix("decimal "))), str, Decimal)
    return _KINDS[name]


def shapes() -> list[Shape]:
    """Every table of this version, those that others point to first."""
    return _shapes(Base.metadata)


def shapes_at(revision: str) -> list[Shape]:
    """Every table of a database at this revision, which may be older than the models.

    What its migrations make is asked, not the database itself: a table that somebody has put beside ours stays out, and
    the shapes are those of the tables into which `restore` will write.
    """
    if revision == schema.newest():
        return shapes()
    there = MetaData()
    with migrate.scratch(revision) as connection:
        there.reflect(connection)
    there.remove(there.tables[schema.VERSION_TABLE])
    return _shapes(there)


def _shapes(tables: MetaData) -> list[Shape]:
    return [
        Shape(
            found.name,
            tuple((each.name, _kind_of(each.type)) for each in found.columns),
            found.autoincrement_column.name if found.autoincrement_column is not None else "",
        )
        for found in tables.sorted_tables
    ]


def _kind_of(type_: TypeEngine[Any]) -> str:
    if isinstance(type_, Numeric):
        return f"decimal {type_.scale}"
    return next(kind for known, kind in _BY_TYPE if isinstance(type_, known))


def read(connection: Connection, shape: Shape, *, without: frozenset[str] = frozenset()) -> Iterator[list[bytes]]:
    """The rows of a table in parts of about a megabyte, each row a line of JSON; columns in `without` are null."""
    makers = [_kind(kind).to_plain if name not in without else _nothing for name, kind in shape.columns]
    rows = select(*shape.clause().columns).execution_options(stream_results=True, yield_per=BATCH)
    part, size = [], 0
    for row in connection.execute(rows):
        line = _line([None if value is None else make(value) for make, value in zip(makers, row, strict=True)])
        part.append(line)
        size += len(line)
        if size > _PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _nothing(_value: Any) -> None:
    return None


def _line(plain: list[Any]) -> bytes:
    return json.dumps(plain, separators=(",", ":"), sort_keys=True).encode("ascii")


def write(connection: Connection, shape: Shape, lines: Sequence[bytes]) -> None:
    """Add the rows of one batch."""
    names = [name for name, _ in shape.columns]
    makers = [_kind(kind).from_plain for _, kind in shape.columns]
    rows = []
    for line in lines:
        made = [None if value is None else make(value) for make, value in zip(makers, json.loads(line), strict=True)]
        rows.append(dict(zip(names, made, strict=True)))
    connection.execute(insert(shape.clause()), rows)


def clear(connection: Connection, shape: Shape) -> None:
    """Take out what a migration has put into the table, where that is anything."""
    if count(connection, shape):
        connection.execute(shape.clause().delete())


def count(connection: Connection, shape: Shape) -> int:
    """How many rows the table has."""
    return connection.scalar(select(func.count()).select_from(shape.clause())) or 0


def count_on(connection: Connection, shape: Shape) -> None:
    """Let the database's own counter go on after the highest number that was written. SQLite does by itself."""
    if shape.serial and connection.dialect.name == "postgresql":
        highest = select(func.max(column(shape.serial))).select_from(shape.clause()).scalar_subquery()
        sequence = func.pg_get_serial_sequence(shape.name, shape.serial)
        connection.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))


@dataclass(slots=True)
class Tally:
    """Rows counted, with a hash over all of them that does not depend on their order."""

    rows: int = 0
    total: int = 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Count more rows."""
        for line in lines:
            self.rows += 1
            self.total = (self.total + int.from_bytes(hashlib.sha256(line).digest(), "big")) % _MODULUS

    def plain(self) -> dict[str, Any]:
        """The tally for a manifest."""
        return {"rows": self.rows, "digest": f"{self.total:064x}"}


def dangling(connection: Connection) -> str:
    """The name of a table with a row that points to nothing, or "". For SQLite; PostgreSQL takes no such row."""
    if connection.dialect.name != "sqlite":
        return ""
    found = connection.execute(text("PRAGMA foreign_key_check")).first()
    return str(found[0]) if found is not None else ""
