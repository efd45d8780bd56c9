"""The master key's file: made once with mode 0600, read at each start; called by the factory and `setup`."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.vault import MasterKey

_MARK = "vendorrisk-key-1"
_ENOUGH_DIFFERENT_BYTES = 16


class BadKey(Exception):
    """The key file is missing, weak, readable by others or not a key file. The text is for the operator."""


def create(path: Path) -> None:
    """Write a fresh master key that only its owner can read. An existing file is never touched: FileExistsError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = f"{_MARK} {secrets.token_hex(4)} {base64.b64encode(crypto.new_key()).decode()}\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> MasterKey:
    """Read the master key. Raises BadKey."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise BadKey(f"There is no key file at {path}. Make one with: python -m vendorrisk setup") from None
    except (OSError, ValueError) as error:
        raise BadKey(f"The key file {path} cannot be read: {error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadKey(f"The key file {path} can be read by others. Make it yours alone: chmod 600 {path}")
    return _parse(path, text)


def _parse(path: Path, text: str) -> MasterKey:
    words = text.split()
    if len(words) != 3 or words[0] != _MARK:
        raise BadKey(f"{path} is not a key file: it must say '{_MARK}', an id and a key.")
    try:
        secret = base64.b64decode(words[2], validate=True)
    except (binascii.Error, ValueError):
        raise BadKey(f"The key in {path} is not base64.") from None
    if len(secret) != crypto.KEY_BYTES or len(set(secret)) < _ENOUGH_DIFFERENT_BYTES:
        raise BadKey(f"The key in {path} is weak: it must be {crypto.KEY_BYTES} random bytes.")
    return MasterKey(id=words[1], secret=secret)


def check_fits(database: Database) -> None:
    """Make sure that this key opens this database. Raises BadKey."""
    try:
        with database.reading() as session:
            vault.data_key(session, vault.SYSTEM_KEY)
    except crypto.CannotOpen:
        raise BadKey("The key file is not the one that this database was made with.") from None
