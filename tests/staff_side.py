"""What tests of the staff side share beside the builders: filling in an intake, sending a case."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from tests import builders
from vendorrisk.db.models import Assessment, User, Vendor
from vendorrisk.domain.answers import Answer
from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.questionnaire import Questionnaire, QuestionType
from vendorrisk.library import shipped
from vendorrisk.services.casework import contacts, intake
from vendorrisk.services.letters import outbox
from vendorrisk.services.sending import requests
from vendorrisk.services.sending.requests import Sending, Sent
from vendorrisk.settings import Settings

NOW = builders.NOW
ASKED = ("breach-history", "customer-list-protection")
SMTP = Settings.from_env(
    {
        "VENDORRISK_BASE_URL": "https://risk.acme.example",
        "VENDORRISK_MAIL": "smtp://mail.acme.example:587",
        "VENDORRISK_MAIL_FROM": "risk@acme.example",
    }
)


def harmless(asked: Questionnaire, **codes: str) -> dict[str, Answer]:
    """Answers to all that counts, with the fewest points; `codes` say otherwise, by question id."""
    answers: dict[str, Answer] = {}
    for question in asked:
        if question.factor is not None:
            code = codes.get(question.id, question.options[0].code)
            answers[question.id] = Answer(value=(code,) if question.type is QuestionType.CHOICES else code)
    return answers


def answer_intake(session: Session, case: Assessment, by: User, **codes: str) -> None:
    """Fill in the whole intake and take its result."""
    vendor, asked = session.get_one(Vendor, case.vendor_id), intake.questionnaire(session, case)
    given = harmless(asked, **codes)
    for section in asked.sections:
        mine = {question.id: given[question.id] for question in section.questions if question.id in given}
        seen = intake.fingerprint(section, intake.answers(session, case, asked))
        intake.save(session, case, vendor, section, mine, seen=seen, by=builders.actor(by), now=NOW)
    intake.complete(session, case, vendor, by=builders.actor(by), now=NOW)


def ready(session: Session, by: User, name: str = "Northwind Mail", **codes: str) -> Assessment:
    """A case whose intake is complete, of a vendor with a contact."""
    vendor = builders.add_vendor(session, name)
    builders.add_contact(session, vendor)
    case = builders.add_assessment(session, vendor, owner=by)
    answer_intake(session, case, by, **codes)
    return case


def send(
    session: Session, case: Assessment, by: User, *, asked: tuple[str, ...] = ASKED, due: datetime | None = None,
    code_required: bool = True, note: str = "",
) -> Sent:  # fmt: skip
    """Send a case to the vendor's first contact, as the page does."""
    library = shipped.load()
    to = contacts.of_vendor(session, case.vendor_id)[0]
    sending = Sending(to.id, asked, due or NOW + timedelta(days=14), "Europe/London", note, code_required)
    return requests.send(
        session, case.id, sending, library=library, rules=library.rules, settings=SMTP, by=builders.actor(by), now=NOW
    )


def refuse_letters(session: Session, sent: Sent, error: str = "550 mailbox unknown") -> None:
    """The mail server refuses the letters of this request for good."""
    for letter in outbox.of_request(session, sent.request.id):
        parcel = outbox.take(session, letter.id, now=NOW)
        assert parcel is not None and letter.state is WorkState.QUEUED
        outbox.refused(session, parcel, error, now=NOW)
    session.flush()
