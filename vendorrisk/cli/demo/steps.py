"""What happens to a case, a function a step, each some days ago: through the services that the pages use too.

Called by `seed`, which tells of each vendor in these steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from vendorrisk.cli.demo import cases
from vendorrisk.cli.demo.cases import Told
from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Letter, Request, Vendor
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import Origin, Outcome, WorkState
from vendorrisk.domain.audit import Actor
from vendorrisk.services.answering import checked_files, evidence, responses, sittings, submissions
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.answering.responses import Change
from vendorrisk.services.answering.sittings import Sitting
from vendorrisk.services.casework import assessments, contacts, intake, vendors
from vendorrisk.services.casework.contacts import NewContact
from vendorrisk.services.casework.vendors import NewVendor
from vendorrisk.services.reporting import reports
from vendorrisk.services.reviewing import decisions, on_behalf, reviews
from vendorrisk.services.reviewing.decisions import NewDecision
from vendorrisk.services.runtime import Runtime
from vendorrisk.services.sending import invitations, requests

THEMES = ("data-sourcing", "breach-history", "customer-list-protection")


@dataclass(frozen=True, slots=True)
class Stage:
    """What every step needs."""

    session: Session
    runtime: Runtime
    petra: Actor
    now: datetime

    def days_ago(self, days: float) -> datetime:
        """A moment in the past."""
        return self.now - timedelta(days=days)


def open_case(
    stage: Stage, name: str, domain: str, contact: NewContact, service: str, days: float
) -> tuple[Assessment, Vendor]:
    """Petra adds a vendor with its contact, and opens a case of what it sells."""
    at, new = stage.days_ago(days), NewVendor(name, f"https://{domain}", contact=contact)
    vendor = vendors.add(stage.session, new, by=stage.petra, now=at)
    asked = stage.runtime.library.questionnaires["intake"]
    return assessments.open_case(stage.session, vendor.id, service, intake=asked, by=stage.petra, now=at), vendor


def take_in(
    stage: Stage, case: Assessment, vendor: Vendor, file: str, days: float, changed: Mapping[str, Any] | None = None
) -> None:
    """Fill in the intake as the file says, some items (by code) changed, and complete it."""
    asked = intake.questionnaire(stage.session, case)
    given = cases.intake(file, asked) | cases.coded(asked, changed or {})
    at = stage.days_ago(days)
    for section in asked.sections:
        page = {question.id: given[question.id] for question in section.questions if question.id in given}
        seen = intake.fingerprint(section, intake.answers(stage.session, case, asked))
        intake.save(stage.session, case, vendor, section, page, seen=seen, by=stage.petra, now=at)
    intake.complete(stage.session, case, vendor, by=stage.petra, now=at)


def send(stage: Stage, case: Assessment, vendor: Vendor, days: float, *, due_in: float) -> requests.Sent:
    """Send the questionnaires `days` ago, due `due_in` days from now."""
    to = contacts.of_vendor(stage.session, vendor.id)[0]
    zone = stage.runtime.settings.zone
    due_day = (stage.now + timedelta(days=due_in)).date()
    sending = requests.Sending(
        contact_id=to.id, questionnaire_ids=THEMES, zone=zone,
        due_at=datetime.combine(due_day, time(17), ZoneInfo(zone)),
    )  # fmt: skip
    return requests.send(
        stage.session, case.id, sending, library=stage.runtime.library, rules=stage.runtime.rules,
        settings=stage.runtime.settings, by=stage.petra, now=stage.days_ago(days),
    )  # fmt: skip


def refuse_letters(stage: Stage, request: Request) -> None:
    """The mail server does not take the invitation."""
    refused = {"state": WorkState.FAILED, "attempts": 1, "error": "550 5.1.1 The mailbox does not exist."}
    stage.session.execute(update(Letter).where(Letter.request_id == request.id).values(**refused))


def told(stage: Stage, file: str, request: Request) -> list[Told]:
    """What the file says to the questions of this request."""
    asked = responses.load(stage.session, request).questionnaires
    return cases.told(file, asked, today=stage.now.date())


def sit_down(stage: Stage, sent: requests.Sent, name: str, role: str, days: float) -> Sitting:
    """The vendor opens the link, passes the code and says who they are."""
    at = stage.days_ago(days)
    link = invitations.find(stage.session, sent.link.rsplit("/", 1)[1], now=at)
    assert link is not None
    cookie = sittings.start(stage.session, link, now=at)
    sitting = sittings.find(stage.session, sent.request.reference, cookie, now=at)
    sittings.introduce(stage.session, sitting, name, role, now=at)
    return sitting


def answer(stage: Stage, sitting: Sitting, told: Sequence[Told], days: float) -> None:
    """The vendor answers, attaching small files where the file says so."""
    at, by = stage.days_ago(days), sittings.actor(stage.session, sitting)
    for one in told:
        for name in one.files:
            _attach(stage, sitting, one, name, at=at, by=by)
    draft = responses.load(stage.session, sitting.request)
    changes = [
        Change(one.question, NewAnswer(one.value if one.value is not None else one.files, comment=one.comment),
               draft.stored[one.question.id].version if one.question.id in draft.stored else 0)
        for one in told
    ]  # fmt: skip
    responses.save(stage.session, sitting, draft, changes, by=by, now=at)


def _attach(stage: Stage, sitting: Sitting, one: Told, name: str, *, at: datetime, by: Actor) -> None:
    rows = "".join(f"{number},{one.question.code} sample,{at.date()}\n" for number in (1, 2, 3))
    content = f"record,source,collected\n{rows}"
    request, key_id = sitting.request, sitting.key_id
    checked = checked_files.check(name, content.encode(), scanner=None, now=at)
    evidence.reserve(stage.session, request, checked, now=at)
    evidence.store(stage.runtime.storage, key_id, vault.data_key(stage.session, key_id), checked)
    evidence.attach(stage.session, request, key_id, one.question, checked, by=by, now=at)


def submit(stage: Stage, sitting: Sitting, name: str, role: str, days: float) -> None:
    """The vendor sends everything."""
    at = stage.days_ago(days)
    submissions.submit(
        stage.session, sitting, responses.load(stage.session, sitting.request), name, role,
        settings=stage.runtime.settings, by=sittings.actor(stage.session, sitting), now=at,
    )  # fmt: skip


def answer_from_public_facts(stage: Stage, case: Assessment, told: Sequence[Told], days: float) -> None:
    """Petra answers what is known of the vendor, each with its source."""
    at = stage.days_ago(days)
    for one in told:
        said = NewAnswer(one.value, comment=one.comment, source=one.source)
        on_behalf.answer(
            stage.session, case.reference, one.question.id, said,
            origin=Origin.PUBLIC, expected_version=0, answered_on=at.date(), by=stage.petra, now=at,
        )  # fmt: skip


def review(stage: Stage, case: Assessment, request: Request, told: Sequence[Told], days: float) -> None:
    """Petra opens the evidence and says how well each answer is backed."""
    draft = responses.load(stage.session, request)
    for one in told:
        stored = draft.stored.get(one.question.id)
        if stored is None or one.question.id not in draft.visible or one.evidence is EvidenceLevel.CLAIMED:
            continue
        note = "Checked against the documents that came with the answer."
        change = reviews.Change(evidence=one.evidence, grade=one.grade, note=note)
        reviews.set_review(
            stage.session, case.reference, one.question.id, change, answer_version=stored.version, by=stage.petra,
            now=stage.days_ago(days),
        )  # fmt: skip


def decide(
    stage: Stage, case: Assessment, outcome: Outcome, reason: str, days: float, *, accepts_provisional: bool = False
) -> None:
    """Petra decides, for a year."""
    at = stage.days_ago(days)
    valid_until = decisions.default_validity(at.date())
    new = NewDecision(outcome, reason, valid_until, accepts_provisional=accepts_provisional)
    decisions.decide(stage.session, case.reference, new, by=stage.petra, now=at)


def ask_report(stage: Stage, case: Assessment) -> None:
    """Petra asks for the report of a decided case."""
    organisation = stage.runtime.settings.organisation
    reports.ask(stage.session, case.reference, organisation=organisation, by=stage.petra, now=stage.now)
