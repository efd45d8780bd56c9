"""Makes backups, opens their keyring and restores them, with the key of tests."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tests.databases import MASTER
from vendorrisk.db import dump, engine
from vendorrisk.db.engine import Database
from vendorrisk.db.vault import MasterKey
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.operating import backup_keys, backups, restoring
from vendorrisk.services.operating.backup_keys import Keyring
from vendorrisk.services.operating.backups import Made
from vendorrisk.services.operating.restoring import Restored
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import Storage


def make(runtime: Runtime, folder: Path, now: datetime) -> Made:
    """A backup in this folder, and the keyring beside it."""
    return backups.make(runtime.database, runtime.storage, folder, by=SYSTEM, now=now)


def keyring(folder: Path, master: MasterKey = MASTER) -> Keyring:
    """The keyring in this folder."""
    return backup_keys.read(folder / backup_keys.NAME, [master])


def restore(made: Made, url: str, storage: Storage, now: datetime, **more: bool) -> Restored:
    """Restore a backup with the keyring beside it."""
    return restoring.restore(made.path, keyring(made.path.parent), url, storage, by=SYSTEM, now=now, **more)


def opened_at(url: str) -> Database:
    """The database at this address: close it."""
    return Database(engine.make_engine(url), MASTER)


def rows_of(database: Database) -> dict[str, list[bytes]]:
    """All rows of all tables, apart from what restoring changes on purpose."""
    with database.snapshot() as connection:
        return {
            shape.name: sorted(line for lines in dump.read(connection, shape) for line in lines)
            for shape in dump.shapes()
        }
