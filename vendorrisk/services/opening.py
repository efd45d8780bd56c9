"""Opens the database of a deployment: key read, schema brought up to date, key tried; for factory and commands."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from vendorrisk.db import engine, migrate
from vendorrisk.db.engine import Database
from vendorrisk.db.vault import Master
from vendorrisk.services import accounts, keys
from vendorrisk.settings import Settings


def database(settings: Settings) -> Database:
    """The database, ready for work. The very first start, with neither key nor database, makes both.

    Raises keys.BadKey.
    """
    file = _sqlite_file(settings.database)
    first_start = file is not None and not file.exists()
    if first_start and not settings.key_file.exists():
        keys.create(settings.key_file)
    master = Master(*keys.load(settings.key_file), reload=partial(keys.load, settings.key_file))
    make_folder(settings)
    migrate.upgrade(settings.database)
    opened = Database(engine.make_engine(settings.database), master)
    keys.check_fits(opened)
    with opened.writing() as session:
        accounts.ensure_roles(session)
    return opened


def make_folder(settings: Settings) -> None:
    """Make the folder of an SQLite database, where there is none."""
    file = _sqlite_file(settings.database)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _sqlite_file(url: str) -> Path | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))
