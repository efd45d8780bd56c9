"""Whoever sees answers, evidence or reports is in the trail: a walk over all pages finds what shows them in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.application import Clock
from tests.cast import Cast, SignIn
from tests.review_side import NOW
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Event, Report, Request, Vendor
from vendorrisk.domain.assessment import Origin, WorkState
from vendorrisk.domain.audit import EventKind
from vendorrisk.domain.questionnaire import QuestionType
from vendorrisk.services.answering import evidence
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import sealed

ANSWER, FILE, REPORT = "canary-in-an-answer", "canary-in-evidence", "canary-in-a-report"
KINDS = {ANSWER: EventKind.ANSWERS_READ, FILE: EventKind.EVIDENCE_READ, REPORT: EventKind.REPORT_READ}

SHOWS_ANSWERS = frozenset(
    # Pages that show answers, or what they come to question by question. Walked below; a new one names itself.
    {
        "staff.answers", "staff.review_answer", "staff.answer_on_behalf", "staff.save_on_behalf", "staff.score",
        "staff.dismiss_contradiction", "staff.decision", "staff.decide", "auditor.assessment",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A case with canaries in its answers, its evidence and its report."""

    case_id: UUID
    reference: str
    code: str
    file_id: UUID
    report: str


@pytest.fixture(params=["open", "decided"])
def place(request: pytest.FixtureRequest, database: Database, runtime: Runtime, cast: Cast) -> Place:
    """A case that is under review, and one that is decided."""
    with database.writing() as session:
        case, asked = review_side.under_review(session, "customer-list-protection", owner=cast.petra)
        questions = list(review_side.themes("customer-list-protection")[0])
        gate = next(question for question in questions if question.type is QuestionType.CHOICE)
        builders.add_answer(session, asked, gate.id, gate.options[0].code, comment=ANSWER, origin=Origin.VENDOR)
        content = f"{FILE}\n".encode()
        file = builders.add_evidence(session, runtime.storage, asked, gate, "policy.txt", content)
        report = _report(session, runtime, case, session.get_one(Vendor, case.vendor_id).key_id)
        if request.param == "decided":
            review_side.decide(session, case, cast.petra)
        return Place(case.id, case.reference, gate.code, file.id, report)


def _report(session: Session, runtime: Runtime, case: Assessment, key_id: UUID) -> str:
    report_id, content = uuid4(), f"%PDF-1.7 {REPORT}".encode()
    row = Report(
        id=report_id, reference=f"P-2026-{report_id.hex[:6].upper()}", assessment_id=case.id, snapshot=b"",
        snapshot_hash="0" * 64, state=WorkState.DONE, not_before=NOW, asked_at=NOW, made_at=NOW, sha256="a" * 64,
        size=len(content), storage_name=f"report-{report_id.hex}",
    )  # fmt: skip
    parts = sealed.seal_stream(key_id, vault.data_key(session, key_id), iter([content]), context=f"report:{report_id}")
    runtime.storage.put(row.storage_name or "", parts)
    session.add(row)
    return row.reference


