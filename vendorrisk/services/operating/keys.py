"""The key file: one line for each master key, the newest first. Called by opening, `setup` and the keys commands.

There are two lines only while the master key is being changed (rotation.py). The file is replaced as a whole,
so that whoever reads it finds either state of it.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from vendorrisk import crypto, private_files
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.vault import Master, MasterKey

_MARK = "vendorrisk-key-1"
_ENOUGH_DIFFERENT_BYTES = 16
_MOST_KEYS = 2


class BadKey(Exception):
    """The key file is missing, weak, readable by others or not a key file. The text is for the operator."""


def new() -> MasterKey:
    """A fresh master key."""
    return MasterKey(secrets.token_hex(4), crypto.new_key())


def create(path: Path, key: MasterKey | None = None) -> None:
    """Write a master key that only its owner can read. An existing file is never touched: FileExistsError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with private_files.create(path) as file:
        file.write(_lines([key or new()]))
        private_files.sync(file)
    private_files.sync_folder(path.parent)


def replace(path: Path, keys: Sequence[MasterKey]) -> None:
    """Put other keys into the key file, in one step: a reader finds the old file or the new one."""
    private_files.replace(path, _lines(keys))


def load(path: Path) -> tuple[MasterKey, ...]:
    """Read the master keys, the newest first. Raises BadKey."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise BadKey(f"There is no key file at {path}. Make one with: python -m vendorrisk setup") from None
    except (OSError, ValueError) as error:
        raise BadKey(f"The key file {path} cannot be read: {error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadKey(f"The key file {path} can be read by others. Make it yours alone: chmod 600 {path}")
    lines = [line for line in text.splitlines() if line.strip()] or [""]
    if len(lines) > _MOST_KEYS:
        raise BadKey(f"{path} holds {len(lines)} keys; there are never more than {_MOST_KEYS}.")
    return tuple(_parse(path, line) for line in lines)


def master(path: Path) -> Master:
    """The secrets of a deployment, which read the file again when a row names a key unknown to them. Raises BadKey."""
    return Master(*load(path), reload=partial(load, path))


def _parse(path: Path, line: str) -> MasterKey:
    words = line.split()
    if len(words) != 3 or words[0] != _MARK:
        raise BadKey(f"{path} is not a key file: it must say '{_MARK}', an id and a key.")
    try:
        secret = base64.b64decode(words[2], validate=True)
    except (binascii.Error, ValueError):
        raise BadKey(f"The key in {path} is not base64.") from None
    if len(secret) != crypto.KEY_BYTES or len(set(secret)) < _ENOUGH_DIFFERENT_BYTES:
        raise BadKey(f"The key in {path} is weak: it must be {crypto.KEY_BYTES} random bytes.")
    return MasterKey(id=words[1], secret=secret)


def _lines(keys: Sequence[MasterKey]) -> bytes:
    return "".join(f"{_MARK} {key.id} {base64.b64encode(key.secret).decode()}\n" for key in keys).encode("ascii")


def check_fits(database: Database) -> None:
    """Make the root and the system's key at first start, and see that this key file opens them. Raises BadKey."""
    try:
        database.ensure_system_key()
    except crypto.CannotOpen:
        raise _not_this_one() from None
    check_opens(database)


def check_opens(database: Database) -> None:
    """See that this key file opens the database; nothing is written. Raises BadKey."""
    try:
        with database.reading() as session:
            vault.data_key(session, vault.SYSTEM_KEY)
    except (crypto.CannotOpen, vault.Erased):
        raise _not_this_one() from None


def _not_this_one() -> BadKey:
    return BadKey("The key file is not the one that this database was made with.")
