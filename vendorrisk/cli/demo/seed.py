"""The people and vendors of the demonstration: what happened to each, in steps, counted from now. Called by `demo`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from vendorrisk.cli.demo import cases, steps
from vendorrisk.cli.demo.steps import Stage
from vendorrisk.db.models import Assessment
from vendorrisk.domain.assessment import Outcome
from vendorrisk.domain.audit import SYSTEM, Actor, ActorKind
from vendorrisk.domain.roles import Role
from vendorrisk.services.auditing import sealing
from vendorrisk.services.casework.contacts import NewContact
from vendorrisk.services.people import accounts, factors
from vendorrisk.services.reviewing import on_behalf
from vendorrisk.services.runtime import Runtime

PASSWORD = "demo"  # noqa: S105 - throw-away accounts that exist on this machine only
APP_SECRET = "DEMODEMODEMODEMODEMODEMODEMODEMO"  # noqa: S105 - the same
PEOPLE = (
    ("petra@acme.example", "Petra Lindqvist", Role.STAFF, "+44 20 7946 0101"),
    ("li@acme.example", "Li Moreau", Role.STAFF, "+44 20 7946 0102"),
    ("adam@acme.example", "Adam Okafor", Role.ADMIN, "+44 20 7946 0103"),
    ("audrey@acme.example", "Audrey Stone", Role.AUDITOR, ""),
)


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
            steps.ask_report(stage, case)
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


def _clearview(stage: Stage) -> Assessment:
    """Everything from public facts, with a source on each answer; rejected."""
    facts = cases.facts("clearview")
    contact = NewContact(**facts["contact"])
    case, vendor = steps.open_case(stage, facts["name"], "clearview.example", contact, facts["service"], 30)
    steps.take_in(stage, case, vendor, "clearview", 30)
    request = steps.send(stage, case, vendor, 29, due_in=-15).request
    steps.answer_from_public_facts(stage, case, steps.told(stage, "clearview", request), 20)
    on_behalf.start_review(
        stage.session, case.reference, "The vendor has not answered: this case is built from public facts.",
        by=stage.petra, now=stage.days_ago(19),
    )  # fmt: skip
    reason = (
        "Images scraped against sites' terms and kept after people removed them, biometric templates without consent, "
        "and a leaked customer list played down as “part of life”. Nothing published shows that this has changed."
    )
    steps.decide(stage, case, Outcome.REJECTED, reason, 18, accepts_provisional=True)
    return case


def _larkfield(stage: Stage) -> Assessment:
    """The clean vendor: every answer backed, one event disclosed and well handled; approved."""
    facts = cases.facts("larkfield")
    contact = NewContact(**facts["contact"])
    case, vendor = steps.open_case(stage, facts["name"], "larkfield.example", contact, facts["service"], 40)
    steps.take_in(stage, case, vendor, "larkfield", 40)
    sent = steps.send(stage, case, vendor, 26, due_in=-12)
    sitting = steps.sit_down(stage, sent, "Dana Ruiz", "Head of Assurance", 24)
    told = steps.told(stage, "larkfield", sent.request)
    steps.answer(stage, sitting, told, 12)
    steps.submit(stage, sitting, "Dana Ruiz", "Head of Assurance", 12)
    steps.review(stage, case, sent.request, told, 9)
    reason = "Every answer is backed, and the one event at a supplier was told to customers within two days."
    steps.decide(stage, case, Outcome.APPROVED, reason, 8)
    return case


def _blue_heron(stage: Stage) -> None:
    """Sent its answers yesterday: two contradict each other, some are missing. It waits for review."""
    role = "Compliance lead"
    name, contact = "Blue Heron Research GmbH & Co. KG", NewContact("Noor Haddad", "noor@blueheron.example", role)
    case, vendor = steps.open_case(stage, name, "blueheron.example", contact, "Supplier intelligence feed", 35)
    changed = {"IN-04": "serious", "IN-05": "operational", "IN-08": "public_web"}
    steps.take_in(stage, case, vendor, "larkfield", 34, changed)
    sent = steps.send(stage, case, vendor, 20, due_in=2)
    sitting = steps.sit_down(stage, sent, "Noor Haddad", role, 15)
    told = cases.changed(
        steps.told(stage, "larkfield", sent.request),
        {"DS-01": ["lic", "web"], "DS-04": "no", "CL-06": "34", "CL-07": "role", "CL-16": "list", "BH-26": "120"},
        without=("DS-17", "CL-11", "BH-33"),
    )
    steps.answer(stage, sitting, told, 2)
    steps.submit(stage, sitting, "Noor Haddad", role, 1)


def _northwind(stage: Stage) -> str:
    """Half answered: the vendor's link of the greeting."""
    contact = NewContact("Victor Adeyemi", "victor@northwind.example", "Security manager")
    service = "Mailing service for members"
    case, vendor = steps.open_case(stage, "Northwind Mail", "northwind.example", contact, service, 21)
    steps.take_in(stage, case, vendor, "larkfield", 21, {"IN-05": "operational", "IN-17": "months"})
    sent = steps.send(stage, case, vendor, 6, due_in=8)
    sitting = steps.sit_down(stage, sent, "Victor Adeyemi", "Security manager", 4)
    steps.answer(stage, sitting, steps.told(stage, "larkfield", sent.request)[:41], 0.1)
    return sent.link


def _kite(stage: Stage) -> None:
    """Sent, never opened, overdue."""
    contact = NewContact("Front office", "office@kite.example")
    case, vendor = steps.open_case(stage, "Kite Courier", "kite.example", contact, "Same-day delivery", 25)
    steps.take_in(stage, case, vendor, "larkfield", 25)
    steps.send(stage, case, vendor, 17, due_in=-3)


def _hollow_tree(stage: Stage) -> None:
    """The mail server refused the invitation."""
    contact = NewContact("Jo Marsh", "jo.marsh@hollowtree.example", "Account manager")
    case, vendor = steps.open_case(stage, "Hollow Tree Hosting", "hollowtree.example", contact, "Virtual servers", 5)
    steps.take_in(stage, case, vendor, "larkfield", 5, {"IN-10": "admin", "IN-04": "severe"})
    steps.refuse_letters(stage, steps.send(stage, case, vendor, 1, due_in=13).request)


def _tern(stage: Stage) -> None:
    """The intake is not finished."""
    contact = NewContact("Sam Weber", "sam@tern.example")
    steps.open_case(stage, "Tern Payroll", "tern.example", contact, "Payroll for the Dublin office", 2)


def _osprey(stage: Stage) -> None:
    """Ready to send: tier 4, so only the weightiest questions."""
    contact, service = NewContact("Ana Prieto", "ana@osprey.example", "Owner"), "Translation of leaflets"
    case, vendor = steps.open_case(stage, "Osprey Translations", "osprey.example", contact, service, 3)
    small = {"IN-02": ["contacts"], "IN-04": "minor", "IN-05": "press", "IN-08": "none", "IN-17": "days", "IN-22": "no"}
    steps.take_in(stage, case, vendor, "larkfield", 3, small)
