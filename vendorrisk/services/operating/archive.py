"""The file of one backup: records in a row, sealed as a stream in chunks; nothing in it is ever plain on disk.

The first line says what the file is. Then one sealed stream: a head, each table with its rows, each stored file, and at
the end the manifest with what there must have been. `backups` writes it; `backups.check` and `restoring` read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO

from vendorrisk.crypto import CannotOpen
from vendorrisk.db import vault
from vendorrisk.db.vault import Master
from vendorrisk.services.operating.backup_keys import BadBackup
from vendorrisk.storage import sealed

FORMAT = b"vendorrisk-backup-1\n"
_CONTEXT = "backup"
_LENGTH_BYTES = 4
_LONGEST = 1 << 28
_CHUNK = 256 * 1024


class Kind(IntEnum):
    """What a record is."""

    HEAD = 1
    TABLE = 2
    ROWS = 3
    FILE = 4
    BYTES = 5
    FILE_END = 6
    MANIFEST = 7


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `plain` reads those that are JSON."""

    kind: Kind
    content: bytes

    def plain(self) -> dict[str, Any]:
        """The content as JSON."""
        found: dict[str, Any] = json.loads(self.content)
        return found


def of_plain(kind: Kind, plain: dict[str, Any]) -> Record:
    """A record that is JSON."""
    return Record(kind, json.dumps(plain).encode())


def write(file: BinaryIO, master: Master, records: Iterable[Record]) -> None:
    """Seal the records into the file, as they come."""
    file.write(FORMAT)
    for chunk in sealed.seal_stream(vault.ROOT_KEY, _key(master), map(_packed, records), context=_CONTEXT):
        file.write(chunk)


def read(path: Path, master: Master) -> Iterator[Record]:
    """The records of a backup, in order. Raises BadBackup where one was changed, cut off or is not of this key."""
    try:
        with path.open("rb") as file:
            if file.read(len(FORMAT)) != FORMAT:
                raise BadBackup(f"{path} is not a backup of this program.")
            chunks = iter(lambda: file.read(_CHUNK), b"")
            yield from _unpacked(sealed.open_stream(vault.ROOT_KEY, _key(master), chunks, context=_CONTEXT))
    except OSError as error:
        raise BadBackup(f"{path} cannot be read: {error.strerror}.") from None
    except (CannotOpen, ValueError):
        raise BadBackup(f"{path} was damaged, cut off, or made with another key.") from None


def _key(master: Master) -> bytes:
    # Of the root, which outlives rotations; the stream's own salt makes it another key for each backup.
    return master.purpose("backups")


def _packed(record: Record) -> bytes:
    return bytes([record.kind]) + len(record.content).to_bytes(_LENGTH_BYTES, "big") + record.content


def _unpacked(chunks: Iterable[bytes]) -> Iterator[Record]:
    buffer = bytearray()
    head = 1 + _LENGTH_BYTES
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= head:
            length = int.from_bytes(buffer[1:head], "big")
            if length > _LONGEST:
                raise ValueError("a record that is longer than any can be")
            if len(buffer) < head + length:
                break
            yield Record(Kind(buffer[0]), bytes(buffer[head : head + length]))
            del buffer[: head + length]
    if buffer:
        raise ValueError("a record without its end")
