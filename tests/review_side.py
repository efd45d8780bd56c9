"""What tests of reviewing and deciding share: cases under review, and the founding case of Clearview AI."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders
from vendorrisk.db import vault
from vendorrisk.db.models import Answer, Assessment, Event, Request, User
from vendorrisk.domain.answers import EvidenceLevel, PartialDate, Table, Value
from vendorrisk.domain.assessment import AssessmentStatus, Origin, Outcome, RequestStatus
from vendorrisk.domain.audit import Actor, ActorKind, EventKind
from vendorrisk.domain.questionnaire import Question, Questionnaire
from vendorrisk.library import shipped
from vendorrisk.services import audit
from vendorrisk.services.answering import scores
from vendorrisk.services.answering.scores import Scored
from vendorrisk.services.casework import dossiers
from vendorrisk.services.reviewing import answer_sheets, decisions, reviews
from vendorrisk.services.reviewing.answer_sheets import Sheet
from vendorrisk.services.reviewing.decisions import NewDecision
from vendorrisk.services.reviewing.reviews import Change

NOW = builders.NOW
GOLDEN = Path(__file__).parent / "domain" / "score-golden.jsonl"
THEMES = ("data-sourcing", "breach-history", "customer-list-protection")
LI = Actor(ActorKind.STAFF, "li", "Li Wei")
"""Who reviews."""
GATE = "remote_access"
"""The question of the tiny questionnaire on which the others hang."""
REASON = "Looked at with the vendor on the phone."


def themes(*names: str) -> list[Questionnaire]:
    """Shipped questionnaires."""
    library = shipped.load()
    return [library.questionnaires[name] for name in names or THEMES]


def under_review(
    session: Session, *names: str, owner: User | None = None, service: str = "Mailing service for members",
    vendor: str = "Northwind Mail", inherent: str = "64", tier: int = 2,
) -> tuple[Assessment, Request]:  # fmt: skip
    """A case whose answers are in; nothing is answered yet. Without names: the tiny questionnaire."""
    case = builders.add_assessment(
        session, builders.add_vendor(session, vendor, website="https://vendor.example"), owner=owner,
        status=AssessmentStatus.READY, service=service,
        inherent=inherent, tier=tier,
    )  # fmt: skip
    asked = themes(*names) if names else [builders.tiny()]
    return case, builders.add_request(session, case, status=RequestStatus.SUBMITTED, questionnaires=asked)


def answered(session: Session) -> Assessment:
    """A case of the tiny questionnaire whose gate is answered: remote access on managed devices."""
    case, request = under_review(session)
    builders.add_answer(session, request, GATE, "managed")
    return case


def review(session: Session, case: Assessment, question: str = GATE, change: Change | None = None, **more: Any) -> None:
    """Set a review of version 1, as Li."""
    said = change or Change(EvidenceLevel.VERIFIED)
    given = {"answer_version": 1, "by": LI, "now": NOW, **more}
    reviews.set_review(session, case.reference, question, said, **given)


def score_of(session: Session, case: Assessment) -> Scored:
    """The score as the answers stand."""
    request = dossiers.find(session, case.reference).sent
    assert case.inherent is not None
    return scores.evaluate(session, request, case.inherent, now=NOW)


def sheet(session: Session, case: Assessment) -> Sheet:
    """The answer sheet."""
    return answer_sheets.open_answers(session, dossiers.find(session, case.reference), now=NOW)


def request_of(session: Session, case: Assessment) -> Request:
    """The request of a case."""
    return dossiers.find(session, case.reference).sent


def bodies(session: Session, case: Assessment, kind: EventKind) -> list[dict[str, Any]]:
    """What the trail says about a case, of one kind of event."""
    rows = session.scalars(
        select(Event).where(Event.object_id == case.id, Event.kind == kind.value).order_by(Event.number)
    )
    return [vault.open_json(session, row.details, context=audit.CONTEXT) for row in rows]


def decide(session: Session, case: Assessment, by: User, *, now: datetime = NOW) -> None:
    """Approve a case, whatever is still open."""
    new = NewDecision(Outcome.APPROVED, REASON, decisions.years_after(now.date(), 1), accepts_provisional=True)
    decisions.decide(session, case.reference, new, by=builders.actor(by), now=now)


@lru_cache(maxsize=1)
def clearview_answers() -> dict[str, Any]:
    """The coded answers of the founding case, by code."""
    first = json.loads(GOLDEN.read_text(encoding="utf-8").splitlines()[0])
    given: dict[str, Any] = {code: answer["value"] for code, answer in first["input"]["answers"].items()}
    return given


def clearview(session: Session, *, owner: User | None = None, submitted: bool = True) -> Assessment:
    """Clearview AI, answered by staff from public facts, each answer with its source."""
    case = builders.add_assessment(
        session, builders.add_vendor(session, "Clearview AI", website="https://clearview.example"),
        status=AssessmentStatus.READY, owner=owner, service="Face search for investigations", inherent="84.7", tier=1,
    )  # fmt: skip
    status = RequestStatus.SUBMITTED if submitted else RequestStatus.OPEN
    request = builders.add_request(session, case, status=status, questionnaires=themes())
    for questionnaire in themes():
        for code, said in clearview_answers().items():
            question = questionnaire.by_code.get(code)
            if question is not None:
                _answer(session, request, question, value_of(question, said))
    _answer(session, request, themes()[1].by_code["BH-13"], register())
    return case


def _answer(session: Session, request: Request, question: Question, value: Value) -> Answer:
    return builders.add_answer(
        session, request, question.id, value, origin=Origin.PUBLIC,
        source="https://www.priv.gc.ca/en/opc-actions-and-decisions/investigations/pipeda-2021-001/",
        answered_on=date(2026, 6, 1),
    )  # fmt: skip


def value_of(question: Question, said: Any) -> Value:
    """A coded answer as what would be typed: a figure inside the band that the code names."""
    if isinstance(said, list):
        return tuple(said)
    if not question.bands or said in question.special:
        return str(said)
    band = next(band for band in question.bands if band.option == said)
    return band.limit if band.operator in ("<=", ">=") else band.limit + Decimal(1 if band.operator == ">" else -1)


def register() -> Table:
    """The breach of February 2020 as one row of the incident register."""
    row = {
        "title": "Client list obtained by a third party", "discovered_on": "", "customers_told_on": "2020-02-26",
        "vendor_words": "An intruder gained unauthorized access; our servers were never accessed.",
    }  # fmt: skip
    known = {column.id for column in themes()[1].by_code["BH-13"].columns}
    return Table(({key: cell for key, cell in row.items() if key in known},))


def day(text: str) -> PartialDate:
    """A day as an answer."""
    found = date.fromisoformat(text)
    return PartialDate(found.year, found.month, found.day)
