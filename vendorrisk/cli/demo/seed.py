"""Fills the demonstration's database through the same services that the pages use; every moment is counted from now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
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
from vendorrisk.domain.audit import SYSTEM, Actor, ActorKind
from vendorrisk.domain.roles import Role
from vendorrisk.services.answering import checked_files, evidence, responses, sittings, submissions
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.answering.responses import Change
from vendorrisk.services.answering.sittings import Sitting
from vendorrisk.services.auditing import sealing
from vendorrisk.services.casework import assessments, contacts, intake, vendors
from vendorrisk.services.casework.contacts import NewContact
from vendorrisk.services.casework.vendors import NewVendor
from vendorrisk.services.people import accounts, factors
from vendorrisk.services.reporting import reports
from vendorrisk.services.reviewing import decisions, on_behalf, reviews
from vendorrisk.services.reviewing.decisions import NewDecision
from vendorrisk.services.runtime import Runtime
from vendorrisk.services.sending import invitations, requests

PASSWORD = "demo"  # noqa: S105 - throw-away accounts that exist on this machine only
APP_SECRET = "DEMODEMODEMODEMODEMODEMODEMODEMO"  # noqa: S105 - the same
PEOPLE = (
    ("petra@acme.example", "Petra Lindqvist", Role.STAFF, "+44 20 7946 0101"),
    ("li@acme.example", "Li Moreau", Role.STAFF, "+44 20 7946 0102"),
    ("adam@acme.example", "Adam Okafor", Role.ADMIN, "+44 20 7946 0103"),
    ("audrey@acme.example", "Audrey Stone", Role.AUDITOR, ""),
)
THEMES = ("data-sourcing", "breach-history", "customer-list-protection")


@dataclass(frozen=True, slots=True)
class Stage:
    """What every step of the demonstration needs."""

    session: Session
    runtime: Runtime
    petra: Actor
    now: datetime

    def days_ago(self, days: float) -> datetime:
        """A moment in the past."""
        return self.now - timedelta(days=days)


def fill(runtime: Runtime, *, now: datetime) -> dict[str, Any]:
    """Make people and vendors in every state that there is; returns what the greeting shows."""
    with runtime.database.writing() as session:
        stage = Stage(session, runtime, _people(session, now), now)
        decided = [_clearview(stage), _larkfield(stage)]
        _blue_heron(stage)
        link = _northwind(stage)
        _kite(stage)
        _hollow_tree(stage)
        _tern(stage)
        _osprey(stage)
        # In a running service the trail is sealed as it grows, so that a report can say how far it goes.
        sealing.seal(session, sealing.waiting(session), now=now)
        for case in decided:
            _report(stage, case)
    return {"vendor_link": link, "vendor": "Northwind Mail, about half answered"}


def _people(session: Session, now: datetime) -> Actor:
    users = [
        accounts.add(
            session, email, name=name, roles=[role], password=PASSWORD, phone=phone, throwaway=True, by=SYSTEM,
            now=now - timedelta(days=60),
        )
        for email, name, role, phone in PEOPLE
    ]  # fmt: skip
    for user in users:
        factors.keep_app(session, user.id, APP_SECRET)
    return Actor(ActorKind.STAFF, str(users[0].id), users[0].name)


def _vendor(stage: Stage, name: str, domain: str, contact: NewContact, days: float) -> Vendor:
    new = NewVendor(name=name, website=f"https://{domain}", contact=contact)
    return vendors.add(stage.session, new, by=stage.petra, now=stage.days_ago(days))


def _case(stage: Stage, vendor: Vendor, service: str, days: float) -> Assessment:
    asked = stage.runtime.library.questionnaires["intake"]
    at = stage.days_ago(days)
    return assessments.open_case(stage.session, vendor.id, service, intake=asked, by=stage.petra, now=at)


def _take_in(
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


def _send(
    stage: Stage, case: Assessment, vendor: Vendor, days: float, *, due_in: float, ids: Sequence[str] = THEMES
) -> requests.Sent:
    """Send the questionnaires `days` ago, due `due_in` days from now."""
    to = contacts.of_vendor(stage.session, vendor.id)[0]
    zone = stage.runtime.settings.zone
    due_day = (stage.now + timedelta(days=due_in)).date()
    sending = requests.Sending(
        contact_id=to.id, questionnaire_ids=tuple(ids), zone=zone,
        due_at=datetime.combine(due_day, time(17), ZoneInfo(zone)),
    )  # fmt: skip
    return requests.send(
        stage.session, case.id, sending, library=stage.runtime.library, rules=stage.runtime.rules,
        settings=stage.runtime.settings, by=stage.petra, now=stage.days_ago(days),
    )  # fmt: skip


def _sit_down(stage: Stage, sent: requests.Sent, name: str, role: str, days: float) -> Sitting:
    """The vendor opens the link, passes the code and says who they are."""
    at = stage.days_ago(days)
    link = invitations.find(stage.session, sent.link.rsplit("/", 1)[1], now=at)
    assert link is not None
    cookie = sittings.start(stage.session, link, now=at)
    sitting = sittings.find(stage.session, sent.request.reference, cookie, now=at)
    sittings.introduce(stage.session, sitting, name, role, now=at)
    return sitting


def _answer(stage: Stage, sitting: Sitting, told: Sequence[Told], days: float) -> None:
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


def _submit(stage: Stage, sitting: Sitting, name: str, role: str, days: float) -> None:
    at = stage.days_ago(days)
    submissions.submit(
        stage.session, sitting, responses.load(stage.session, sitting.request), name, role, "demo",
        settings=stage.runtime.settings, by=sittings.actor(stage.session, sitting), now=at,
    )  # fmt: skip


def _review(stage: Stage, case: Assessment, request: Request, told: Sequence[Told], days: float) -> None:
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


def _report(stage: Stage, case: Assessment) -> None:
    organisation = stage.runtime.settings.organisation
    reports.ask(stage.session, case.reference, organisation=organisation, by=stage.petra, now=stage.now)


def _told(stage: Stage, file: str, request: Request) -> list[Told]:
    asked = responses.load(stage.session, request).questionnaires
    return cases.told(file, asked, today=stage.now.date())


def _valid_until(stage: Stage, days: float) -> date:
    return decisions.default_validity(stage.days_ago(days).date())


# The vendors.


def _clearview(stage: Stage) -> Assessment:
    """Everything from public facts, with a source on each answer; rejected."""
    facts = cases.facts("clearview")
    vendor = _vendor(stage, facts["name"], "clearview.example", NewContact(**facts["contact"]), 30)
    case = _case(stage, vendor, facts["service"], 30)
    _take_in(stage, case, vendor, "clearview", 30)
    request = _send(stage, case, vendor, 29, due_in=-15).request
    for one in _told(stage, "clearview", request):
        said = NewAnswer(one.value, comment=one.comment, source=one.source)
        on_behalf.answer(
            stage.session, case.reference, one.question.id, said,
            origin=Origin.PUBLIC, expected_version=0, answered_on=stage.days_ago(20).date(), by=stage.petra,
            now=stage.days_ago(20),
        )  # fmt: skip
    on_behalf.start_review(
        stage.session, case.reference, "The vendor has not answered: this case is built from public facts.",
        by=stage.petra, now=stage.days_ago(19),
    )  # fmt: skip
    reason = (
        "Images scraped against sites' terms and kept after people removed them, biometric templates without consent, "
        "and a leaked customer list played down as “part of life”. Nothing published shows that this has changed."
    )
    new = NewDecision(Outcome.REJECTED, reason, _valid_until(stage, 18), accepts_provisional=True)
    decisions.decide(stage.session, case.reference, new, by=stage.petra, now=stage.days_ago(18))
    return case


def _larkfield(stage: Stage) -> Assessment:
    """The clean vendor: every answer backed, one event disclosed and well handled; approved."""
    facts = cases.facts("larkfield")
    vendor = _vendor(stage, facts["name"], "larkfield.example", NewContact(**facts["contact"]), 40)
    case = _case(stage, vendor, facts["service"], 40)
    _take_in(stage, case, vendor, "larkfield", 40)
    sent = _send(stage, case, vendor, 26, due_in=-12)
    sitting = _sit_down(stage, sent, "Dana Ruiz", "Head of Assurance", 24)
    told = _told(stage, "larkfield", sent.request)
    _answer(stage, sitting, told, 12)
    _submit(stage, sitting, "Dana Ruiz", "Head of Assurance", 12)
    _review(stage, case, sent.request, told, 9)
    reason = "Every answer is backed, and the one event at a supplier was told to customers within two days."
    new = NewDecision(Outcome.APPROVED, reason, _valid_until(stage, 8))
    decisions.decide(stage.session, case.reference, new, by=stage.petra, now=stage.days_ago(8))
    return case


def _blue_heron(stage: Stage) -> None:
    """Sent its answers yesterday: two contradict each other, some are missing. It waits for review."""
    contact = NewContact("Noor Haddad", "noor@blueheron.example", "Compliance lead")
    vendor = _vendor(stage, "Blue Heron Research GmbH & Co. KG", "blueheron.example", contact, 35)
    case = _case(stage, vendor, "Supplier intelligence feed", 35)
    _take_in(stage, case, vendor, "larkfield", 34, {"IN-04": "serious", "IN-05": "operational", "IN-08": "public_web"})
    sent = _send(stage, case, vendor, 20, due_in=2)
    sitting = _sit_down(stage, sent, "Noor Haddad", "Compliance lead", 15)
    told = cases.changed(
        _told(stage, "larkfield", sent.request),
        {"DS-01": ["lic", "web"], "DS-04": "no", "CL-06": "34", "CL-07": "role", "CL-16": "list", "BH-26": "120"},
        without=("DS-17", "CL-11", "BH-33"),
    )
    _answer(stage, sitting, told, 2)
    _submit(stage, sitting, "Noor Haddad", "Compliance lead", 1)


def _northwind(stage: Stage) -> str:
    """Half answered: the vendor's link of the greeting."""
    contact = NewContact("Victor Adeyemi", "victor@northwind.example", "Security manager")
    vendor = _vendor(stage, "Northwind Mail", "northwind.example", contact, 21)
    case = _case(stage, vendor, "Mailing service for members", 21)
    _take_in(stage, case, vendor, "larkfield", 21, {"IN-05": "operational", "IN-17": "months"})
    sent = _send(stage, case, vendor, 6, due_in=8)
    sitting = _sit_down(stage, sent, "Victor Adeyemi", "Security manager", 4)
    _answer(stage, sitting, _told(stage, "larkfield", sent.request)[:41], 0.1)
    return sent.link


