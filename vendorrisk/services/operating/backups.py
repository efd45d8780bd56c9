"""Backups: everything at one moment, while the service runs, in one sealed file; and checking such a file.

Called by the commands `backup` and `restore`. The data keys are left out; backup_keys says why and where they are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, String, column, func, select

import vendorrisk
from vendorrisk import private_files
from vendorrisk.db import dump, migrate, schema, vault
from vendorrisk.db.dump import Shape, Tally
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Link
from vendorrisk.db.vault import Master
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.services import audit
from vendorrisk.services.operating import archive, backup_keys
from vendorrisk.services.operating.archive import Kind, Record
from vendorrisk.services.operating.backup_keys import BadBackup
from vendorrisk.storage import Missing, Storage

ENDING = ".backup"
WITHOUT = {"data_keys": frozenset({"wrapped"})}
"""Columns that no backup holds, by table."""
_STORED = "storage_name"
_REMOVED = "removed_at"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds: when it was made and by which version, rows by table, stored files."""

    made: datetime
    version: str
    revision: str
    tables: dict[str, int]
    files: int
    file_bytes: int
    missing: tuple[str, ...]
    trail_events: int
    trail_head: str


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made and checked."""

    path: Path
    size: int
    keys: int
    summary: Summary


def make(database: Database, storage: Storage, folder: Path, *, by: Actor, now: datetime) -> Made:
    """Write a backup and the keyring into `folder`, and read the backup back. Raises BadBackup."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup_keys.check_ours(folder, database.master)
    path = folder / f"vendorrisk-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{ENDING}"
    draft = path.with_name(f".{path.name}.part")
    try:
        _write(database, storage, draft, now=now)
        summary = check(draft, database.master)
        try:
            os.link(draft, path)  # never over another backup
            private_files.sync_folder(folder)
        except FileExistsError:
            raise BadBackup(f"{path} is there already; there is one backup a second at most.") from None
    finally:
        draft.unlink(missing_ok=True)
    size = path.stat().st_size
    with database.writing() as session:
        # After the moment of the backup: it holds the keys of all that is in it, but for what was erased meanwhile.
        keys = backup_keys.write(session, folder, now=now)
        audit.record(
            session, EventKind.BACKUP_MADE, object_kind="backup", object_id=vault.ROOT_KEY, by=by, now=now,
            details={"file": path.name, "size": size, "files": summary.files, "rows": sum(summary.tables.values())},
        )  # fmt: skip
    database.forget_log()
    return Made(path, size, keys, summary)


def _write(database: Database, storage: Storage, draft: Path, *, now: datetime) -> None:
    draft.unlink(missing_ok=True)  # of one that was killed
    with private_files.create(draft) as file, database.snapshot() as connection:
        if not migrate.hold_off(connection):
            raise BadBackup("The database is being migrated just now. Try again when that is done.")
        archive.write(file, database.master, _records(connection, storage, now=now))
        private_files.sync(file)


def _records(connection: Connection, storage: Storage, *, now: datetime) -> Iterator[Record]:
    revision = schema.current(connection)
    assert revision is not None, "without tables there were no keys to open the database with"
    shapes, tallies = dump.shapes_at(revision), {}
    head = {"made": now.astimezone(UTC).isoformat(), "version": vendorrisk.__version__, "revision": revision}
    yield archive.of_plain(Kind.HEAD, head)
    for shape in shapes:
        tally = tallies[shape.name] = Tally()
        yield archive.of_plain(Kind.TABLE, {"name": shape.name, "columns": shape.columns, "serial": shape.serial})
        for lines in dump.read(connection, shape, without=WITHOUT.get(shape.name, frozenset())):
            tally.add(lines)
            yield Record(Kind.ROWS, b"\n".join(lines))
    files = Files()
    for name in _stored(connection, shapes):
        yield from _file(storage, name, files)
    tables = {name: tally.plain() for name, tally in tallies.items()}
    manifest = {"tables": tables, "files": files.plain(), "missing": files.missing, "trail": _trail(connection)}
    yield archive.of_plain(Kind.MANIFEST, manifest)


