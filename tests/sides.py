"""Whole cases with canaries in every text: what tests of access open, swap and look for on strangers' pages."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.domain.hostile_files import pdf
from vendorrisk.db.models import Request, User, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus, WorkState
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.questionnaire import Questionnaire
from vendorrisk.library import loader, shipped
from vendorrisk.mail.messages import Message
from vendorrisk.services.letters import outbox
from vendorrisk.services.reporting import reports
from vendorrisk.storage import Storage

NOW = builders.NOW


@dataclass(frozen=True)
class Side:
    """One request with all that hangs on it. `canary` stands in its texts, `vendor_canary` in the vendor's."""

    canary: str
    vendor_canary: str
    vendor: str
    case: str
    request: str
    token: str
    contact_id: str
    file_id: str
    letter_id: str
    report: str
    report_id: UUID
    questionnaire_id: str
    section_id: str
    question_id: str
    code: str
    asked: tuple[Questionnaire, ...]


def example(name: str) -> Questionnaire:
    """One of the tiny questionnaires."""
    return loader.load(shipped.FOLDER / "examples" / f"{name}.yaml")


def add_vendor(session: Session, canary: str) -> Vendor:
    """A vendor whose every text holds the canary."""
    vendor = builders.add_vendor(session, f"{canary} Ltd", website=f"https://{canary.lower()}.example")
    builders.add_contact(session, vendor, f"Victor {canary}", f"victor@{canary.lower()}.example")
    return vendor


def add(
    session: Session, storage: Storage, vendor: Vendor, vendor_canary: str, canary: str, *asked: str,
    status: RequestStatus = RequestStatus.OPEN, decided_by: User | None = None,
) -> Side:  # fmt: skip
    """A case of this vendor, a request of the tiny questionnaires `asked`, an answer, a file, a letter, a report."""
    contact = builders.add_contact(session, vendor, f"Second {canary}", f"second@{canary.lower()}.example")
    case = builders.add_assessment(session, vendor, status=AssessmentStatus.READY, service=f"Service {canary}")
    questionnaires = [example(name) for name in asked]
    questionnaire = questionnaires[0]
    request = builders.add_request(
        session, case, status=status, contact=contact, questionnaires=questionnaires, note=f"Note {canary}"
    )
    question = questionnaire.sections[0].questions[0]
    token = builders.add_link(session, request, f"Second {canary}", f"second@{canary.lower()}.example")
    value = question.options[0].code if question.options else f"{canary} Inc"
    builders.add_answer(session, request, question.id, value, comment=f"Comment {canary}")
    file_id = _file(session, storage, request, vendor, canary, questionnaire)
    if decided_by is not None:
        review_side.decide(session, case, decided_by)
    report = reports.ask(session, case.reference, organisation="Acme Ltd", by=SYSTEM, now=NOW)
    return Side(
        canary=canary, vendor_canary=vendor_canary, vendor=vendor.reference, case=case.reference,
        request=request.reference, token=token, contact_id=str(contact.id), file_id=file_id,
        letter_id=_failed_letter(session, request, vendor, canary), report=report.reference,
        report_id=report.id, questionnaire_id=questionnaire.id, section_id=questionnaire.sections[0].id,
        question_id=question.id, code=question.code, asked=tuple(questionnaires),
    )  # fmt: skip


def _file(
    session: Session, storage: Storage, request: Request, vendor: Vendor, canary: str, asked: Questionnaire
) -> str:
    question = asked.sections[0].questions[0]
    return str(builders.add_evidence(session, storage, request, question, f"{canary}.pdf", pdf()).id)


def _failed_letter(session: Session, request: Request, vendor: Vendor, canary: str) -> str:
    message = Message(
        to=f"{canary.lower()}@mail.example", to_name=canary, reply_to="", subject=canary, text=canary, html=canary
    )
    letter = outbox.put(session, message, kind="invitation", key_id=vendor.key_id, request_id=request.id, now=NOW)
    letter.state = WorkState.FAILED
    return str(letter.id)
