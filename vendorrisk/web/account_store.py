"""Where Flask-Security finds and keeps accounts: short transactions of their own, never one that spans a request.

See docs/decisions/0002-sign-in.md for what was tried and why a request-long session is not an option.
"""

from __future__ import annotations

from typing import Any, cast

from flask import g
from flask_security.datastore import SQLAlchemyUserDatastore
from sqlalchemy import Select

from vendorrisk.db.engine import Database
from vendorrisk.db.models import Role, User

_WAITING = "accounts_to_write"


class ShortSession:
    """What Flask-Security takes for a session. Each look-up is a transaction that has ended when it returns; additions
    wait until `commit`, which writes them all in one. So nothing is ever held open while a view works.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def scalar(self, query: Select[Any]) -> Any:
        """One object, loaded and detached: it can be read and changed, but not lazily loaded from."""
        with self._database.reading() as session:
            return session.scalar(query)

    def add(self, row: object) -> None:
        """Keep `row`, new or changed, for the next commit."""
        waiting = self._waiting()
        if row not in waiting:
            waiting.append(row)

    def delete(self, row: object) -> None:
        """Delete `row` at once."""
        with self._database.writing() as session:
            session.delete(row)

    def commit(self) -> None:
        """Write what waits, in one transaction of its own."""
        waiting = g.pop(_WAITING, [])  # gone even if writing fails: an error page must not try again
        if waiting:
            with self._database.writing() as session:
                session.add_all(waiting)

    def _waiting(self) -> list[object]:
        return cast(list[object], g.setdefault(_WAITING, []))


class _Holder:
    """Flask-Security asks for an object with a `session`."""

    def __init__(self, database: Database) -> None:
        self.session = ShortSession(database)


def store(database: Database) -> SQLAlchemyUserDatastore:
    """The datastore for `Security`."""
    return SQLAlchemyUserDatastore(_Holder(database), User, Role)