def _kite(stage: Stage) -> None:
    """Sent, never opened, overdue."""
    vendor = _vendor(stage, "Kite Courier", "kite.example", NewContact("Front office", "office@kite.example"), 25)
    case = _case(stage, vendor, "Same-day delivery", 25)
    _take_in(stage, case, vendor, "larkfield", 25)
    _send(stage, case, vendor, 17, due_in=-3)


def _hollow_tree(stage: Stage) -> None:
    """The mail server refused the invitation."""
    contact = NewContact("Jo Marsh", "jo.marsh@hollowtree.example", "Account manager")
    vendor = _vendor(stage, "Hollow Tree Hosting", "hollowtree.example", contact, 5)
    case = _case(stage, vendor, "Virtual servers", 5)
    _take_in(stage, case, vendor, "larkfield", 5, {"IN-10": "admin", "IN-04": "severe"})
    request = _send(stage, case, vendor, 1, due_in=13).request
    refused = {"state": WorkState.FAILED, "attempts": 1, "error": "550 5.1.1 The mailbox does not exist."}
    stage.session.execute(update(Letter).where(Letter.request_id == request.id).values(**refused))


def _tern(stage: Stage) -> None:
    """The intake is not finished."""
    vendor = _vendor(stage, "Tern Payroll", "tern.example", NewContact("Sam Weber", "sam@tern.example"), 2)
    _case(stage, vendor, "Payroll for the Dublin office", 2)


def _osprey(stage: Stage) -> None:
    """Ready to send: tier 4, so only the weightiest questions."""
    contact = NewContact("Ana Prieto", "ana@osprey.example", "Owner")
    vendor = _vendor(stage, "Osprey Translations", "osprey.example", contact, 3)
    case = _case(stage, vendor, "Translation of leaflets", 3)
    small = {"IN-02": ["contacts"], "IN-04": "minor", "IN-05": "press", "IN-08": "none", "IN-17": "days", "IN-22": "no"}
    _take_in(stage, case, vendor, "larkfield", 3, small)
