"""Statements that run with every save and every page of a vendor: compiled once for each kind of database, run on the
driver's own cursor.

From a statement to the driver and back, SQLAlchemy takes several times as long as the database takes to run it. What a
statement says, and how its values are stored, is SQLAlchemy's word here too, and so are the errors that come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

Statement = Select[Any] | UpdateBase
Process = Callable[[Any], Any]
_NAMED = sqlite.dialect(paramstyle="named")
"""The values go by name to both drivers."""

_HELD = "vendorrisk.connection"


def hold(session: Session, connection: Connection) -> None:
    """Let the statements of a session that lives for one transaction find its connection at once."""
    session.info[_HELD] = connection


def commit(connection: Connection) -> None:
    """Commit what ran on the driver, unless a session has done so."""
    try:
        connection.connection.commit()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _in_sqlalchemys_words(connection, "COMMIT", error) from error


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    values: Mapping[str, Any]
    store: tuple[tuple[str, Process], ...]
    load: tuple[tuple[int, Process], ...]


class Prepared:
    """One statement. Where the databases must be spoken to differently, `on_postgresql` is what that one is told."""

    def __init__(self, statement: Statement, *, on_postgresql: Statement | None = None) -> None:
        self._statements = {
            "sqlite": statement,
            "postgresql": on_postgresql if on_postgresql is not None else statement,
        }
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, session: Session, **values: Any) -> list[tuple[Any, ...]]:
        """Run it in the session's transaction; the rows it gives. It does not see what is not flushed yet."""
        connection = session.info.get(_HELD) or session.connection()
        plan = self._plan(connection.dialect)
        given = {**plan.values, **values}
        for name, store in plan.store:
            given[name] = store(given[name])
        found = _execute(connection, plan.sql, given)
        return [_loaded(row, plan.load) for row in found] if plan.load else found

    def one(self, session: Session, **values: Any) -> tuple[Any, ...] | None:
        """Run it; the only row, or None."""
        found = self.rows(session, **values)
        return found[0] if found else None

    def _plan(self, dialect: Dialect) -> _Compiled:
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = _compile(self._statements[dialect.name], dialect)
        return self._compiled[dialect.name]


def _compile(statement: Statement, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=_NAMED if dialect.name == "sqlite" else dialect)
    binds = {compiled.bind_names[bind]: bind.type for bind in compiled.bind_names}
    store = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in binds.items()}
    columns = enumerate(statement.exported_columns)
    load = {at: column.type.dialect_impl(dialect).result_processor(dialect, None) for at, column in columns}
    return _Compiled(
        str(compiled), dict(compiled.params), tuple((name, each) for name, each in store.items() if each),
        tuple((at, each) for at, each in load.items() if each),
    )  # fmt: skip


def _loaded(row: tuple[Any, ...], load: tuple[tuple[int, Process], ...]) -> tuple[Any, ...]:
    values = list(row)
    for at, process in load:
        values[at] = process(values[at])
    return tuple(values)


def _execute(connection: Connection, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    driver = connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []
    except driver.Error as error:
        raise _in_sqlalchemys_words(connection, sql, error, cursor) from error
    finally:
        cursor.close()


def _in_sqlalchemys_words(connection: Connection, sql: str, error: Any, cursor: DBAPICursor | None = None) -> Exception:
    driver, dialect = connection.dialect.loaded_dbapi, connection.dialect
    is_gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
    if is_gone:
        connection.invalidate(error)
    said: Exception = DBAPIError.instance(
        sql, None, error, driver.Error, connection_invalidated=is_gone, dialect=dialect
    )
    return said
