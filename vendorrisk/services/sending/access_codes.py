"""Six-digit codes mailed to the invited mailbox: ten minutes, five tries, once, in the browser that asked.

Called by the vendor's link pages.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast
from uuid import uuid4

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.models import AccessCode, Invitation, Request
from vendorrisk.domain.audit import Actor, ActorKind, EventKind
from vendorrisk.domain.errors import NotFound
from vendorrisk.mail import messages
from vendorrisk.services import audit, limits
from vendorrisk.services.letters import outbox
from vendorrisk.services.limits import Limit
from vendorrisk.services.sending import invitations
from vendorrisk.services.sending.invitations import Link

LIFETIME = timedelta(minutes=10)
TRIES = 5
CLOCKS_MAY_DIFFER = timedelta(minutes=1)
"""Between machines. A code that was made later than that has outlived a clock that was set back, and is not taken."""
SENDS = Limit("code.sent", 10, timedelta(hours=1))
SENDS_A_BROWSER = Limit("code.sent_to_browser", 4, timedelta(minutes=10))
WRONG = Limit("code.wrong", 20, timedelta(days=1))
"""Over all codes of one link: who has the link but not the mailbox gets no further by asking for new codes."""


class Refusal(StrEnum):
    """Why a code was not taken."""

    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"
    USED = "used"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Redeeming:
    """How it went: `refusal` is None when the code was right."""

    refusal: Refusal | None
    tries_left: int = 0


def send(session: Session, link: Link, browser: str, *, now: datetime) -> None:
    """Mail a new code to the invited mailbox; this browser's earlier ones stop working. Raises TooMany."""
    invitation, whom = link.invitation, str(link.invitation.id)
    limits.take(session, SENDS_A_BROWSER, f"{whom} {browser}", now=now)
    limits.take(session, SENDS, whom, now=now)
    browser_hash = invitations.digest(browser)
    earlier = update(AccessCode).where(
        AccessCode.invitation_id == invitation.id, AccessCode.browser_hash == browser_hash, AccessCode.expires_at > now
    )
    session.execute(earlier.values(expires_at=now))
    code, code_id = f"{secrets.randbelow(1_000_000):06d}", uuid4()
    session.add(
        AccessCode(
            id=code_id, invitation_id=invitation.id, browser_hash=browser_hash, created_at=now,
            code_hash=_hash(session, code, code_id.bytes), expires_at=now + LIFETIME,
        )
    )  # fmt: skip
    email = vault.open_text(session, invitation.email, context="invitation.email")
    message = messages.access_code(
        to=email, code=code, minutes=int(LIFETIME.total_seconds() // 60), reference=link.request.reference
    )
    outbox.put(session, message, kind="access_code", key_id=link.key_id, request_id=link.request.id, now=now)
    _record(session, EventKind.CODE_SENT, link, {"to": email}, now=now)


def redeem(session: Session, link: Link, browser: str, typed: str, *, now: datetime) -> Redeeming:
    """Try a code. Commit whatever comes back: a wrong try counts."""
    whom = str(link.invitation.id)
    found = _newest(session, link, browser)
    if found is None:
        return Redeeming(Refusal.NONE)
    if limits.is_reached(session, WRONG, whom, now=now):
        return Redeeming(Refusal.LOCKED)
    if not _take_a_try(session, found, now=now):
        return Redeeming(_why_not(found, now=now))
    code = "".join(character for character in typed if character.isalnum())
    if not hmac.compare_digest(_hash(session, code, found.id.bytes), found.code_hash):
        limits.take(session, WRONG, whom, now=now)
        left = TRIES - found.tries
        _record(session, EventKind.CODE_REFUSED, link, {"tries_left": left}, now=now)
        return Redeeming(Refusal.WRONG if left else Refusal.LOCKED, left)
    return Redeeming(None if _use(session, found, now=now) else Refusal.USED)


def link_of(session: Session, reference: str, browser: str, *, now: datetime) -> Link:
    """The living link for which this browser last asked for a code at this request.

    Raises NotFound: alike for no such request, for one that this browser never asked about, and for a dead link.
    """
    asked = (
        invitations.query()
        .join(AccessCode, AccessCode.invitation_id == Invitation.id)
        .where(Request.reference == reference, AccessCode.browser_hash == invitations.digest(browser))
    )
    newest = asked.order_by(AccessCode.created_at.desc(), AccessCode.expires_at.desc()).limit(1)
    link = invitations.alive(session.execute(newest).one_or_none(), now=now)
    if link is None:
        raise NotFound("No code was asked for here, or the link does not work any more.")
    return link


def _hash(session: Session, code: str, row_id: bytes) -> bytes:
    key = vault.keyring(session).master.purpose("codes")
    return crypto.keyed_hash(key, code.encode("utf-8", "surrogatepass"), row_id)


def _newest(session: Session, link: Link, browser: str) -> AccessCode | None:
    mine = select(AccessCode).where(
        AccessCode.invitation_id == link.invitation.id, AccessCode.browser_hash == invitations.digest(browser)
    )
    return session.scalar(mine.order_by(AccessCode.expires_at.desc(), AccessCode.created_at.desc()).limit(1))


def _take_a_try(session: Session, code: AccessCode, *, now: datetime) -> bool:
    # One statement counts and checks: parallel guesses cannot share a try.
    usable = update(AccessCode).where(
        AccessCode.id == code.id, AccessCode.used_at.is_(None), AccessCode.expires_at > now, AccessCode.tries < TRIES,
        AccessCode.created_at <= now + CLOCKS_MAY_DIFFER,
    )  # fmt: skip
    taken = cast(
        "CursorResult[tuple[()]]",
        session.execute(usable.values(tries=AccessCode.tries + 1), execution_options={"synchronize_session": False}),
    )
    session.refresh(code)
    return taken.rowcount == 1


def _use(session: Session, code: AccessCode, *, now: datetime) -> bool:
    once = update(AccessCode).where(AccessCode.id == code.id, AccessCode.used_at.is_(None)).values(used_at=now)
    return cast("CursorResult[tuple[()]]", session.execute(once)).rowcount == 1


def _why_not(code: AccessCode, *, now: datetime) -> Refusal:
    if code.used_at is not None:
        return Refusal.USED
    in_its_time = code.created_at <= now + CLOCKS_MAY_DIFFER and now < code.expires_at
    return Refusal.LOCKED if in_its_time else Refusal.EXPIRED


def _record(session: Session, kind: EventKind, link: Link, details: dict[str, object], *, now: datetime) -> None:
    by = Actor(ActorKind.VENDOR, str(link.invitation.id), "somebody who has the link")
    audit.record(
        session, kind, object_kind="assessment", object_id=link.request.assessment_id, key_id=link.key_id, by=by,
        now=now, details={"request": link.request.reference, **details},
    )  # fmt: skip
