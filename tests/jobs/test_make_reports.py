"""Reports as work: made once, tried three times, parked when hopeless, and never in each other's way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from tests import builders
from tests.application import Clock
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Report, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, WorkState
from vendorrisk.jobs import make_reports
from vendorrisk.jobs.make_reports import LEASE, PAUSE, Workshop
from vendorrisk.reports.pdf import RenderFailed
from vendorrisk.services import work
from vendorrisk.services.reporting import reports
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import Storage


@pytest.fixture
def workshop(runtime: Runtime, clock: Clock) -> Workshop:
    return Workshop(runtime.database, runtime.storage, clock)


Renders = Callable[[Callable[[], None]], list[UUID]]


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> Renders:
    """Replaces the rendering: `renders(what)` does `what`, then notes the report as made."""

    def install(what: Callable[[], None]) -> list[UUID]:
        made: list[UUID] = []

        def make(database: Database, _storage: Storage, report_id: UUID, *, now: datetime) -> None:
            what()
            made.append(report_id)
            with database.writing() as session:
                work.finish(session.get_one(Report, report_id))

        monkeypatch.setattr(reports, "make", make)
        return made

    return install


def fail(error: Exception) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it


def ask(database: Database, now: datetime) -> UUID:
    with database.writing() as session:
        case = builders.add_assessment(session, status=AssessmentStatus.REVIEW)
        key_id = session.get_one(Vendor, case.vendor_id).key_id
        report = Report(
            id=uuid4(), reference=f"P-{uuid4().hex[:8]}", assessment_id=case.id, snapshot_hash="0" * 64,
            snapshot=vault.seal_json(session, key_id, {}, context="report.snapshot"), not_before=now, asked_at=now,
        )  # fmt: skip
        session.add(report)
        return report.id


def row(database: Database, report_id: UUID) -> Report:
    with database.reading() as session:
        return session.get_one(Report, report_id)


def test_a_report_is_made_once(workshop: Workshop, database: Database, clock: Clock, renders: Renders) -> None:
    made, report_id = renders(lambda: None), ask(database, clock.now)
    for _ in range(3):
        make_reports.make(workshop, report_id)
    assert made == [report_id]
    assert row(database, report_id).state is WorkState.DONE


def test_a_report_that_fails_three_times_is_parked_with_its_reason(
    workshop: Workshop, database: Database, clock: Clock, renders: Renders
) -> None:
    renders(fail(RenderFailed("The report was not ready after 30 seconds.")))
    report_id = ask(database, clock.now)
    for attempt in (1, 2, 3):
        make_reports.make(workshop, report_id)
        assert row(database, report_id).attempts == attempt
        clock.now += PAUSE
    make_reports.make(workshop, report_id)
    parked = row(database, report_id)
    assert (parked.state, parked.attempts) == (WorkState.FAILED, 3)
    assert parked.error == "The report was not ready after 30 seconds."
    with database.reading() as session:
        failed = session.scalars(select(Event).where(Event.kind == "report.failed")).all()
        assert [event.object_id for event in failed] == [parked.assessment_id]


def test_between_two_tries_lies_a_pause(workshop: Workshop, database: Database, clock: Clock, renders: Renders) -> None:
    renders(fail(RenderFailed("no")))
    report_id = ask(database, clock.now)
    make_reports.make(workshop, report_id)
    make_reports.make(workshop, report_id)
    assert row(database, report_id).attempts == 1


def test_what_our_own_mistakes_say_is_not_stored(
    workshop: Workshop, database: Database, clock: Clock, renders: Renders
) -> None:
    renders(fail(ValueError("Northwind Mail cannot be drawn")))
    report_id = ask(database, clock.now)
    make_reports.make(workshop, report_id)
    assert row(database, report_id).error == "Our own mistake: ValueError."


def test_a_report_whose_worker_was_killed_is_made_by_another(
    workshop: Workshop, database: Database, clock: Clock, renders: Renders
) -> None:
    made, report_id = renders(lambda: None), ask(database, clock.now)
    with database.writing() as session:
        work.lease(session, Report, report_id, lasting=LEASE, now=clock.now)
    make_reports.make(workshop, report_id)
    assert made == []
    clock.now += LEASE
    make_reports.make(workshop, report_id)
    assert made == [report_id]


def test_a_report_that_kills_its_worker_is_parked_after_three(
    workshop: Workshop, database: Database, clock: Clock, renders: Renders
) -> None:
    made, report_id = renders(lambda: None), ask(database, clock.now)
    for _ in range(3):
        with database.writing() as session:
            assert work.lease(session, Report, report_id, lasting=LEASE, now=clock.now)
        clock.now += LEASE
    make_reports.make(workshop, report_id)
    assert made == []
    assert row(database, report_id).state is WorkState.FAILED
    assert "stopped each time" in row(database, report_id).error


def test_a_report_of_an_erased_vendor_is_parked_and_the_next_one_made(
    workshop: Workshop, database: Database, clock: Clock, renders: Renders
) -> None:
    renders(fail(vault.Erased("gone")))
    erased = ask(database, clock.now)
    make_reports.make(workshop, erased)
    made, fine = renders(lambda: None), ask(database, clock.now)
    make_reports.make(workshop, fine)
    assert made == [fine]


def test_the_oldest_work_comes_first_and_only_what_is_due(database: Database, now: datetime) -> None:
    later, first, future = ask(database, now), ask(database, now - timedelta(hours=1)), ask(database, now + PAUSE)
    with database.reading() as session:
        assert list(work.due(session, Report, now=now)) == [first, later]
        assert list(work.due(session, Report, now=now + PAUSE)) == [first, later, future]
