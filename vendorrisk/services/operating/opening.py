"""Opens the database of a deployment: key read, schema seen to, key tried; for factory and commands."""

from __future__ import annotations

import logging

from vendorrisk.db import engine, schema
from vendorrisk.db.engine import Database
from vendorrisk.db.schema import Standing
from vendorrisk.services.operating import keys, unsealed, upgrading
from vendorrisk.services.people import accounts
from vendorrisk.settings import Settings

_log = logging.getLogger(__name__)


class NotReady(Exception):
    """There is no database, or it is not of this version. The text is for the operator."""


def database(settings: Settings) -> Database:
    """The database, ready for work. The very first start, with neither key nor database, makes both.

    Raises keys.BadKey and upgrading.NeedsUpgrade.
    """
    file = upgrading.sqlite_file(settings.database)
    first_start = file is not None and not file.exists()
    if first_start and not settings.key_file.exists():
        keys.create(settings.key_file)
    master = keys.master(settings.key_file)
    make_folder(settings)
    opened = Database(engine.make_engine(settings.database), master)
    try:
        _furnish(opened, settings.database)
    except BaseException:
        opened.close()
        raise
    return opened


def before_upgrade(settings: Settings) -> Database:
    """A database of an older schema, which stays that: to be backed up. Raises keys.BadKey."""
    opened = Database(engine.make_engine(settings.database), keys.master(settings.key_file))
    try:
        keys.check_fits(opened)
    except BaseException:
        opened.close()
        raise
    return opened


def after_upgrade(settings: Settings) -> None:
    """Seal what migrations, which have no keys, left plain. Raises keys.BadKey where that needs another key."""
    opened = Database(engine.make_engine(settings.database), keys.master(settings.key_file))
    try:
        _seal_what_is_left(opened)
    finally:
        opened.close()


def as_it_is(settings: Settings) -> Database:
    """The database with nothing brought up to date and nothing made: to look at what may have been tampered with.

    Raises keys.BadKey and NotReady.
    """
    file = upgrading.sqlite_file(settings.database)
    if file is not None and not file.exists():
        raise NotReady(f"There is no database at {file}.")
    opened = Database(engine.make_engine(settings.database), keys.master(settings.key_file))
    try:
        _check_schema(opened)
        keys.check_opens(opened)
    except BaseException:
        opened.close()
        raise
    return opened


def _check_schema(opened: Database) -> None:
    with opened.engine.connect() as connection:
        there = schema.current(connection)
    if schema.standing(there) is not Standing.FITS:
        raise NotReady(
            f"The database is at revision {there or 'none'}, not {schema.newest()}: python -m vendorrisk upgrade"
        )


def make_folder(settings: Settings) -> None:
    """Make the folder of an SQLite database, where there is none."""
    file = upgrading.sqlite_file(settings.database)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _furnish(opened: Database, url: str) -> None:
    """Schema, keys, roles: whatever must be there before the first request."""
    done = upgrading.at_start(opened.engine, url)
    if done.copy is not None:
        _log.warning("the database went from %s to %s; as it was: %s", done.before, done.after, done.copy)
    keys.check_fits(opened)
    _seal_what_is_left(opened)
    with opened.writing() as session:
        accounts.ensure_roles(session)


def _seal_what_is_left(opened: Database) -> None:
    if unsealed.is_any(opened):
        keys.check_opens(opened)
        unsealed.seal_all(opened)
