"""The keyring: a small file beside the backups with the wrapped data keys of everything that is not erased.

Backups themselves hold no keys. The keyring is replaced at each backup, at each rotation of the master key and at each
erasure, so that an old backup with today's keyring tells nothing of a vendor that was erased.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vendorrisk import crypto, private_files
from vendorrisk.db import vault
from vendorrisk.db.engine import Busy, Database
from vendorrisk.db.models import DataKey, Event, Vendor
from vendorrisk.db.vault import Master, MasterKey
from vendorrisk.domain.audit import EventKind

NAME = "keyring"
_FORMAT = "vendorrisk-keyring-1"
_BLOCK = 64 * 1024
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a file raises that is no keyring."""


class BadBackup(Exception):
    """A backup or keyring that cannot be used, or a place to which it cannot be restored. The text is for people."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as the keyring holds it."""

    id: UUID
    master_id: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Keyring:
    """A keyring that was read: the secrets that it opens with, its keys, and when it was written."""

    master: Master
    keys: tuple[WrappedKey, ...]
    written: datetime


def write(session: Session, folder: Path, *, now: datetime) -> int:
    """Write the keys of everything that is alive over the keyring in `folder`. Returns how many there are.

    In a writing session: nobody is erased between reading the keys and writing them down. Raises BadBackup.
    """
    check_ours(folder, vault.keyring(session).master)
    vault.hold_keys(session)
    rows = session.execute(
        select(DataKey.id, DataKey.master_id, DataKey.wrapped).where(DataKey.wrapped.is_not(None)).order_by(DataKey.id)
    ).all()
    keys = [[str(key_id), master_id, base64.b64encode(wrapped or b"").decode()] for key_id, master_id, wrapped in rows]
    body = {"format": _FORMAT, "written": now.astimezone(UTC).isoformat(), "keys": keys}
    mac = _mac(vault.keyring(session).master, body)
    _overwrite(folder / NAME, json.dumps({**body, "mac": mac.hex()}, indent=0).encode())
    return len(rows)


def check_ours(folder: Path, master: Master) -> None:
    """Refuse a folder with another deployment's keyring: ours over it, and no backup of theirs can be read any more.

    A keyring that is damaged serves nobody, and gives way. Raises BadBackup.
    """
    path = folder / NAME
    try:
        body, mac = _read(path)
    except (FileNotFoundError, *_DAMAGED):
        return
    if not hmac.compare_digest(_mac(master, body), mac):
        raise BadBackup(
            f"{path} is the keyring of another deployment, or was changed: the backups beside it need it. Choose "
            "another folder."
        )


def renew(database: Database, folder: Path | None, *, now: datetime) -> str:
    """Write the keyring in the folder of the settings anew. Returns what went wrong; "" where nothing did.

    Where no backup was ever made there is no keyring, and nothing to do.
    """
    try:
        with database.writing() as session:
            if folder is None or not (folder / NAME).exists():
                return _out_of_reach(session, folder)
            _check_known(session, folder)
            write(session, folder, now=now)
    except (OSError, Busy, BadBackup) as error:
        return f"The keyring in {folder} could not be written anew: {error}"
    return ""


def _out_of_reach(session: Session, folder: Path | None) -> str:
    if last_made(session) is None:
        return ""
    if folder is None:
        return (
            "Backups were made, but VENDORRISK_BACKUPS is not set here, so the keyring beside them is as it was. "
            "For each folder of backups, run: python -m vendorrisk backup FOLDER"
        )
    return (
        f"Backups were made, but there is no keyring in {folder}. Is its disk there? If no backup lies there yet, run: "
        "python -m vendorrisk backup"
    )


def _check_known(session: Session, folder: Path) -> None:
    """Refuse to drop keys of which this database has never heard; only a backup does that, when somebody asks for it.

    A database that was restored to try a backup out has the secrets of the one in service, and often its settings too:
    what its jobs do must not take the keys of newer vendors out of the keyring. Raises BadBackup.
    """
    try:
        held = ids(folder)
    except BadBackup:
        return  # damaged: it serves nobody, and gives way
    strangers = len(held.difference(session.scalars(select(DataKey.id))))
    if strangers:
        raise BadBackup(
            f"it holds {strangers} keys that this database does not know, of a newer copy of it or of vendors added "
            "after the backup from which it was restored. If no backup needs them, run: python -m vendorrisk backup"
        )


def last_made(session: Session) -> datetime | None:
    """When the newest backup was made, into whichever folder; None where there was none."""
    return session.scalar(select(func.max(Event.at)).where(Event.kind == EventKind.BACKUP_MADE.value))


def destroyed(session: Session) -> frozenset[UUID]:
    """The ids of the keys that no keyring may hold: those of erased vendors."""
    return frozenset(session.scalars(select(Vendor.key_id).where(Vendor.erased_at.is_not(None))))


def ids(folder: Path) -> frozenset[UUID]:
    """The ids of the keys in this folder's keyring; none where there is no keyring. Raises OSError and BadBackup.

    It is read anew only when it has changed. Its seal is not looked at: `read` does that.
    """
    path = folder / NAME
    try:
        seen = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    return _ids(path, seen.st_ino, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=1)
def _ids(path: Path, *_state: int) -> frozenset[UUID]:
    try:
        body, _ = _read(path)
        return frozenset(UUID(key_id) for key_id, *_ in body["keys"])
    except _DAMAGED:
        raise _damaged(path) from None


def read(path: Path, masters: Sequence[MasterKey]) -> Keyring:
    """The keyring in this file, if the master key opens it and nothing in it was changed. Raises BadBackup."""
    try:
        body, mac = _read(path)
        keys = tuple(WrappedKey(UUID(k), master_id, base64.b64decode(w)) for k, master_id, w in body["keys"])
        written = datetime.fromisoformat(body["written"])
    except OSError as error:
        raise BadBackup(f"There is no keyring at {path} ({error.strerror}). It lies beside the backups.") from None
    except _DAMAGED:
        raise _damaged(path) from None
    master = Master(*masters)
    try:
        root = next(key for key in keys if key.id == vault.ROOT_KEY)
        master.learn_root(master.key(root.master_id).unwrap(root.id, root.wrapped))
    except StopIteration:
        raise BadBackup(f"The keyring {path} holds no root secret.") from None
    except crypto.CannotOpen as error:
        raise BadBackup(f"The key file does not open the keyring {path}: {error}.") from None
    if not hmac.compare_digest(_mac(master, body), mac):
        raise BadBackup(f"The keyring {path} was changed since it was written.")
    return Keyring(master, keys, written)


def _damaged(path: Path) -> BadBackup:
    return BadBackup(f"{path} is not a keyring, or was damaged.")


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """What the file says, and its seal. Raises OSError, or one of _DAMAGED."""
    body: dict[str, Any] = json.loads(path.read_bytes())
    return body, bytes.fromhex(body.pop("mac"))


def _mac(master: Master, body: dict[str, Any]) -> bytes:
    return crypto.keyed_hash(master.purpose("keyring"), json.dumps(body, sort_keys=True).encode())


def _overwrite(path: Path, content: bytes) -> None:
    """Put the new keyring in place in one step, then write zeros over what was there: its blocks are free now."""
    with ExitStack() as stack:
        old = stack.enter_context(path.open("r+b")) if path.exists() else None
        private_files.replace(path, content)
        if old is not None:
            _write_zeros(old)


def _write_zeros(file: BinaryIO) -> None:
    left = os.fstat(file.fileno()).st_size
    while left > 0:
        left -= file.write(bytes(min(left, _BLOCK)))
    private_files.sync(file)
