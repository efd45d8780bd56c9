"""Links: issuing them, finding the one that a token opens, and mailing a fresh one in place of a dead one.

Called when a request is sent and by the vendor's pages. A token stands in the letter and in the address only; the
database knows its SHA-256.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Contact, Invitation, Request, RespondentSession, Vendor
from vendorrisk.domain.audit import Actor, ActorKind, EventKind
from vendorrisk.mail import messages
from vendorrisk.mail.messages import Message
from vendorrisk.services import audit, limits
from vendorrisk.services.letters import outbox
from vendorrisk.services.limits import Limit
from vendorrisk.services.sending import briefs
from vendorrisk.services.sending.briefs import Brief
from vendorrisk.settings import Settings

FRESH_LINKS = Limit("invitation.fresh", 3, timedelta(hours=1))
FRESH_LINKS_ASKED = Limit("invitation.fresh_asked", 30, timedelta(hours=1))
AFTER_CLOSING = timedelta(days=14)
"""How long a link asked for after closing lives: it only leads to the page that says what has happened."""
_SOMEBODY = Actor(ActorKind.VENDOR, "link", "somebody who has the link or the reference")
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """A living invitation, its request, and the key of its vendor."""

    invitation: Invitation
    request: Request
    key_id: UUID


def digest(token: str) -> bytes:
    """What the database keeps of a token or cookie."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_token() -> str:
    """A random 256-bit token for a link or a cookie."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def is_token(text: str) -> bool:
    """Whether a text has the form of what `new_token` gives."""
    return re.fullmatch(r"[A-Za-z0-9_-]{43}", text) is not None


def issue(
    session: Session, request: Request, contact_name: str, contact_email: str, *, key_id: UUID, by: Actor, now: datetime
) -> tuple[Invitation, str]:
    """Make a link for this person and return it with its token. The request's older links stop working."""
    _replace_older(session, request, contact_email, now=now)
    token = new_token()
    invitation = Invitation(
        request_id=request.id, token_hash=digest(token), created_at=now,
        name=vault.seal_text(session, key_id, contact_name, context="invitation.name"),
        email=vault.seal_text(session, key_id, contact_email, context="invitation.email"),
        expires_at=request.closes_at if request.closes_at > now else now + AFTER_CLOSING,
    )  # fmt: skip
    session.add(invitation)
    session.flush()
    audit.record(
        session, EventKind.INVITATION_ISSUED, object_kind="assessment", object_id=request.assessment_id,
        key_id=key_id, by=by, now=now,
        details={"request": request.reference, "to": contact_email, "until": invitation.expires_at.isoformat()},
    )  # fmt: skip
    return invitation, token


def _replace_older(session: Session, request: Request, email: str, *, now: datetime) -> None:
    # The same person goes on in the browsers they used; another person's browsers are signed out.
    for invitation in session.scalars(select(Invitation).where(Invitation.request_id == request.id)):
        invitation.revoked_at = invitation.revoked_at or now
        if vault.open_text(session, invitation.email, context="invitation.email").casefold() != email.casefold():
            ended = update(RespondentSession).where(RespondentSession.invitation_id == invitation.id)
            session.execute(ended.values(ended_at=now))


def address(settings: Settings, token: str) -> str:
    """The link that stands in the letter."""
    return f"{settings.base_url.rstrip('/')}/q/{token}"


def find(session: Session, token: str, *, now: datetime) -> Link | None:
    """What a token opens; None alike for unknown, replaced and expired links and those of withdrawn requests."""
    return alive(_by_token(session, token), now=now)


def alive(found: Row[Invitation, Request, UUID] | None, *, now: datetime) -> Link | None:
    """The link, unless there is none or it leads nowhere any more."""
    if found is None:
        return None
    invitation, request, key_id = found
    withdrawn = request.withdrawn_at is not None and invitation.created_at <= request.withdrawn_at
    if invitation.revoked_at is not None or invitation.expires_at <= now or withdrawn:
        return None
    return Link(invitation, request, key_id)


def query() -> Select[Invitation, Request, UUID]:
    """All invitations, each with its request and its vendor's key: narrow it."""
    return (
        select(Invitation, Request, Vendor.key_id)
        .join(Request, Request.id == Invitation.request_id)
        .join(Vendor, Vendor.id == Request.vendor_id)
    )


def _by_token(session: Session, token: str) -> Row[Invitation, Request, UUID] | None:
    return session.execute(query().where(Invitation.token_hash == digest(token))).one_or_none()


def send_fresh(session: Session, *, token: str, reference: str, settings: Settings, now: datetime) -> None:
    """Mail a fresh link to the registered contact, if token or reference belong to a request; tell nobody which."""
    request = _request_of(session, token, reference)
    if request is None:
        return
    try:
        limits.take(session, FRESH_LINKS, str(request.id), now=now)
    except limits.TooMany:
        return
    vendor, contact = session.get_one(Vendor, request.vendor_id), session.get_one(Contact, request.contact_id)
    if vendor.erased_at is not None:
        return
    name = vault.open_text(session, contact.name, context="contact.name")
    email = vault.open_text(session, contact.email, context="contact.email")
    mail(session, request, name, email, key_id=vendor.key_id, settings=settings, by=_SOMEBODY, now=now)


def _request_of(session: Session, token: str, reference: str) -> Request | None:
    by_token = _by_token(session, token) if token else None
    if by_token is not None:
        return by_token[1]
    wanted = reference.strip().upper()
    # What cannot be printed is no reference, and PostgreSQL would not even look for a NUL.
    if not wanted or not wanted.isprintable():
        return None
    return session.scalar(select(Request).where(Request.reference == wanted))


def mail(
    session: Session, request: Request, name: str, email: str, *, key_id: UUID, settings: Settings, by: Actor,
    now: datetime,
) -> str:  # fmt: skip
    """Issue a link for this person and put the letter that carries it into the outbox; returns the link."""
    _, token = issue(session, request, name, email, key_id=key_id, by=by, now=now)
    link, brief = address(settings, token), briefs.of(session, request, settings=settings)
    message = letter(brief, link, to=email, to_name=name, code_required=request.code_required)
    outbox.put(session, message, kind="invitation", key_id=key_id, request_id=request.id, now=now)
    return link


def letter(brief: Brief, link: str, *, to: str, to_name: str, code_required: bool) -> Message:
    """The letter that tells the brief and carries the link."""
    return messages.invitation(
        organisation=brief.organisation, sender_name=brief.sender_name, sender_email=brief.sender_email,
        sender_phone=brief.sender_phone, to=to, to_name=to_name, questionnaire_titles=brief.titles,
        question_count=brief.questions, minutes=brief.minutes, due=brief.due_at, zone=brief.zone,
        closes=brief.closes_at, link=link, reference=brief.reference, note=brief.note,
        service=brief.service, code_required=code_required,
    )  # fmt: skip


def masked(email: str) -> str:
    """An address that its owner recognises and nobody else learns: d•••@n•••.example."""
    local, _, domain = email.rpartition("@")
    host, dot, ending = domain.rpartition(".")
    return f"{local[:1]}•••@{(host or ending)[:1]}•••{dot + ending if host else ''}"
