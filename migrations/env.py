"""Where Alembic starts; vendorrisk/db/migrate.py hands in the connection and owns the transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum, String, types

from vendorrisk.db.base import Base, UTCDateTime
from vendorrisk.db.models import Vendor  # noqa: F401 - brings in every table


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write migrations in plain SQLAlchemy types: a later change of our own types must not rewrite the past."""
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


def same_type(
    _context: Any, _inspected: Any, _column: Any, there: types.TypeEngine[Any], wanted: types.TypeEngine[Any]
) -> bool | None:
    """An enum is text in the database: it differs only where its length does."""
    if isinstance(wanted, Enum) and isinstance(there, String):
        return there.length != wanted.length
    return None


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=same_type,
    compare_server_default=True,
    render_item=render_item,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