def addresses(app: Flask, place: Place) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and address of everything that staff and auditors can ask of this case."""
    values = {
        "code": place.code, "question_id": "x", "number": 1, "file_id": place.file_id, "letter_id": place.file_id,
        "contact_id": place.file_id, "filename": "site.css", "token": "x",
    }  # fmt: skip
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in ("vendor", "security", "dev"):
            continue
        for reference in (place.reference, place.report) if "reference" in rule.arguments else ("",):
            given = {name: values.get(name, reference) for name in rule.arguments}
            with app.test_request_context():
                url = app.url_for(rule.endpoint, **given)  # type: ignore[arg-type]
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield rule.endpoint, method, url


def readings(database: Database, by: str) -> Counter[str]:
    """How many events of each kind this person has caused."""
    with database.reading() as session:
        return Counter(session.scalars(select(Event.kind).where(Event.actor_id == by)))


def test_nothing_is_shown_that_the_trail_does_not_know_of(
    app: Flask, database: Database, clock: Clock, cast: Cast, sign_in: SignIn, place: Place
) -> None:
    """Everybody tries everything: a canary comes with its event, and every page with answers has one for itself."""
    shown: dict[str, set[str]] = {canary: set() for canary in KINDS}
    noted: set[str] = set()
    for person in (cast.petra, cast.adam, cast.audrey):
        by = str(person.id)
        for endpoint, method, url in addresses(app, place):
            clock.advance(minutes=11)
            browser = sign_in(person)  # some of it asks for a fresh sign-in
            token = builders.token_in(browser.get("/account"))
            before = readings(database, by)
            answer = browser.open(url, method=method, data={"csrf_token": token} if method == "POST" else None)
            more = readings(database, by) - before
            for canary, kind in KINDS.items():
                if canary.encode() in answer.data:
                    shown[canary].add(endpoint)
                    assert more[kind.value] == 1, f"{method} {url} shows {canary} in silence"
            if more[EventKind.ANSWERS_READ.value]:
                assert answer.status_code != 404, f"{url} shows nothing, and yet it is noted"
                noted.add(endpoint)
    with database.reading() as session:
        is_decided = session.get_one(Assessment, place.case_id).decided_at is not None
    assert noted == SHOWS_ANSWERS - (set() if is_decided else {"auditor.assessment"})
    assert "staff.answers" in shown[ANSWER]
    assert shown[FILE] == {"staff.evidence_file"}
    assert shown[REPORT] == {"staff.download_report"} | ({"auditor.report"} if is_decided else set())


def test_readings_of_one_thing_by_one_person_are_one_event_in_ten_minutes(
    petra: FlaskClient, adam: FlaskClient, database: Database, clock: Clock, cast: Cast, place: Place
) -> None:
    pages = {
        EventKind.ANSWERS_READ: f"/assessments/{place.reference}/score",
        EventKind.EVIDENCE_READ: f"/assessments/{place.reference}/evidence/{place.file_id}",
        EventKind.REPORT_READ: f"/reports/{place.report}.pdf",
    }
    for kind, page in pages.items():
        for minutes, expected in ((0, 1), (9, 1), (2, 2)):
            clock.advance(minutes=minutes)
            assert petra.get(page).status_code == 200
            assert readings(database, str(cast.petra.id))[kind.value] == expected, page
        assert readings(database, str(cast.adam.id))[kind.value] == 0
        adam.get(page)
        assert readings(database, str(cast.adam.id))[kind.value] == 1


def test_two_files_are_two_things(
    petra: FlaskClient, database: Database, runtime: Runtime, cast: Cast, place: Place
) -> None:
    with database.writing() as session:
        asked = session.scalars(select(Request).where(Request.assessment_id == place.case_id)).one()
        question = next(iter(review_side.themes("customer-list-protection")[0]))
        other = builders.add_evidence(session, runtime.storage, asked, question, "other.txt", b"another file\n")
    for file_id in (place.file_id, other.id, place.file_id):
        petra.get(f"/assessments/{place.reference}/evidence/{file_id}")
    assert readings(database, str(cast.petra.id))[EventKind.EVIDENCE_READ.value] == 2


def test_a_case_that_was_not_sent_has_no_answers_to_read(petra: FlaskClient, database: Database, cast: Cast) -> None:
    with database.writing() as session:
        reference = builders.add_assessment(session).reference
    assert petra.get(f"/assessments/{reference}/answers").status_code == 200
    assert readings(database, str(cast.petra.id))[EventKind.ANSWERS_READ.value] == 0


def test_the_event_is_there_before_the_first_byte_of_evidence(
    petra: FlaskClient, database: Database, cast: Cast, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    open_file = evidence.open_file

    def counting(session: Session, storage: object, file_id: UUID) -> object:
        seen.append(readings(database, str(cast.petra.id))[EventKind.EVIDENCE_READ.value])
        return open_file(session, storage, file_id)  # type: ignore[arg-type]

    monkeypatch.setattr(evidence, "open_file", counting)
    petra.get(f"/assessments/{place.reference}/evidence/{place.file_id}")
    assert seen == [1]
