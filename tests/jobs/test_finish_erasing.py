"""What an erasing left behind is found and finished: in the backups' keyring, and in the database's log."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests import builders, erasing
from tests.application import Clock
from tests.databases import MASTER, ON_SQLITE
from tests.jobs.test_runner import eventually
from vendorrisk import jobs
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.jobs.finish_erasing import Finisher
from vendorrisk.mail.transports import MemoryTransport
from vendorrisk.services.operating import backup_keys, backups, erasure
from vendorrisk.services.runtime import Runtime


@dataclass(frozen=True)
class Left:
    """A vendor that was erased by a process that was killed before it could sweep."""

    key_id: UUID
    wrapped: bytes
    folder: Path

    def is_in_keyring(self) -> bool:
        """Whether a backup can still be read with its key."""
        held = backup_keys.read(self.folder / backup_keys.NAME, [MASTER]).keys
        return self.key_id in {key.id for key in held}


@pytest.fixture
def left(runtime: Runtime, now: datetime, tmp_path: Path) -> Left:
    database, folder = runtime.database, tmp_path / "backups"
    with database.writing() as session:
        vendor = builders.add_vendor(session, "Gone")
        builders.add_vendor(session, "Kept")
        reference, key_id = vendor.reference, vendor.key_id
        wrapped = session.get_one(DataKey, key_id).wrapped
        assert wrapped is not None
    backups.make(database, runtime.storage, folder, by=SYSTEM, now=now)
    with database.writing() as session:
        # So that the row is in the log again, which the backup has cut off.
        session.get_one(DataKey, key_id).created_at += timedelta(1)
    with database.writing() as session:
        erasure.erase(session, reference, erasing.REASON, by=SYSTEM, now=now)
    return Left(key_id, wrapped, folder)


def log_of(database: Database) -> Path:
    return Path(f"{database.engine.url.database}-wal")


def test_a_service_that_starts_takes_the_key_out_of_the_keyring(runtime: Runtime, left: Left, clock: Clock) -> None:
    assert left.is_in_keyring()
    settings = replace(runtime.settings, backups=left.folder)
    stop = jobs.start(replace(runtime, settings=settings), clock=clock, transport=MemoryTransport())
    eventually(lambda: not left.is_in_keyring())
    stop()


@ON_SQLITE
def test_a_service_that_starts_cuts_the_log_off(runtime: Runtime, left: Left, clock: Clock) -> None:
    log = log_of(runtime.database)
    assert left.wrapped in log.read_bytes()
    stop = jobs.start(runtime, clock=clock, transport=MemoryTransport())
    eventually(lambda: left.wrapped not in log.read_bytes())
    stop()


@ON_SQLITE
def test_a_log_that_a_reader_held_up_is_cut_at_the_next_round_and_only_once(
    runtime: Runtime, left: Left, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    finisher = Finisher(runtime.database, None, clock)
    with runtime.database.reading() as session:
        session.get_one(DataKey, left.key_id)
        monkeypatch.setattr(Database, "forget_log", lambda _: False)  # what it says after five seconds
        finisher.round()
    assert left.wrapped in log_of(runtime.database).read_bytes()
    monkeypatch.undo()
    finisher.round()
    assert left.wrapped not in log_of(runtime.database).read_bytes()
    monkeypatch.setattr(Database, "forget_log", lambda _: pytest.fail("nothing was erased since"))
    finisher.round()


def test_a_backup_disk_that_comes_back_is_seen_to(
    runtime: Runtime, left: Left, clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = left.folder.rename(left.folder.with_name("unmounted"))
    finisher = Finisher(runtime.database, left.folder, clock)
    finisher.round()
    away.rename(left.folder)
    with monkeypatch.context() as full, caplog.at_level(logging.WARNING):
        full.setattr(backup_keys, "_overwrite", lambda *_: Path("/").mkdir())
        finisher.round()
    assert left.is_in_keyring() and "could not be written anew" in caplog.text
    finisher.round()
    assert not left.is_in_keyring()


def test_a_keyring_with_nothing_to_take_out_is_left_as_it_is_and_read_once(
    runtime: Runtime, left: Left, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    finisher = Finisher(runtime.database, left.folder, clock)
    finisher.round()
    path = left.folder / backup_keys.NAME
    before = path.read_bytes()
    finisher.round()
    monkeypatch.setattr(backup_keys, "_read", lambda _: pytest.fail("it was read before"))
    finisher.round()
    assert path.read_bytes() == before


def test_a_file_that_is_no_keyring_is_said_and_left(
    runtime: Runtime, left: Left, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (left.folder / backup_keys.NAME).write_text("[]")
    with caplog.at_level(logging.WARNING):
        Finisher(runtime.database, left.folder, clock).round()
    assert "is not a keyring" in caplog.text and (left.folder / backup_keys.NAME).read_text() == "[]"
