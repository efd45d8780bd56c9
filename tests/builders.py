"""Things to test with, one line each: people, vendors, cases, requests, answers; all with defaults.

They go through the services, so that what tests see is what the product makes; only states that take many steps to
reach (a request that was submitted, a case in review) are written into the row.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Answer, Assessment, Contact, Evidence, Request, User, Vendor
from vendorrisk.domain.answers import Value
from vendorrisk.domain.assessment import AssessmentStatus, Origin, RequestStatus
from vendorrisk.domain.audit import SYSTEM, Actor, ActorKind
from vendorrisk.domain.questionnaire import Question, Questionnaire
from vendorrisk.domain.roles import Role
from vendorrisk.library import loader, shipped
from vendorrisk.services import copies, references
from vendorrisk.services.answering import checked_files, evidence, saves
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.casework import assessments, contacts, vendors
from vendorrisk.services.casework.contacts import NewContact
from vendorrisk.services.casework.vendors import NewVendor
from vendorrisk.services.people import accounts, factors
from vendorrisk.services.sending import invitations
from vendorrisk.storage import Storage

NOW = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
"""The moment at which tests happen, unless they say otherwise: a Tuesday."""

PASSWORD = "correct horse battery"
APP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_VENDORS = ("Northwind Mail", "Tailspin Data", "Fabrikam Backup", "Litware Hosting", "Contoso Calls", "Adatum Prints")
_number = itertools.count(1)
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def actor(user: User) -> Actor:
    """The user as one who acts."""
    return Actor(ActorKind.STAFF, str(user.id), user.name or user.email)


def add_user(
    session: Session, email: str = "petra@acme.example", *, name: str = "Petra Novak",
    roles: Collection[Role] = (Role.STAFF,), password: str = PASSWORD, now: datetime = NOW,
) -> User:  # fmt: skip
    """A member of staff who can sign in: their authenticator app has the secret APP_SECRET."""
    accounts.ensure_roles(session)
    session.flush()
    phone = "+44 20 7946 0000"
    user = accounts.add(session, email, name=name, roles=roles, password=password, phone=phone, by=SYSTEM, now=now)
    factors.keep_app(session, user.id, APP_SECRET)
    return user


def app_code(session: Session, user: User, now: datetime = NOW) -> str:
    """A code that the person's authenticator app shows at `now`, as if none had been used yet.

    The clock of tests stands still, so the same person may sign in more often than there are codes.
    """
    session.execute(update(User).where(User.id == user.id).values(totp_counter=None))
    code = factors.next_app_code(session, user.id, now=now)
    assert code is not None
    return code


def sign_in(
    browser: FlaskClient, database: Database, user: User, now: datetime = NOW, password: str = PASSWORD
) -> None:
    """Take a browser through both steps of the sign-in pages."""
    answer = post(browser, "/sign-in", {"email": user.email, "password": password})
    assert answer.status_code in (302, 303), answer.text
    with database.writing() as session:
        code = app_code(session, user, now)
    answer = post(browser, "/sign-in/code", {"code": code})
    assert answer.status_code in (302, 303), answer.text


def add_vendor(
    session: Session, name: str = "", *, website: str | None = None, by: Actor = SYSTEM, now: datetime = NOW
) -> Vendor:
    """A vendor without contacts. Unnamed ones get a name and a domain of their own."""
    number = next(_number)
    name = name or f"{_VENDORS[number % len(_VENDORS)]} {number}"
    if website is None:
        website = f"https://{'-'.join(re.findall('[a-z0-9]+', name.lower()))}.example"
    return vendors.add(session, NewVendor(name, website), by=by, now=now)


def add_contact(
    session: Session, vendor: Vendor, name: str = "Victor Lang", email: str = "victor@northwind.example", *,
    by: Actor = SYSTEM, now: datetime = NOW,
) -> Contact:  # fmt: skip
    """Somebody at the vendor who can be asked."""
    return contacts.add(session, vendor, NewContact(name, email), by=by, now=now)


def add_assessment(
    session: Session, vendor: Vendor | None = None, *, status: AssessmentStatus = AssessmentStatus.INTAKE,
    service: str = "Mailing service for members", tier: int = 2, inherent: str = "64", owner: User | None = None,
    by: Actor | None = None, now: datetime = NOW,
) -> Assessment:  # fmt: skip
    """A case. Beyond the intake it has its tier and inherent score."""
    vendor = vendor or add_vendor(session, now=now)
    by = by or (actor(owner) if owner else SYSTEM)
    intake = shipped.load().questionnaires["intake"]
    case = assessments.open_case(session, vendor.id, service, intake=intake, by=by, now=now)
    if owner is not None:
        case.owner_id = owner.id
    if status is not AssessmentStatus.INTAKE:
        case.status, case.tier, case.inherent, case.intake_done_at = status, tier, Decimal(inherent), now
    if status is AssessmentStatus.DECIDED:
        case.decided_at = now
    session.flush()
    return case


def add_request(
    session: Session, case: Assessment | None = None, *, status: RequestStatus = RequestStatus.SENT,
    questionnaires: Sequence[Questionnaire] = (), contact: Contact | None = None, due: datetime | None = None,
    code_required: bool = True, note: str = "", sender: User | None = None, now: datetime = NOW,
) -> Request:  # fmt: skip
    """A sending of `tiny()`, or of other questionnaires; the case moves along. It has no link yet: `add_link`."""
    case = case or add_assessment(session, status=AssessmentStatus.READY, now=now)
    vendor = session.get_one(Vendor, case.vendor_id)
    contact = contact or _contact_of(session, vendor, now)
    due = due or now + timedelta(days=14)
    request = Request(
        id=uuid4(), reference=references.request(session, Request.reference), assessment_id=case.id,
        vendor_id=vendor.id, contact_id=contact.id, status=status, code_required=code_required, due_at=due,
        copies=[copies.keep(session, asked, now=now) for asked in questionnaires or [tiny()]],
        rules_copy=copies.keep_rules(session, shipped.load().rules, now=now), zone="Europe/London",
        note=vault.seal_text(session, vendor.key_id, note, context="request.note") if note else None,
        closes_at=due + timedelta(days=14), sent_at=now, sent_by=sender.id if sender else None,
        opened_at=now if status in (RequestStatus.OPEN, RequestStatus.SUBMITTED) else None,
        submitted_at=now if status is RequestStatus.SUBMITTED else None,
        withdrawn_at=now if status is RequestStatus.WITHDRAWN else None,
    )  # fmt: skip
    session.add(request)
    case.due_at = due
    _move_along(case, status)
    session.flush()
    return request


def add_link(
    session: Session, request: Request, name: str = "Victor Lang", email: str = "victor@northwind.example", *,
    now: datetime = NOW,
) -> str:  # fmt: skip
    """A living link of the request; returns its token."""
    key_id = session.get_one(Vendor, request.vendor_id).key_id
    return invitations.issue(session, request, name, email, key_id=key_id, by=SYSTEM, now=now)[1]


def add_answer(
    session: Session, request: Request, question_id: str, value: Value | None = None, *,
    not_applicable: str | None = None, unknown: bool = False, comment: str = "", source: str = "",
    origin: Origin = Origin.VENDOR, answered_on: date | None = None, by: Actor = SYSTEM, now: datetime = NOW,
) -> Answer:  # fmt: skip
    """An answer, or the next version of one."""
    question = question_of(session, request, question_id)
    key_id = session.get_one(Vendor, request.vendor_id).key_id
    there = session.get(Answer, (request.id, question_id), populate_existing=True)
    said = NewAnswer(value, not_applicable, unknown, comment, source)
    saves.put(
        session, request, key_id, question, said, expected_version=there.version if there else 0, origin=origin, by=by,
        now=now, answered_on=answered_on,
    )  # fmt: skip
    return session.get_one(Answer, (request.id, question_id), populate_existing=True)


def add_evidence(
    session: Session, storage: Storage, request: Request, question: Question, name: str, content: bytes, *,
    by: Actor = SYSTEM, now: datetime = NOW,
) -> Evidence:  # fmt: skip
    """A file that backs the answer to this question, stored and attached."""
    key_id = session.get_one(Vendor, request.vendor_id).key_id
    checked = checked_files.check(name, content, scanner=None, now=now)
    evidence.reserve(session, request, checked, now=now)
    evidence.store(storage, key_id, vault.data_key(session, key_id), checked)
    return evidence.attach(session, request, key_id, question, checked, by=by, now=now)


def question_of(session: Session, request: Request, question_id: str) -> Question:
    """The question with this id, as it was when the request was sent."""
    asked = copies.questionnaires(session, request.copies)
    return next(questionnaire.by_id[question_id] for questionnaire in asked if question_id in questionnaire.by_id)


@lru_cache(maxsize=1)
def tiny() -> Questionnaire:
    """Three questions: `remote_access` (no, managed, own) and two that depend on it."""
    return loader.load(shipped.FOLDER / "examples" / "follow_up.yaml")


def token_in(page: TestResponse | str) -> str:
    """The CSRF token of the first form on a page."""
    found = _TOKEN.search(page if isinstance(page, str) else page.text)
    assert found, "there is no form with a CSRF token on this page"
    return found[1]


def post(
    client: FlaskClient, url: str, data: Mapping[str, Any] | None = None, *, page: str | None = None, **more: Any
) -> TestResponse:
    """Send a form as a browser does: with the token from the form's page, which is `page` or the address itself."""
    shown = client.get(page or url)
    return client.post(url, data={"csrf_token": token_in(shown), **(data or {})}, **more)


def _contact_of(session: Session, vendor: Vendor, now: datetime) -> Contact:
    there = session.scalar(select(Contact).where(Contact.vendor_id == vendor.id).limit(1))
    return there or add_contact(session, vendor, now=now)


def _move_along(case: Assessment, status: RequestStatus) -> None:
    moves = {RequestStatus.SUBMITTED: AssessmentStatus.REVIEW, RequestStatus.WITHDRAWN: AssessmentStatus.READY}
    if case.status in (AssessmentStatus.INTAKE, AssessmentStatus.READY):
        case.status = moves.get(status, AssessmentStatus.SENT)
