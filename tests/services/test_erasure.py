"""Erasing a vendor: its key is gone from everywhere, its links lead nowhere, and what is left says so."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests import builders, trail_side
from tests.databases import MASTER, ON_SQLITE
from tests.erasing import REASON, Full
from vendorrisk.db import vault
from vendorrisk.db.models import (
    DataKey,
    Event,
    Evidence,
    IndexTerm,
    Invitation,
    Letter,
    Report,
    Request,
    RespondentSession,
    User,
    Vendor,
)
from vendorrisk.domain.assessment import RequestStatus, WorkState
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.errors import InvalidAnswer, NotFound, WrongState
from vendorrisk.mail.messages import Message
from vendorrisk.services import audit, work
from vendorrisk.services.answering import sittings
from vendorrisk.services.casework import home, vendor_search, vendors
from vendorrisk.services.casework.vendor_search import Filters
from vendorrisk.services.letters import outbox, stuck
from vendorrisk.services.operating import backup_keys, backups, erasure
from vendorrisk.services.runtime import Runtime
from vendorrisk.services.sending import invitations


def erase(runtime: Runtime, reference: str, now: datetime) -> list[str]:
    """Erase, as the page does."""
    with runtime.database.writing() as session:
        erasure.erase(session, reference, REASON, by=SYSTEM, now=now)
    return erasure.sweep(runtime, now=now)


def stored(runtime: Runtime) -> list[Path]:
    """The files in the storage."""
    return [path for path in Path(runtime.settings.storage).rglob("*") if path.is_file()]


def test_the_page_before_says_how_much_would_be_lost(runtime: Runtime, full: Full) -> None:
    with runtime.database.reading() as session:
        found = erasure.extent(session, vendors.get(session, full.vendor))
    assert found == erasure.Extent(assessments=2, open_requests=1, files=1, reports=1)


def test_the_key_the_files_and_the_index_are_gone(runtime: Runtime, full: Full, now: datetime) -> None:
    assert len(stored(runtime)) == 2
    assert erase(runtime, full.vendor, now) == []
    assert stored(runtime) == []
    with runtime.database.reading() as session:
        vendor = vendors.get(session, full.vendor)
        key = session.get_one(DataKey, vendor.key_id)
        assert (key.wrapped, key.destroyed_at, vendor.erased_at) == (None, now, now)
        assert session.scalar(select(func.count()).select_from(IndexTerm)) == 0
        assert vendor_search.page(session, Filters(search="Northwind"), 1).items == ()
        assert session.scalars(select(Report.storage_name)).all() == [None]
        assert None not in session.scalars(select(Evidence.removed_at)).all()
        assert session.scalars(select(Evidence.sha256)).all() == [None]
        for opened in (vendors.view, vendors.name_of):
            with pytest.raises(vault.Erased):
                opened(session, vendor)


def test_another_vendor_is_left_alone(runtime: Runtime, full: Full, now: datetime) -> None:
    with runtime.database.writing() as session:
        other = builders.add_request(session, status=RequestStatus.OPEN)
        link, vendor_id = builders.add_link(session, other), other.vendor_id
    erase(runtime, full.vendor, now)
    with runtime.database.reading() as session:
        vendor = session.get_one(Vendor, vendor_id)
        assert vendors.name_of(session, vendor) and vendor.erased_at is None
        assert invitations.find(session, link, now=now) is not None
        assert session.scalar(select(func.count()).select_from(IndexTerm)) or 0 > 0


def test_links_and_browsers_lead_nowhere_and_nobody_gets_a_fresh_link(
    runtime: Runtime, full: Full, now: datetime
) -> None:
    with runtime.database.writing() as session:
        link = invitations.find(session, full.link, now=now)
        assert link is not None
        cookie = sittings.start(session, link, now=now)
    erase(runtime, full.vendor, now)
    with runtime.database.writing() as session:
        assert invitations.find(session, full.link, now=now) is None
        with pytest.raises(NotFound):
            sittings.find(session, full.open_request, cookie, now=now)
        before = session.scalar(select(func.count()).select_from(Letter))
        for asked in ({"token": full.link, "reference": ""}, {"token": "", "reference": full.open_request}):
            invitations.send_fresh(session, **asked, settings=runtime.settings, now=now)
        assert session.scalar(select(func.count()).select_from(Letter)) == before
        assert None not in session.scalars(select(Invitation.revoked_at)).all()
        assert None not in session.scalars(select(RespondentSession.ended_at)).all()
        statuses = session.scalars(select(Request.status).order_by(Request.reference)).all()
        assert RequestStatus.OPEN not in statuses and RequestStatus.WITHDRAWN in statuses


def test_letters_and_reports_that_waited_are_given_up_and_not_shown_as_undelivered(
    runtime: Runtime, full: Full, now: datetime
) -> None:
    with runtime.database.writing() as session:
        request = session.scalars(select(Request).where(Request.reference == full.request)).one()
        session.scalars(select(Report)).one().state = WorkState.QUEUED
        vendor = vendors.get(session, full.vendor)
        message = Message("dana@vendor.example", "Dana", "", "Hello", "Hello", "<p>Hello</p>")
        outbox.put(session, message, kind="receipt", now=now, key_id=vendor.key_id, request_id=request.id)
    erase(runtime, full.vendor, now)
    with runtime.database.reading() as session:
        given_up = [(WorkState.FAILED, "The vendor was erased.")]
        assert session.execute(select(Letter.state, Letter.error)).all() == given_up
        assert session.execute(select(Report.state, Report.error)).all() == given_up
        assert [*work.due(session, Letter, now=now), *work.due(session, Report, now=now)] == []
        assert stuck.counts(session).failed == 0 and stuck.listed(session, 1, now=now).total == 0
        assert home.show(session, now=now).groups == ()


def test_what_the_mail_server_said_of_the_vendor_is_gone(runtime: Runtime, full: Full, now: datetime) -> None:
    with runtime.database.writing() as session:
        vendor = vendors.get(session, full.vendor)
        request = session.scalars(select(Request).where(Request.reference == full.request)).one()
        message = Message("dana@vendor.example", "Dana", "", "Hello", "Hello", "<p>Hello</p>")
        letter = outbox.put(session, message, kind="receipt", now=now, key_id=vendor.key_id, request_id=request.id)
        parcel = outbox.take(session, letter.id, now=now)
        assert parcel is not None
        outbox.refused(session, parcel, "550 5.7.1 host vendor-example.mail.example said: no", now=now)
    erase(runtime, full.vendor, now)
    with runtime.database.reading() as session:
        left = session.execute(select(Letter.state, Letter.error, Letter.said)).one()
        assert tuple(left) == (WorkState.FAILED, "", None)


def test_a_letter_that_is_under_way_meanwhile_ends_without_naming_anybody(
    runtime: Runtime, full: Full, now: datetime
) -> None:
    with runtime.database.writing() as session:
        vendor = vendors.get(session, full.vendor)
        request = session.scalars(select(Request).where(Request.reference == full.request)).one()
        message = Message("dana@vendor.example", "Dana", "", "Hello", "Hello", "<p>Hello</p>")
        letter = outbox.put(session, message, kind="receipt", now=now, key_id=vendor.key_id, request_id=request.id)
        parcel = outbox.take(session, letter.id, now=now)
        assert parcel is not None
    erase(runtime, full.vendor, now)
    with runtime.database.writing() as session:
        outbox.delivered(session, parcel, now=now)
    with runtime.database.reading() as session:
        (event,) = session.scalars(select(Event).where(Event.kind == "letter.sent"))
        assert "dana" not in str(vault.open_json(session, event.details, context=audit.CONTEXT)).lower()


def test_when_and_why_can_still_be_read_and_the_trail_is_whole(
    runtime: Runtime, full: Full, petra: User, now: datetime
) -> None:
    with runtime.database.writing() as session:
        erasure.erase(session, full.vendor, f"  {REASON}\n", by=builders.actor(petra), now=now)
    with runtime.database.reading() as session:
        found = erasure.of_vendor(session, vendors.get(session, full.vendor))
        assert found == erasure.Erasure(now, "Petra Novak", REASON)
        events = session.scalars(select(Event).where(Event.kind == "vendor.erased")).all()
        assert sorted(event.object_kind for event in events) == ["assessment", "assessment", "vendor"]
    assert trail_side.check(runtime.database) == []


@pytest.mark.parametrize(("reason", "error"), [("because", InvalidAnswer), ("x" * 501, InvalidAnswer)])
def test_a_reason_is_needed(runtime: Runtime, full: Full, now: datetime, reason: str, error: type[Exception]) -> None:
    with pytest.raises(error), runtime.database.writing() as session:
        erasure.erase(session, full.vendor, reason, by=SYSTEM, now=now)
    with runtime.database.reading() as session:
        assert vendors.view(session, vendors.get(session, full.vendor)).name == "Northwind Mail"


def test_twice_is_refused(runtime: Runtime, full: Full, now: datetime) -> None:
    erase(runtime, full.vendor, now)
    with pytest.raises(WrongState, match="erased before"):
        erase(runtime, full.vendor, now)


@ON_SQLITE
def test_the_wrapped_key_is_left_in_neither_database_nor_log(runtime: Runtime, full: Full, now: datetime) -> None:
    path = Path(str(runtime.database.engine.url.database))
    with runtime.database.reading() as session:
        wrapped = session.get_one(DataKey, vendors.get(session, full.vendor).key_id).wrapped
    assert wrapped is not None
    files = [path, Path(f"{path}-wal")]
    assert any(wrapped in each.read_bytes() for each in files)
    assert erase(runtime, full.vendor, now) == []
    assert not any(wrapped in each.read_bytes() for each in files)


@ON_SQLITE
def test_a_reader_that_holds_the_log_up_is_said(runtime: Runtime, full: Full, now: datetime) -> None:
    with runtime.database.reading() as session:
        vendors.get(session, full.vendor)
        (said,) = erase(runtime, full.vendor, now)
    assert "log still holds" in said
    assert runtime.database.forget_log()


def test_the_keyring_of_the_backups_is_written_anew(
    runtime: Runtime, full: Full, now: datetime, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with runtime.database.reading() as session:
        key_id = vendors.get(session, full.vendor).key_id
        backup_keys.write(session, folder, now=now)
    backing_up = replace(runtime, settings=replace(runtime.settings, backups=folder))
    assert key_id in {key.id for key in backup_keys.read(folder / "keyring", [MASTER]).keys}
    assert erase(backing_up, full.vendor, now) == []
    assert key_id not in {key.id for key in backup_keys.read(folder / "keyring", [MASTER]).keys}


def test_a_keyring_that_is_out_of_reach_is_said(runtime: Runtime, full: Full, now: datetime, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    backups.make(runtime.database, runtime.storage, folder, by=SYSTEM, now=now)
    backing_up = replace(runtime, settings=replace(runtime.settings, backups=tmp_path / "unmounted"))
    (said,) = erase(backing_up, full.vendor, now)
    assert "there is no keyring in" in said and "can still be read from a backup" in said
    (said,) = erasure.sweep(runtime, now=now)
    assert "VENDORRISK_BACKUPS is not set here" in said and "backup FOLDER" in said


def test_nobody_is_erased_while_a_keyring_is_being_written(
    runtime: Runtime, full: Full, now: datetime, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backing_up = replace(runtime, settings=replace(runtime.settings, backups=folder))
    erasing_it = threading.Thread(target=erase, args=(backing_up, full.vendor, now))
    with runtime.database.writing() as session:
        key_id = vendors.get(session, full.vendor).key_id
        backup_keys.write(session, folder, now=now)
        erasing_it.start()
        erasing_it.join(1)
        with runtime.database.reading() as other:
            assert vault.is_alive(other, key_id), "it waits"
    erasing_it.join(10)
    assert key_id not in {key.id for key in backup_keys.read(folder / "keyring", [MASTER]).keys}
