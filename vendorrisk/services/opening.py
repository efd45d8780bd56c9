"""Opens the database of a deployment: key read, schema brought up to date, key tried; for factory and commands."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url

from vendorrisk.db import engine, migrate
from vendorrisk.db.engine import Database
from vendorrisk.services import accounts, keys
from vendorrisk.settings import Settings


class NotReady(Exception):
    """There is no database, or it is not of this version. The text is for the operator."""


def database(settings: Settings) -> Database:
    """The database, ready for work. The very first start, with neither key nor database, makes both.

    Raises keys.BadKey.
    """
    file = _sqlite_file(settings.database)
    first_start = file is not None and not file.exists()
    if first_start and not settings.key_file.exists():
        keys.create(settings.key_file)
    master = keys.load(settings.key_file)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate.upgrade(settings.database)
    opened = Database(engine.make_engine(settings.database), master)
    opened.ensure_system_key()
    keys.check_fits(opened)
    with opened.writing() as session:
        accounts.ensure_roles(session)
    return opened


def as_it_is(settings: Settings) -> Database:
    """The database with nothing brought up to date and nothing made: to look at what may have been tampered with.

    Raises keys.BadKey and NotReady.
    """
    file = _sqlite_file(settings.database)
    if file is not None and not file.exists():
        raise NotReady(f"There is no database at {file}.")
    master = keys.load(settings.key_file)
    there, needed = migrate.current(settings.database), migrate.newest()
    if there != needed:
        raise NotReady(f"The database is at revision {there or 'none'}, not {needed}. Run: python -m vendorrisk setup")
    opened = Database(engine.make_engine(settings.database), master)
    keys.check_fits(opened)
    return opened


def _sqlite_file(url: str) -> Path | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))
