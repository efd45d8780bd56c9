"""What every table shares: the declarative base, naming convention and column types."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, DateTime, Enum, LargeBinary, MetaData, String, Uuid
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """A moment. SQLite drops time zones: naive values are refused on the way in, UTC is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; a naive moment is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back; PostgreSQL answers in the time zone of its session."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Sealed = bytes
"""A value sealed by the vault with its vendor's key. Open it with `vault.open_text` or `vault.open_json`."""

UuidKey = Annotated[UUID, mapped_column(primary_key=True, default=uuid4)]


def stored_enum(kind: type[enum.Enum]) -> Enum:
    """An enum column that stores values, not names, as text: both databases sort it, a later version can add to it."""
    return Enum(
        kind,
        values_callable=lambda members: [str(m.value) for m in members],
        native_enum=False,
        length=40,
        create_constraint=False,
        validate_strings=True,
    )


class Base(DeclarativeBase):
    """The base of every model. Rows are dumb: columns and relationships, no verbs."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the name and shape are SQLAlchemy's
        datetime: UTCDateTime,
        UUID: Uuid(),
        str: String(200),
        bytes: LargeBinary(),
        dict[str, Any]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
    }
