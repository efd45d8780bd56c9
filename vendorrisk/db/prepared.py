"""Statements that run with every save and every page of a vendor: compiled once for each kind of database, run on the
driver's own cursor.

From a statement to the driver and back, SQLAlchemy takes several times as long as the database takes to run it. What a
statement says, and how its values are stored, is SQLAlchemy's word here too, and so are the errors that come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, Connection, Dialect, Select, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate, UpdateBase

Statement = Select[Any] | UpdateBase
Write = ReturningInsert[Any] | ReturningUpdate[Any]
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
    gives_rows: bool


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
        connection = _connection(session)
        plan = self._plan(connection.dialect)
        given = {**plan.values, **values}
        for name, store in plan.store:
            given[name] = store(given[name])
        found = _execute(connection, plan, given)
        return [_loaded(row, plan.load) for row in found] if plan.load else found

    def one(self, session: Session, **values: Any) -> tuple[Any, ...] | None:
        """Run it; the only row, or None."""
        found = self.rows(session, **values)
        return found[0] if found else None

    def _plan(self, dialect: Dialect) -> _Compiled:
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = _compile(self._statements[dialect.name], dialect)
        return self._compiled[dialect.name]


class Chain:
    """A write, and others that go with it where it wrote a row: all or none.

    Each of the others is made twice: with the first one's result, which it then hangs on, and with None. PostgreSQL is
    told all of it at once: there, it is the way to the server and back that takes long.
    """

    def __init__(self, write: Write, *others: Callable[[CTE | None], UpdateBase], on_postgresql: Write) -> None:
        self._write = Prepared(write)
        self._others = [Prepared(other(None)) for other in others]
        done = on_postgresql.cte("done")
        hanging_on_it = (other(done).cte(f"other_{number}") for number, other in enumerate(others))
        self._at_once = Prepared(select(done).add_cte(*hanging_on_it))

    def one(self, session: Session, **values: Any) -> tuple[Any, ...] | None:
        """Run it with the values of all; what the first gives back of the row it wrote, or None where it wrote none."""
        if _connection(session).dialect.name == "postgresql":
            return self._at_once.one(session, **values)
        found = self._write.one(session, **values)
        for other in self._others if found is not None else ():
            other.rows(session, **values)
        return found


def _connection(session: Session) -> Connection:
    return session.info.get(_HELD) or session.connection()


def _compile(statement: Statement, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=_NAMED if dialect.name == "sqlite" else dialect)
    binds = {compiled.bind_names[bind]: bind.type for bind in compiled.bind_names}
    store = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in binds.items()}
    columns = enumerate(statement.exported_columns)
    load = {at: column.type.dialect_impl(dialect).result_processor(dialect, None) for at, column in columns}
    return _Compiled(
        str(compiled), dict(compiled.params), tuple((name, each) for name, each in store.items() if each),
        tuple((at, each) for at, each in load.items() if each), bool(load),
    )  # fmt: skip


def _loaded(row: tuple[Any, ...], load: tuple[tuple[int, Process], ...]) -> tuple[Any, ...]:
    values = list(row)
    for at, process in load:
        values[at] = process(values[at])
    return tuple(values)


def _execute(connection: Connection, plan: _Compiled, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    driver = connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        cursor.execute(plan.sql, values)
        return list(cursor.fetchall()) if plan.gives_rows else []
    except driver.Error as error:
        raise _in_sqlalchemys_words(connection, plan.sql, error, cursor) from error
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
