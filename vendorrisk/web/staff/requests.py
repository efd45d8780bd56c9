"""Requests: the send page with its preflight and preview, the status of one request, a fresh link, withdrawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from vendorrisk.db.models import Assessment, User, Vendor
from vendorrisk.domain.errors import WrongState
from vendorrisk.domain.questionnaire import Purpose
from vendorrisk.domain.roles import Role
from vendorrisk.mail.messages import Message
from vendorrisk.services import actors
from vendorrisk.services.casework import assessments, contacts, vendors
from vendorrisk.services.casework import intake as intakes
from vendorrisk.services.casework.contacts import ContactView
from vendorrisk.services.letters.outbox import LetterView
from vendorrisk.services.sending import briefs, preflight, request_sheets, requests
from vendorrisk.services.sending.preflight import Check
from vendorrisk.services.sending.request_sheets import RequestSheet
from vendorrisk.services.sending.requests import Sending
from vendorrisk.web import access, edge
from vendorrisk.web import forms as shared
from vendorrisk.web.staff import bp, once, words
from vendorrisk.web.staff.forms import SOMEBODY_NEW, RecipientForm, SendForm

NOT_YET = "the-link-is-made-when-you-send"


@dataclass(frozen=True, slots=True)
class Offer:
    """One questionnaire on the send page, as this vendor would get it."""

    id: str
    title: str
    version: str
    questions: int
    proposed: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """What the send page shows beside its form."""

    case: Assessment
    reference: str
    vendor: str
    vendor_reference: str
    service: str
    people: Sequence[ContactView]
    offers: Sequence[Offer]
    reasons: Sequence[str]
    short: bool
    checks: Sequence[Check]
    zone: str

    @property
    def may_switch_code_off(self) -> bool:
        """In tiers 3 and 4 only."""
        return self.case.tier not in requests.STRICT_TIERS


@bp.route("/assessments/<reference>/send", methods=["GET", "POST"])
@access.open_to(Role.STAFF, Role.ADMIN)
def send(reference: str) -> ResponseReturnValue:
    """Choose what goes to whom until when; everything has a default. Sending leads to the page of the request."""
    form = SendForm()
    with edge.reading() as session:
        desk = _desk(session, reference)
        _fill(form, desk)
        errors = []
        if request.method == "POST":
            form.validate()
            errors = shared.problems(form)
        letter = _preview(session, desk, form) if not errors else None
    if errors or request.method != "POST" or request.form.get("then") == "preview":
        shown = render_template("staff/requests/send.html", form=form, desk=desk, letter=letter, errors=errors)
        return shown, 422 if errors else 200
    return _send(desk, form)


def _send(desk: Desk, form: SendForm) -> ResponseReturnValue:
    services, now, by = edge.services(), edge.now(), access.current_actor()
    try:
        with edge.writing() as session:
            case, vendor = assessments.get(session, desk.reference)
            if (known := requests.open_request(session, case.id)) is not None:
                return redirect(url_for("staff.request_status", reference=known), 303)  # a second click
            sending = _sending(desk, form, _contact_id(session, vendor, form))
            sent = requests.send(
                session, case.id, sending, library=services.library, rules=services.rules, settings=services.settings,
                by=by, now=now,
            )  # fmt: skip
            once.keep(session, vendor.key_id, sent.request.reference, sent.link, now=now)
    except WrongState as error:
        errors = [("", str(error))]
        return render_template("staff/requests/send.html", form=form, desk=desk, letter=None, errors=errors), 422
    return redirect(url_for("staff.request_status", reference=sent.request.reference), 303)


def _sending(desk: Desk, form: SendForm, contact_id: UUID) -> Sending:
    return Sending(
        contact_id=contact_id, questionnaire_ids=tuple(form.questionnaires.data or ()),
        due_at=form.due_at(requests.DUE_TIME, desk.zone), zone=desk.zone, note=form.note.data or "",
        code_required=bool(form.code_required.data) or not desk.may_switch_code_off,
    )  # fmt: skip


def _contact_id(session: Session, vendor: Vendor, form: RecipientForm) -> UUID:
    new = form.new_contact()
    if new is not None:
        return contacts.add(session, vendor, new, by=access.current_actor(), now=edge.now()).id
    return UUID(form.to.data)


def _desk(session: Session, reference: str) -> Desk:
    services = edge.services()
    case, vendor = assessments.get(session, reference)
    people = contacts.of_vendor(session, vendor.id)
    known = {k: q for k, q in services.library.questionnaires.items() if q.purpose is Purpose.VENDOR}
    asked = intakes.questionnaire(session, case)
    proposal = intakes.result(asked, intakes.answers(session, case, asked), tuple(known)).proposal
    offers = [
        Offer(q.id, str(q.title), q.version, briefs.counts([q])[0], q.id in proposal.questionnaires)
        for q in requests.frozen(services.library, tuple(known), case.tier)
    ]
    checks = preflight.check(session, case, people, services.settings, available=len(offers))
    return Desk(
        case, case.reference, vendors.name_of(session, vendor), vendor.reference,
        assessments.service_of(session, case), people, offers, proposal.reasons, proposal.short, checks,
        services.settings.zone,
    )  # fmt: skip


def _fill(form: SendForm, desk: Desk) -> None:
    """Choices, and defaults good enough to send as they are."""
    form.questionnaires.choices = [(offer.id, offer.title) for offer in desk.offers]
    _offer_people(form, desk.people)
    if request.method != "POST":
        form.questionnaires.data = [offer.id for offer in desk.offers if offer.proposed]
        form.due.data = requests.default_due(desk.zone, now=edge.now()).date().isoformat()
        form.code_required.data = True


def _offer_people(form: RecipientForm, people: Sequence[ContactView], chosen: str | None = None) -> None:
    form.to.choices = [(str(person.id), f"{person.name}, {person.email}") for person in people]
    form.to.choices.append((SOMEBODY_NEW, "Somebody new"))
    if request.method != "POST":
        form.to.data = chosen or form.to.choices[0][0]


def _preview(session: Session, desk: Desk, form: SendForm) -> Message:
    """The letter as it would leave now, but for its link."""
    services = edge.services()
    to = _recipient(desk, form)
    sending = _sending(desk, form, to.id)
    asked = requests.frozen(services.library, sending.questionnaire_ids, desk.case.tier)
    sender_id = actors.user_id(access.current_actor())
    return requests.preview(
        sending, asked, to=to, sender=session.get(User, sender_id) if sender_id else None, service=desk.service,
        link=f"{services.settings.base_url}/q/{NOT_YET}", reference="R-······", settings=services.settings,
    )  # fmt: skip


def _recipient(desk: Desk, form: RecipientForm) -> ContactView:
    known = next((person for person in desk.people if str(person.id) == form.to.data), None)
    if known is not None:
        return known
    return ContactView(UUID(int=0), form.new_name.data or "…", form.new_email.data or "…", "", "", False)


@bp.get("/requests/<reference>")
@access.open_to(Role.STAFF, Role.ADMIN)
def request_status(reference: str) -> ResponseReturnValue:
    """Where one request stands: answered, opened, due, and what became of its letters."""
    now = edge.now()
    with edge.reading() as session:
        shown = request_sheets.show(session, reference)
        link = once.take(session, reference, now=now)
    return render_template("staff/requests/show.html", request_=shown, link=link, now=now, timeline=_timeline(shown))


def _timeline(shown: RequestSheet) -> list[tuple[datetime, str]]:
    """What happened, in order. Letters say themselves whether they left."""
    first, *fresh = shown.links or (shown.sent_at,)
    happened: list[tuple[datetime | None, str]] = [(first, "Questionnaires frozen, link made, letter written")]
    happened += [(at, "Fresh link made, letter written; the older link stopped working") for at in fresh]
    happened += [(letter.sent_at, f"{_letter_name(letter)} taken by the mail server") for letter in shown.letters]
    happened += [
        (shown.opened_at, "Opened by somebody at the vendor"),
        (shown.last_saved_at, f"Answer saved{f' by {shown.last_saved_by}' if shown.last_saved_by else ''}"),
        (shown.submitted_at, "Answers submitted"),
        (shown.withdrawn_at, "Withdrawn"),
    ]
    return sorted((at, text) for at, text in happened if at is not None)


def _letter_name(letter: LetterView) -> str:
    return words.LETTERS.get(letter.kind, letter.kind)


@bp.route("/requests/<reference>/link", methods=["GET", "POST"])
@access.open_to(Role.STAFF, Role.ADMIN)
def fresh_link(reference: str) -> ResponseReturnValue:
    """Send a fresh link, to the same person or another one."""
    form = RecipientForm()
    with edge.reading() as session:
        shown = request_sheets.show(session, reference)
        _row, _case, vendor = requests.get(session, reference)
        people = contacts.of_vendor(session, vendor.id)
    if not shown.is_live:
        raise WrongState("Nothing is left to answer in this request, so there is no link to send.")
    _offer_people(form, people, str(shown.to.id))
    if request.method != "POST":
        return render_template("staff/requests/link.html", form=form, request_=shown, people=people)
    if not form.validate():
        errors = shared.problems(form)
        return render_template("staff/requests/link.html", form=form, request_=shown, people=people, errors=errors), 422
    now = edge.now()
    with edge.writing() as session:
        sent = requests.fresh_link(
            session, reference, _contact_id(session, requests.get(session, reference)[2], form),
            settings=edge.services().settings, by=access.current_actor(), now=now,
        )  # fmt: skip
        once.keep(session, vendor.key_id, reference, sent.link, now=now)
    return redirect(url_for("staff.request_status", reference=reference), 303)


@bp.route("/requests/<reference>/withdraw", methods=["GET", "POST"])
@access.open_to(Role.STAFF, Role.ADMIN)
def withdraw(reference: str) -> ResponseReturnValue:
    """Ask once, then take the request back."""
    with edge.reading() as session:
        shown = request_sheets.show(session, reference)
    if request.method != "POST":
        if not shown.is_live:
            raise WrongState("Nothing is left to answer in this request, so it cannot be withdrawn.")
        return render_template("staff/requests/withdraw.html", request_=shown)
    with edge.writing() as session:
        case = requests.withdraw(session, reference, by=access.current_actor(), now=edge.now())
    flash("The request was withdrawn. The assessment can be sent again.")
    return redirect(url_for("staff.assessment", reference=case.reference), 303)
