"""Files of the service's own on this machine: only their owner can read them, and once written they are on the disk.

Called by whatever keeps one: keys, the anchor, backups, the local storage, the folder for letters.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import BinaryIO


def create(path: Path) -> BinaryIO:
    """Open a new file for writing, mode 0600. Raises FileExistsError: nothing is ever written over."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def sync(file: BinaryIO) -> None:
    """Have what was written on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the folder's names on the disk: without it, one could be lost or come back with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Put a file in place of the one before, in one step: a reader finds either, whole."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with create(draft) as file:
            file.write(content)
            sync(file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
