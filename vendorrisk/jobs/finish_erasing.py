"""Finishes what an erasing left behind that was killed, or could not reach the backups: called each minute.

What is left to do is seen from what is there: the keyring beside the backups holds the key of an erased vendor, or
vendors were erased since this process last cut SQLite's log off. Where there is nothing to do that takes one query and
a look at the keyring's date.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from vendorrisk.db.engine import Database
from vendorrisk.services.operating import backup_keys
from vendorrisk.services.operating.backup_keys import BadBackup

_log = logging.getLogger(__name__)


class Finisher:
    """Takes destroyed keys out of the keyring in `backups`, and out of the database's log."""

    def __init__(self, database: Database, backups: Path | None, clock: Callable[[], datetime]) -> None:
        self._database, self._backups, self._clock = database, backups, clock
        self._cut_for: frozenset[UUID] = frozenset()

    def round(self) -> None:
        """Do what is left, or try again at the next round."""
        with self._database.reading() as session:
            destroyed = backup_keys.destroyed(session)
        if self._backups is not None:
            self._renew(self._backups, destroyed)
        if destroyed != self._cut_for and self._database.forget_log():
            self._cut_for = destroyed

    def _renew(self, folder: Path, destroyed: frozenset[UUID]) -> None:
        try:
            left = destroyed & backup_keys.ids(folder)
            problem = backup_keys.renew(self._database, folder, now=self._clock()) if left else ""
        except (OSError, BadBackup) as error:
            problem = str(error)
        if problem:
            _log.warning("%s", problem)
