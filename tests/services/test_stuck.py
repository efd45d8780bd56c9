"""What is stuck: letters and reports that failed, wait for another try, or that no worker takes; in few statements."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests import builders, staff_side, statements
from tests.stuck_work import put, put_off, refused, report
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, DataKey, Vendor
from vendorrisk.domain.assessment import WorkState
from vendorrisk.services import work
from vendorrisk.services.letters import outbox, stuck
from vendorrisk.services.letters.stuck import Counts


def ids(session: Session, now: datetime) -> list[UUID]:
    return [each.id for each in stuck.listed(session, 1, now=now).items]


def test_what_goes_well_is_not_stuck(session: Session, now: datetime) -> None:
    put(session, now)
    report(session, now)
    assert ids(session, now + timedelta(minutes=1)) == []
    assert stuck.counts(session) == Counts(0, 0, 0)


def test_failures_stand_before_what_is_tried_again(session: Session, now: datetime) -> None:
    later, gone, broken = put_off(session, now), refused(session, now), report(session, now, failed=True)
    assert stuck.counts(session) == Counts(letters=1, reports=1, waiting=1)
    shown = stuck.listed(session, 1, now=now).items
    assert {each.id for each in shown[:2]} == {gone.id, broken.id}
    assert [each.is_letter for each in shown if each.id == broken.id] == [False]
    last = shown[2]
    assert (last.id, last.error, last.attempts, last.next_try) == (later.id, "451 later", 1, now + timedelta(minutes=1))
    assert not last.is_stalled and last.can_retry and last.to == "dana@northwind.example"


def test_what_no_worker_takes_is_stuck_after_five_minutes(session: Session, now: datetime) -> None:
    lying, held = put(session, now), put(session, now)
    assert outbox.take(session, held.id, now=now)
    assert ids(session, now + timedelta(minutes=4)) == []
    shown = stuck.listed(session, 1, now=now + timedelta(minutes=9)).items
    assert {each.id for each in shown} == {lying.id, held.id}
    assert all(each.is_stalled and not each.can_retry for each in shown)


def test_a_failed_report_stops_nagging_once_a_newer_one_was_asked_for(session: Session, now: datetime) -> None:
    failed = report(session, now, failed=True)
    assert stuck.counts(session).reports == 1
    report(session, now + timedelta(hours=1), session.get_one(Assessment, failed.assessment_id))
    assert stuck.counts(session).reports == 0
    assert failed.id not in ids(session, now)


def test_letters_of_an_erased_vendor_do_not_break_the_page(session: Session, now: datetime) -> None:
    petra = builders.add_user(session)
    sent = staff_side.send(session, staff_side.ready(session, petra), petra)
    staff_side.refuse_letters(session, sent)
    vendor = session.get_one(Vendor, sent.request.vendor_id)
    session.get_one(DataKey, vendor.key_id).wrapped = None
    session.flush()
    vault.keyring(session).unwrapped.pop(vendor.key_id)
    (shown,) = stuck.listed(session, 1, now=now).items
    assert (shown.to, shown.vendor, shown.request) == ("(erased)", "(erased)", sent.request.reference)


def test_a_long_list_is_cut_into_pages_and_takes_few_statements(database: Database, now: datetime) -> None:
    with database.writing() as session:
        petra = builders.add_user(session)
        for number in range(15):
            case = staff_side.ready(session, petra, f"Vendor {number}")
            staff_side.refuse_letters(session, staff_side.send(session, case, petra))
            report(session, now, case, failed=True)
    with statements.sent(database) as seen, database.reading() as session:
        first = stuck.listed(session, 1, now=now)
        assert (first.total, len(first.items), first.pages) == (30, 25, 2)
        assert all(each.vendor.startswith("Vendor ") for each in first.items)
    assert len(seen) <= 6, seen
    with database.reading() as session:
        assert len(stuck.listed(session, 2, now=now).items) == 5


@pytest.mark.parametrize("state", [WorkState.QUEUED, WorkState.RUNNING, WorkState.DONE])
def test_a_letter_that_has_not_failed_cannot_be_tried_again(session: Session, now: datetime, state: WorkState) -> None:
    row = put(session, now)
    row.state = state
    assert not work.may_start_again(row)
    assert work.may_start_again(put_off(session, now)) and work.may_start_again(refused(session, now))