def _stored(connection: Connection, shapes: Iterable[Shape]) -> list[str]:
    """The names of all stored files that rows point to, and that were not taken back."""
    found: list[str] = []
    for shape in shapes:
        names = {name for name, _ in shape.columns}
        if _STORED in names:
            there = column(_REMOVED).is_(None) if _REMOVED in names else column(_STORED).is_not(None)
            stored = column(_STORED, String)
            found += connection.scalars(select(stored).select_from(shape.clause()).where(stored.is_not(None), there))
    return found


@dataclass(slots=True)
class Files:
    """The stored files that went by, with one hash over all; and the names of those that are not there."""

    tally: Tally
    bytes: int
    missing: list[str]

    def __init__(self) -> None:
        self.tally, self.bytes, self.missing = Tally(), 0, []

    def add(self, name: str, size: int, digest: str) -> None:
        """Count a file."""
        self.tally.add([f"{name} {size} {digest}".encode()])
        self.bytes += size

    def plain(self) -> dict[str, Any]:
        """For the manifest."""
        return {**self.tally.plain(), "bytes": self.bytes}


def _file(storage: Storage, name: str, files: Files) -> Iterator[Record]:
    try:
        chunks = storage.get(name)
    except Missing:
        # Taken back or erased since the moment of the backup, or lost: the manifest says so, people are told.
        files.missing.append(name)
        return
    yield archive.of_plain(Kind.FILE, {"name": name})
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
        yield Record(Kind.BYTES, chunk)
    files.add(name, size, digest.hexdigest())
    yield archive.of_plain(Kind.FILE_END, {"size": size, "sha256": digest.hexdigest()})


def _trail(connection: Connection) -> dict[str, Any]:
    events = connection.scalar(select(func.count()).select_from(Event)) or 0
    head = connection.scalar(select(Link.chain).order_by(Link.position.desc()).limit(1))
    return {"events": events, "head": head.hex() if head else ""}


def check(path: Path, master: Master) -> Summary:
    """Read a whole backup and compare it with its manifest: counts, rows, files. Raises BadBackup."""
    head: dict[str, Any] = {}
    tallies: dict[str, Tally] = {}
    files, name, digest, size = Files(), "", hashlib.sha256(), 0
    for record in archive.read(path, master):
        match record.kind:
            case Kind.HEAD:
                head = record.plain()
            case Kind.TABLE:
                name = record.plain()["name"]
                tallies[name] = Tally()
            case Kind.ROWS:
                tallies[name].add(record.content.split(b"\n"))
            case Kind.FILE:
                name, digest, size = record.plain()["name"], hashlib.sha256(), 0
            case Kind.BYTES:
                digest.update(record.content)
                size += len(record.content)
            case Kind.FILE_END:
                files.add(name, size, digest.hexdigest())
            case Kind.MANIFEST:
                return _compared(path, head, tallies, files, record.plain())
    raise BadBackup(f"{path} ends before its manifest.")


def _compared(
    path: Path, head: dict[str, Any], tallies: dict[str, Tally], files: Files, manifest: dict[str, Any]
) -> Summary:
    found = {name: tally.plain() for name, tally in tallies.items()}
    differing = sorted(
        name for name in {*found, *manifest["tables"]} if found.get(name) != manifest["tables"].get(name)
    )
    if files.plain() != manifest["files"]:
        differing.append("files")
    if differing:
        raise BadBackup(f"{path} does not hold what its manifest says: {', '.join(differing)}.")
    return Summary(
        made=datetime.fromisoformat(head["made"]), version=head["version"], revision=head["revision"],
        tables={name: tally.rows for name, tally in tallies.items()}, files=files.tally.rows, file_bytes=files.bytes,
        missing=tuple(manifest["missing"]), trail_events=manifest["trail"]["events"],
        trail_head=manifest["trail"]["head"],
    )  # fmt: skip
