"""The trail as people read it: the events of one case in words, and how many are sealed into the chain.

Called by the staff's and the auditor's trail pages. `audit` writes what this module reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.models import Event, Link
from vendorrisk.domain.audit import ActorKind, EventKind
from vendorrisk.domain.chain import Entry
from vendorrisk.mail import messages
from vendorrisk.services import audit, paging
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.services.paging import Page

PAGE_SIZE = 50

DID: dict[EventKind, str] = {
    EventKind.USER_ADDED: "added an account",
    EventKind.USER_CHANGED: "changed an account",
    EventKind.SIGNED_IN: "signed in",
    EventKind.SIGNED_OUT: "signed out",
    EventKind.SIGN_IN_FAILED: "tried to sign in",
    EventKind.PASSWORD_CHANGED: "changed the password",
    EventKind.RESET_ASKED: "asked for a new password",
    EventKind.SIGN_IN_CONFIRMED: "confirmed who they are",
    EventKind.FACTOR_ADDED: "added a second factor",
    EventKind.FACTOR_REMOVED: "removed a second factor",
    EventKind.RECOVERY_CODES_MADE: "made new recovery codes",
    EventKind.RECOVERY_CODE_USED: "used a recovery code",
    EventKind.FACTORS_RESET: "took all second factors off an account",
    EventKind.SIGN_INS_ENDED: "signed an account out everywhere",
    EventKind.MANY_VENDORS_OPENED: "saw very many vendors within an hour",
    EventKind.LIMITS_CLEARED: "let an account try again to sign in",
    EventKind.SCOPE_SET: "set which cases an auditor sees",
    EventKind.VENDOR_ADDED: "added the vendor",
    EventKind.VENDOR_CHANGED: "changed the vendor",
    EventKind.VENDOR_ERASED: "erased the vendor’s data",
    EventKind.CONTACT_ADDED: "added a contact",
    EventKind.CONTACT_CHANGED: "changed a contact",
    EventKind.ASSESSMENT_OPENED: "opened the assessment",
    EventKind.INTAKE_SAVED: "saved the intake",
    EventKind.INTAKE_COMPLETED: "completed the intake",
    EventKind.REQUEST_SENT: "sent the questionnaires",
    EventKind.REQUEST_OPENED: "opened the request",
    EventKind.REQUEST_WITHDRAWN: "withdrew the request",
    EventKind.INVITATION_ISSUED: "issued a link",
    EventKind.CODE_SENT: "asked for a code",
    EventKind.CODE_REFUSED: "entered a wrong code",
    EventKind.RESPONDENT_STARTED: "started to answer",
    EventKind.ANSWER_SAVED: "saved an answer",
    EventKind.EVIDENCE_ADDED: "added evidence",
    EventKind.EVIDENCE_REFUSED: "sent a file in which the virus scanner found something",
    EventKind.EVIDENCE_REMOVED: "removed evidence",
    EventKind.EVIDENCE_READ: "read evidence",
    EventKind.ANSWERS_READ: "read the answers",
    EventKind.REQUEST_SUBMITTED: "submitted the answers",
    EventKind.ANSWER_REVIEWED: "reviewed an answer",
    EventKind.CONTRADICTION_DISMISSED: "set a contradiction aside",
    EventKind.SCORE_COMPUTED: "caused a new score",
    EventKind.DECISION_RECORDED: "decided",
    EventKind.REPORT_ASKED: "asked for a report",
    EventKind.REPORT_MADE: "made a report",
    EventKind.REPORT_FAILED: "could not make a report",
    EventKind.REPORT_READ: "read a report",
    EventKind.LETTER_QUEUED: "wrote a letter",
    EventKind.LETTER_SENT: "sent a letter",
    EventKind.LETTER_UNDELIVERED: "could not deliver a letter",
    EventKind.LETTER_RETRIED: "tried again to send a letter",
    EventKind.KEYS_ROTATED: "changed the master key",
    EventKind.KEYS_EXPORTED: "wrote down the master key",
    EventKind.BACKUP_MADE: "made a backup",
    EventKind.BACKUP_RESTORED: "restored a backup",
    EventKind.TRAIL_VERIFIED: "checked the trail",
    EventKind.TRAIL_EXPORTED: "exported the trail",
    EventKind.TRAIL_ACCEPTED: "accepted the trail as it stands",
}
"""What somebody did, after their name. A test names the kinds that are missing."""

ACTORS: dict[str, str] = {
    ActorKind.STAFF.value: "staff",
    ActorKind.VENDOR.value: "vendor",
    ActorKind.SYSTEM.value: "service",
}

LABELS: dict[str, str] = {
    "assessment": "Assessment", "request": "Request", "question": "Question", "version": "Version",
    "state": "State",
    "origin": "Origin", "evidence": "Evidence", "note": "Note", "grade": "Grade",
    "not_applicable": "Not applicable",
    "rule": "Rule", "title": "Title", "severity": "Severity", "reason": "Reason", "band": "Band",
    "provisional": "Provisional", "inputs": "Inputs", "outcome": "Outcome", "valid_until": "Valid until",
    "conditions": "Conditions", "sha256": "SHA-256", "size": "Bytes", "name": "Name", "to": "To",
    "hash": "Hash",
    "due": "Due", "on_behalf": "Without the vendor’s own submission",
}  # fmt: skip
"""Names of details; those not here are shown as they are written, with spaces."""

WORDS: dict[str, str] = {
    "not_applicable": "not applicable", "with_conditions": "approved with conditions",
}  # fmt: skip
"""Codes that would not be understood as they stand."""

ERASED, BROKEN = "erased", "broken"
_KNOWN = {kind.value: words for kind, words in DID.items()}
_UNSAID = {"by", "before", "after", "letter_id"}


@dataclass(frozen=True, slots=True)
class Detail:
    """One detail of an event: what it is now, and what it was before where that is known."""

    label: str
    after: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class EventView:
    """One event in words. `is_erased`: its details went with the vendor's key; `is_broken`: they were tampered with."""

    number: int
    at: datetime
    who: str
    kind_of_actor: str
    did: str
    kind: str
    details: tuple[Detail, ...]
    is_sealed: bool
    is_erased: bool
    is_broken: bool


