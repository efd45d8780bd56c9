"""Making a backup: everything at one moment, sealed, for its owner only, and without the keys."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, inspect, select, text

from tests import builders
from tests.databases import ON_POSTGRES
from tests.erasing import Full
from tests.services.backups.backing_up import make, restore
from vendorrisk.db import dump, migrate, schema, vault
from vendorrisk.db.base import Base
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey, Event, Evidence
from vendorrisk.services import audit
from vendorrisk.services.operating import archive, backups
from vendorrisk.services.operating.backup_keys import BadBackup
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import Storage


def test_every_column_of_every_table_has_a_kind() -> None:
    assert {shape.name for shape in dump.shapes()} == set(Base.metadata.tables)
    for shape in dump.shapes():
        assert len(shape.clause().columns) == len(Base.metadata.tables[shape.name].columns)


def test_the_tables_of_a_revision_are_the_ones_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = schema.newest()
    monkeypatch.setattr(schema, "newest", lambda: "9999")
    drawn = {shape.name: dict(shape.columns) for shape in dump.shapes_at(newest)}
    assert drawn == {shape.name: dict(shape.columns) for shape in dump.shapes()}


def test_it_sees_one_moment_while_others_write(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    real = dump.read
    written: list[str] = []

    def meanwhile(*given: object, **more: object) -> Iterator[list[bytes]]:
        yield from real(*given, **more)  # type: ignore[arg-type]
        if not written:
            with runtime.database.writing() as session:
                written.append(builders.add_vendor(session, "Too late").reference)

    monkeypatch.setattr(dump, "read", meanwhile)
    made = make(runtime, folder, now)
    monkeypatch.undo()
    assert written and made.summary.tables["vendors"] == 1
    assert restore(made, empty_url, elsewhere, now).erased == ()


def test_files_are_ones_own_and_nothing_else_is_left_in_the_folder(
    runtime: Runtime, full: Full, folder: Path, now: datetime
) -> None:
    made = make(runtime, folder, now)
    assert {path.name for path in folder.iterdir()} == {made.path.name, "keyring"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    with pytest.raises(BadBackup, match="is there already"):
        make(runtime, folder, now)
    assert {path.name for path in folder.iterdir()} == {made.path.name, "keyring"}


def test_no_backup_holds_a_wrapped_key(runtime: Runtime, full: Full, folder: Path, now: datetime) -> None:
    made = make(runtime, folder, now)
    with runtime.database.reading() as session:
        wrapped = [value for value in session.scalars(select(DataKey.wrapped)) if value]
        master = runtime.database.master
    found = b"".join(record.content for record in archive.read(made.path, master))
    assert len(wrapped) == 3 and b"trail_events" in found
    assert not any(dump._base64(value).encode() in found or value in found for value in wrapped)
    assert "wrapped" in {
        each.name for table in Base.metadata.tables.values() for each in table.columns
        if isinstance(each.type, LargeBinary) and table.name in backups.WITHOUT
    }  # fmt: skip


def test_a_lost_file_is_said_and_does_not_stop_the_backup(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    with runtime.database.reading() as session:
        name = session.scalars(select(Evidence.storage_name)).one()
    runtime.storage.delete(name)
    made = make(runtime, folder, now)
    assert made.summary.missing == (name,)
    assert restore(made, empty_url, elsewhere, now).summary.missing == (name,)


@ON_POSTGRES
def test_nothing_is_backed_up_while_somebody_migrates(
    runtime: Runtime, full: Full, folder: Path, database_url: str, now: datetime
) -> None:
    with (
        migrate._connected(database_url),
        pytest.raises(BadBackup, match="is being migrated just now"),
    ):
        make(runtime, folder, now)
    assert list(folder.iterdir()) == []
    assert make(runtime, folder, now).summary.tables["vendors"] == 1


@ON_POSTGRES
def test_the_snapshot_of_postgresql_is_read_only(database: Database) -> None:
    with database.snapshot() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute(text("DELETE FROM index_terms"))
    with database.writing() as session:
        builders.add_vendor(session)
    assert inspect(database.engine).has_table("vendors")


def test_a_trail_event_says_that_it_was_made(runtime: Runtime, full: Full, folder: Path, now: datetime) -> None:
    made = make(runtime, folder, now)
    with runtime.database.reading() as session:
        (event,) = session.scalars(select(Event).where(Event.kind == "backup.made"))
        assert vault.open_json(session, event.details, context=audit.CONTEXT)["file"] == made.path.name
