"""Changing the master key: a new one wraps every data key, then the old one is forgotten. Called by `keys rotate`.

It may be killed anywhere; run again, it finishes. What is left to do is seen from the key file (two lines: a change is
under way) and from the rows (each names the master key that wraps it). The first row that is wrapped anew is the
root's: from then on running services wrap new data keys with the new master key too (vault.current_master). Before the
key file lets go of the old key, the backups' keyring is renewed: at every moment the file opens database and backups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey
from vendorrisk.db.vault import MasterKey
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.services import audit
from vendorrisk.services.operating import backup_keys, keys

BATCH = 500
"""Data keys that are wrapped anew in one transaction: writers wait for no longer than that."""


class NotForgotten(Exception):
    """The backups' keyring could not be renewed, so the key file still holds the old key. The text is for people."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What came of it: the ids of the new and the old master key, and how many data keys were wrapped anew."""

    new: str
    old: str
    wrapped: int


def is_under_way(key_file: Path) -> bool:
    """Whether the key file holds an old key besides the new one."""
    return len(keys.load(key_file)) > 1


def begin(key_file: Path) -> None:
    """Put a new master key before the present one, unless that was done before. Nothing is wrapped by it yet."""
    held = keys.load(key_file)
    if len(held) == 1:
        keys.replace(key_file, [keys.new(), *held])


def finish(
    database: Database, key_file: Path, *, backups: Path | None, by: Actor, now: datetime, batch: int = BATCH,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Rotated:  # fmt: skip
    """Wrap everything with the newest master key, then take the older one out of the key file.

    Before that, renew the keyring in `backups`, the folder of the settings. Raises NotForgotten where that
    cannot be done: run it again when it can.
    """
    new, old = keys.load(key_file)
    with database.writing() as session:
        _wrap_root(session, new, by=by, now=now)
    done, total = 0, _left(database, new)
    while wrapped := _wrap_some(database, new, batch):
        done += wrapped
        progress(done, total)
    if backups is not None and (problem := backup_keys.renew(database, backups, now=now)):
        raise NotForgotten(problem)
    keys.replace(key_file, [new])
    return Rotated(new.id, old.id, done)


def _wrap_root(session: Session, new: MasterKey, *, by: Actor, now: datetime) -> None:
    # Exclusive: who makes a data key meanwhile either has done so by now, with the old key, or will use the new one.
    before = vault.hold_keys(session)
    if before.id == new.id:
        return
    _wrap(session, [session.get_one(DataKey, vault.ROOT_KEY)], new)
    audit.record(
        session, EventKind.KEYS_ROTATED, object_kind="key", object_id=vault.ROOT_KEY, by=by, now=now,
        details={"before": {"key": before.id}, "after": {"key": new.id}},
    )  # fmt: skip


def _left(database: Database, new: MasterKey) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(DataKey).where(*_of_others(new))) or 0


def _wrap_some(database: Database, new: MasterKey, batch: int) -> int:
    with database.writing() as session:
        rows = session.scalars(
            select(DataKey).where(*_of_others(new)).order_by(DataKey.id).limit(batch).with_for_update()
        ).all()
        _wrap(session, rows, new)
        return len(rows)


def _of_others(new: MasterKey) -> tuple[ColumnElement[bool], ...]:
    return DataKey.master_id != new.id, DataKey.wrapped.is_not(None)


def _wrap(session: Session, rows: Sequence[DataKey], new: MasterKey) -> None:
    vault.preload(session, [row.id for row in rows])
    for row in rows:
        row.wrapped, row.master_id = new.wrap(row.id, vault.data_key(session, row.id)), new.id