@dataclass(frozen=True, slots=True)
class Trail:
    """One page of a case's events, the latest first, and how many of all are not in the chain yet."""

    page: Page[EventView]
    unsealed: int


def of_case(session: Session, dossier: Dossier, number: int) -> Trail:
    """The trail of one case. Four queries, however long it is."""
    mine = (Event.object_kind == "assessment", Event.object_id == dossier.case.id)
    events = select(Event, Link.position).outerjoin(Link, Link.event_number == Event.number).where(*mine)
    total, sealed = session.execute(
        select(func.count(Event.number), func.count(Link.position))
        .select_from(Event)
        .outerjoin(Link, Link.event_number == Event.number)
        .where(*mine)
    ).one()
    number = paging.within(number, total, PAGE_SIZE)
    ordered = events.order_by(Event.at.desc(), Event.number.desc())
    found = session.execute(ordered.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    vault.preload(session, [dossier.key_id, vault.SYSTEM_KEY])
    views = tuple(view(session, event, position is not None) for event, position in found)
    return Trail(Page(views, number, PAGE_SIZE, total), total - sealed)


def view(session: Session, event: Event | Entry, sealed: bool) -> EventView:
    """One event in words."""
    body, gone = opened(session, event)
    return EventView(
        number=event.number, at=event.at, who=str(body.get("by", "")),
        kind_of_actor=ACTORS.get(event.actor_kind, event.actor_kind), did=_KNOWN.get(event.kind, event.kind),
        kind=event.kind, details=details_of(body), is_sealed=sealed, is_erased=gone == ERASED,
        is_broken=gone == BROKEN,
    )  # fmt: skip


def opened(session: Session, event: Event | Entry) -> tuple[Mapping[str, Any], str]:
    """The details of an event; nothing, and why, where they went with the vendor's key or were tampered with."""
    try:
        return vault.open_json(session, event.details, context=audit.CONTEXT), ""
    except vault.Erased:
        return {}, ERASED
    except crypto.CannotOpen:
        return {}, BROKEN


def details_of(body: Mapping[str, Any]) -> tuple[Detail, ...]:
    """The details of an event in words; `before` and `after` side by side, key by key."""
    plain = [
        Detail(label(key), messages.TITLES.get(value, value) if key == "letter" else said(value))
        for key, value in body.items()
        if key not in _UNSAID
    ]
    before, after = body.get("before") or {}, body.get("after") or {}
    changes = [
        Detail(label(key), said(after.get(key)), said(before.get(key)) if body.get("before") else None)
        for key in dict.fromkeys((*after, *before))
        if said(after.get(key)) or said(before.get(key))
    ]
    return (*plain, *changes)


def label(key: str) -> str:
    """The name of a detail."""
    return LABELS.get(key) or key.replace("_", " ").capitalize()


def said(value: Any) -> str:
    """A detail's value in words."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(said(each) for each in value)
    if isinstance(value, dict):
        return "; ".join(f"{label(key)}: {said(each)}" for key, each in value.items())
    return WORDS.get(str(value), str(value))
