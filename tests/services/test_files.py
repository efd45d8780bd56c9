"""Stored files: whoever dies between storing and committing, no file is left unknown and no row without its file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tests import builders
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence, Report, Request, StoredFile, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, FileState
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.errors import WrongState
from vendorrisk.reports import pdf
from vendorrisk.services import files
from vendorrisk.services.answering import checked_files, evidence
from vendorrisk.services.answering.checked_files import Checked
from vendorrisk.services.reporting import reports
from vendorrisk.storage import Storage, open_storage

NAME = "evidence-1"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "files"))


def on_disk(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").rglob("*") if path.is_file())


def ledger(database: Database) -> dict[str, FileState]:
    with database.reading() as session:
        return {row.name: row.state for row in session.scalars(select(StoredFile))}


def begin(database: Database, now: datetime, name: str = NAME) -> None:
    with database.writing() as session:
        files.begin(session, name, now=now)


def test_what_is_stored_and_never_kept_goes_when_its_lease_has_run_out(
    database: Database, storage: Storage, tmp_path: Path, now: datetime
) -> None:
    begin(database, now)
    storage.put(NAME, [b"sealed"])
    assert files.sweep(database, storage, now=now + files.LEASE / 2) == 0
    assert on_disk(tmp_path) == [NAME]
    assert files.sweep(database, storage, now=now + files.LEASE) == 1
    assert on_disk(tmp_path) == [] and ledger(database) == {}


def test_a_name_whose_file_was_never_stored_goes_too(database: Database, storage: Storage, now: datetime) -> None:
    begin(database, now)
    files.sweep(database, storage, now=now + files.LEASE)
    assert ledger(database) == {}


def test_what_is_kept_stays_until_it_is_dropped(
    database: Database, storage: Storage, tmp_path: Path, now: datetime
) -> None:
    begin(database, now)
    storage.put(NAME, [b"sealed"])
    with database.writing() as session:
        files.keep(session, NAME)
    assert files.sweep(database, storage, now=now + 9 * files.LEASE) == 0
    with database.writing() as session:
        files.drop(session, NAME)
    assert on_disk(tmp_path) == [NAME]
    assert files.sweep(database, storage, now=now) == 1
    assert on_disk(tmp_path) == [] and ledger(database) == {}


def test_who_is_too_slow_cannot_keep_it_any_more(database: Database, storage: Storage, now: datetime) -> None:
    begin(database, now)
    files.sweep(database, storage, now=now + files.LEASE)
    storage.put(NAME, [b"sealed"])
    with pytest.raises(WrongState, match="took too long"), database.writing() as session:
        files.keep(session, NAME)


def test_a_file_that_cannot_be_deleted_now_is_tried_again_and_holds_up_no_other(
    database: Database,
    storage: Storage,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    real = storage.delete
    for name in (NAME, "evidence-2"):
        begin(database, now, name)

    def sulk(name: str) -> None:
        if name == NAME:
            raise OSError("the bucket is away")
        real(name)

    with monkeypatch.context() as patched:
        patched.setattr(storage, "delete", sulk)
        assert files.sweep(database, storage, now=now + files.LEASE) == 1
    assert ledger(database) == {NAME: FileState.DOOMED}
    assert "could not be deleted" in caplog.text
    assert files.sweep(database, storage, now=now) == 1
    assert ledger(database) == {}


def test_many_files_are_swept_in_batches(database: Database, storage: Storage, now: datetime) -> None:
    with database.writing() as session:
        for number in range(files.BATCH + 5):
            files.begin(session, f"evidence-{number}", now=now)
    assert [files.sweep(database, storage, now=now + files.LEASE) for _ in range(3)] == [files.BATCH, 5, 0]


def checked(now: datetime, content: bytes = b"our words") -> Checked:
    return checked_files.check("Policy.txt", content, scanner=None, now=now)


def test_evidence_is_shown_only_once_its_file_is_stored(database: Database, storage: Storage, now: datetime) -> None:
    with database.writing() as session:
        request = builders.add_request(session)
        key_id = session.get_one(Vendor, request.vendor_id).key_id
        key = vault.data_key(session, key_id)
    file = checked(now)
    with database.writing() as session:
        evidence.reserve(session, request, file, now=now)
    evidence.store(storage, key_id, key, file)
    with database.reading() as session:
        assert evidence.of_request(session, request) == ()
    with database.writing() as session:
        question = builders.question_of(session, request, "remote_access")
        evidence.attach(session, request, key_id, question, file, by=SYSTEM, now=now)
    with database.reading() as session:
        assert [view.name for view in evidence.of_request(session, request)] == ["Policy.txt"]
        assert b"".join(evidence.open_file(session, storage, file.id)) == b"our words"
    assert ledger(database) == {file.storage_name: FileState.KEPT}


def test_an_upload_that_was_swept_leaves_no_row_of_evidence(
    database: Database, storage: Storage, now: datetime
) -> None:
    with database.writing() as session:
        request = builders.add_request(session)
        key_id = session.get_one(Vendor, request.vendor_id).key_id
    file = checked(now)
    with database.writing() as session:
        evidence.reserve(session, request, file, now=now)
    files.sweep(database, storage, now=now + files.LEASE)
    with pytest.raises(WrongState), database.writing() as session:
        question = builders.question_of(session, session.get_one(Request, request.id), "remote_access")
        evidence.attach(session, request, key_id, question, file, by=SYSTEM, now=now)
    with database.reading() as session:
        assert session.scalars(select(Evidence)).all() == []


def test_a_report_that_two_workers_made_leaves_one_file(
    database: Database, storage: Storage, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as session:
        case = builders.add_assessment(session, status=AssessmentStatus.READY)
        request = builders.add_request(session, case)
        asked = reports.ask(session, case.reference, organisation="Acme Ltd", by=SYSTEM, now=now)
        assert request.assessment_id == asked.assessment_id

    def overtaken(_snapshot: bytes) -> bytes:
        with database.writing() as session:
            session.get_one(Report, asked.id).attempts += 1
        return b"%PDF-1.7"

    monkeypatch.setattr(pdf, "render_snapshot", overtaken)
    reports.make(database, storage, asked.id, now=now)
    assert len(on_disk(tmp_path)) == 1
    files.sweep(database, storage, now=now + files.LEASE)
    assert on_disk(tmp_path) == [] and ledger(database) == {}
    monkeypatch.setattr(pdf, "render_snapshot", lambda _snapshot: b"%PDF-1.7")
    reports.make(database, storage, asked.id, now=now)
    files.sweep(database, storage, now=now + files.LEASE)
    with database.reading() as session:
        assert on_disk(tmp_path) == [session.get_one(Report, asked.id).storage_name]
