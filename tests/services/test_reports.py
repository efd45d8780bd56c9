"""Reports: asked for once, made once, kept sealed, read with a note in the trail."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, trail_side
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Event, Report, Request
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus, WorkState
from vendorrisk.domain.audit import SYSTEM, Actor, ActorKind, EventKind
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.reports import pdf, snapshots, view
from vendorrisk.services import audit
from vendorrisk.services.auditing import sealing
from vendorrisk.services.reporting import reports
from vendorrisk.storage import Storage, open_storage

AUDREY = Actor(ActorKind.STAFF, "audrey", "Audrey Finch")
PDF = b"%PDF-1.7 a report, as far as these tests are concerned"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """An empty folder."""
    return open_storage(str(tmp_path / "files"))


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was rendered; the rendering itself is left out (tests/reports has it)."""
    seen: list[bytes] = []

    def render(kept: bytes) -> bytes:
        seen.append(kept)
        return PDF

    monkeypatch.setattr(pdf, "render_snapshot", render)
    return seen


def add_case(session: Session) -> Assessment:
    """A case whose answers are in."""
    request = builders.add_request(session, status=RequestStatus.SUBMITTED)
    builders.add_answer(session, request, "remote_access", "managed", comment="Only with a ticket")
    return session.get_one(Assessment, request.assessment_id)


def ask(session: Session, case: Assessment, now: datetime) -> Report:
    """Petra asks for the report."""
    return reports.ask(session, case.reference, organisation="Acme Ltd", by=AUDREY, now=now)


def snapshot(session: Session, report: Report) -> view.Report:
    """What the report says."""
    return snapshots.from_plain(vault.open_json(session, report.snapshot, context="report.snapshot"))


def events(session: Session, case: Assessment) -> Counter[str]:
    """The kinds of event about reports."""
    kinds = session.scalars(select(Event.kind).where(Event.object_id == case.id))
    return Counter(kind for kind in kinds if kind.startswith("report."))


def test_the_snapshot_says_what_the_database_says(session: Session, now: datetime) -> None:
    case = add_case(session)
    said = snapshot(session, ask(session, case, now))
    request = session.scalars(select(Request).where(Request.assessment_id == case.id)).one()
    assert (said.assessment, said.request, said.organisation) == (case.reference, request.reference, "Acme Ltd")
    assert said.service == "Mailing service for members"
    assert said.result.inherent == "64.0"
    answer = said.answers[0].sections[0].answers[0]
    assert (answer.comment, answer.origin, answer.by) == ("Only with a ticket", "The vendor", SYSTEM.name)
    assert said.themes[0].digest == request.copies[0]
    assert any(event.kind == "saved an answer" for event in said.trail.events)
    assert len(said.trail.head) == 64


def test_nothing_in_the_row_names_anybody(session: Session, now: datetime) -> None:
    report = ask(session, add_case(session), now)
    assert b"Mailing" not in report.snapshot


def test_asking_twice_gives_the_same_report(session: Session, now: datetime) -> None:
    case = add_case(session)
    first = ask(session, case, now)
    assert ask(session, case, now + timedelta(minutes=5)).id == first.id
    assert events(session, case) == {"report.asked": 1}


def test_a_changed_answer_gives_another_report(session: Session, now: datetime) -> None:
    case = add_case(session)
    first = ask(session, case, now)
    request = session.scalars(select(Request).where(Request.assessment_id == case.id)).one()
    builders.add_answer(session, request, "remote_access", "own")
    assert ask(session, case, now).id != first.id


def test_before_anything_was_sent_there_is_no_report(session: Session, now: datetime) -> None:
    case = builders.add_assessment(session, status=AssessmentStatus.READY)
    with pytest.raises(WrongState):
        ask(session, case, now)


def test_an_unknown_assessment_is_not_found(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound):
        reports.ask(session, "A-2026-9999", organisation="Acme Ltd", by=AUDREY, now=now)


def test_a_report_is_made_once_sealed_and_its_hash_is_in_the_trail(
    database: Database, storage: Storage, rendered: list[bytes], now: datetime, tmp_path: Path
) -> None:
    with database.writing() as session:
        case = add_case(session)
        report = ask(session, case, now)
    reports.make(database, storage, report.id, now=now)
    reports.make(database, storage, report.id, now=now)
    assert len(rendered) == 1
    with database.reading() as session:
        shown = reports.show(session, report.reference)
        assert (shown.state, shown.size, shown.made_at) == (WorkState.DONE, len(PDF), now)
        assert shown.sha256 == hashlib.sha256(PDF).hexdigest()
        assert b"".join(reports.open_pdf(session, storage, report.reference)) == PDF
        made = session.scalars(select(Event).where(Event.kind == EventKind.REPORT_MADE.value)).one()
        assert vault.open_json(session, made.details, context=audit.CONTEXT)["sha256"] == shown.sha256
    stored = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert len(stored) == 1
    assert b"%PDF" not in stored[0].read_bytes()


def test_asking_again_when_it_is_made_costs_no_rendering(
    database: Database, storage: Storage, rendered: list[bytes], now: datetime
) -> None:
    with database.writing() as session:
        case = add_case(session)
        first = ask(session, case, now)
    reports.make(database, storage, first.id, now=now)
    with database.writing() as session:
        again = ask(session, case, now + timedelta(hours=1))
    assert (again.id, again.state, len(rendered)) == (first.id, WorkState.DONE, 1)


def test_a_failed_rendering_is_raised_and_nothing_is_kept(
    database: Database, storage: Storage, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    def fail(_snapshot: bytes) -> bytes:
        raise pdf.RenderFailed("The report was not ready after 30 seconds.")

    monkeypatch.setattr(pdf, "render_snapshot", fail)
    with database.writing() as session:
        report = ask(session, add_case(session), now)
    with pytest.raises(pdf.RenderFailed):
        reports.make(database, storage, report.id, now=now)
    with database.reading() as session:
        assert reports.show(session, report.reference).state is not WorkState.DONE
        with pytest.raises(NotFound):
            reports.open_pdf(session, storage, report.reference)


def test_a_failed_report_is_tried_again_when_somebody_asks(session: Session, now: datetime) -> None:
    case = add_case(session)
    report = ask(session, case, now)
    with pytest.raises(WrongState):
        reports.retry(session, report.reference, by=AUDREY, now=now)
    report.state, report.attempts, report.error = WorkState.FAILED, 3, "It went wrong."
    assert ask(session, case, now).state is WorkState.QUEUED
    report.state = WorkState.FAILED
    assert reports.retry(session, report.reference, by=AUDREY, now=now).attempts == 0
    session.flush()
    assert events(session, case)["report.asked"] == 3, "the first time, and either way of trying again"


def test_reading_is_noted_once_in_ten_minutes_and_only_of_what_is_made(
    database: Database, storage: Storage, rendered: list[bytes], now: datetime
) -> None:
    with database.writing() as session:
        case = add_case(session)
        report = ask(session, case, now)
        with pytest.raises(NotFound):
            reports.note_reading(session, report.reference, by=AUDREY, now=now)
    reports.make(database, storage, report.id, now=now)
    with database.writing() as session:
        for minutes in (0, 5, 11):
            reports.note_reading(session, report.reference, by=AUDREY, now=now + timedelta(minutes=minutes))
        session.flush()
        assert events(session, case)["report.read"] == 2


def test_the_reports_of_a_case_are_listed_the_newest_first(session: Session, now: datetime) -> None:
    case = add_case(session)
    first = ask(session, case, now)
    later = ask(session, case, now + timedelta(days=1))
    assert [each.reference for each in reports.of_case(session, case.reference)] == [later.reference, first.reference]
    with pytest.raises(NotFound):
        reports.of_case(session, "A-2026-9999")


# ---------------------------------------------------------------- the head of the trail


def test_the_head_is_the_one_of_the_first_asking_and_stays(
    database: Database, tmp_path: Path, storage: Storage, rendered: list[bytes], now: datetime
) -> None:
    with database.writing() as session:
        case = add_case(session)
    trail_side.sealer(database, tmp_path).round()
    with database.writing() as session:
        head = sealing.head(session)
        first = ask(session, case, now)
        assert head is not None
        assert (first.head_position, first.head_chain) == (head.position, head.chain)
        printed = snapshot(session, first).head
        assert printed is not None
        assert (printed.position, printed.chain) == (head.position, head.chain.hex())
    trail_side.sealer(database, tmp_path).round()
    with database.writing() as session:
        assert sealing.head(session) != head, "the trail has gone on"
        again = ask(session, case, now + timedelta(hours=1))
        assert (again.reference, again.head_position) == (first.reference, head.position)
    reports.make(database, storage, first.id, now=now)
    assert [snapshots.from_plain(json.loads(kept)).head for kept in rendered] == [printed]


def test_before_anything_is_sealed_there_is_no_head(session: Session, now: datetime) -> None:
    report = ask(session, add_case(session), now)
    assert (report.head_position, report.head_chain, snapshot(session, report).head) == (None, None, None)
