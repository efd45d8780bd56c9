"""Sittings: a browser at the vendor that has passed the code, and what it may see. Called by the vendor's pages."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import Assessment, Invitation, Request, RespondentSession, Vendor
from vendorrisk.db.prepared import Prepared
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.domain.audit import Actor, ActorKind, EventKind
from vendorrisk.domain.errors import NotFound
from vendorrisk.services import audit
from vendorrisk.services.answering import seats
from vendorrisk.services.answering.seats import Asked, Sent, Writer
from vendorrisk.services.sending import invitations
from vendorrisk.services.sending.invitations import Link

_WRITABLE = (RequestStatus.SENT, RequestStatus.OPEN)


@dataclass(frozen=True, slots=True)
class Sitting:
    """One respondent at one request: everything a vendor's page may touch hangs on it."""

    row: RespondentSession
    invitation: Invitation
    request: Request
    vendor: Vendor

    @property
    def key_id(self) -> UUID:
        """The key of the vendor whose request this is."""
        return self.vendor.key_id

    @property
    def actor_id(self) -> str:
        """Who this is to the trail: the browser that passed the code."""
        return str(self.row.id)

    @property
    def signed(self) -> tuple[Sealed, str]:
        """The name under which they answer, sealed, with its context."""
        return seats.signature(self.row.name, self.invitation.name)

    @property
    def has_started(self) -> bool:
        """Whether the respondent has said who they are."""
        return self.row.started_at is not None


@dataclass(frozen=True, slots=True)
class Shown(Asked):
    """The columns of a request that the pages with its questions show."""

    due_at: datetime
    last_saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Look:
    """A respondent who only reads the questions: what those pages need to know, and no more."""

    request: Shown
    has_started: bool


_FIND = select(RespondentSession, Invitation, Request, Vendor).select_from(seats.WHO_AND_WHAT).where(seats.MAY)
_FIND_FOR_UPDATE = _FIND.with_for_update(of=Request)
"""Made once: every page begins with one of these, and making a statement takes longer than running it."""
_SHOWN = (Request.metadata.tables["requests"].c[column.name] for column in fields(Shown))
_LOOK = Prepared(
    select(RespondentSession.metadata.tables["respondent_sessions"].c.started_at, *seats.KEY, *_SHOWN)
    .select_from(seats.WITH_THE_KEY)
    .where(seats.MAY)
)


def can_edit(request: Sent, *, now: datetime) -> bool:
    """Whether answers may still change."""
    return request.status in _WRITABLE and now < request.closes_at


def start(session: Session, link: Link, *, now: datetime) -> str:
    """Open the request for a browser that passed the code. Returns its cookie's value."""
    token = invitations.new_token()
    row = RespondentSession(
        invitation_id=link.invitation.id, request_id=link.request.id, token_hash=invitations.digest(token),
        created_at=now, expires_at=link.invitation.expires_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    first = _open_request(session, link, now=now)
    name = vault.open_text(session, link.invitation.name, context="invitation.name")
    audit.record(
        session, EventKind.REQUEST_OPENED, object_kind="assessment", object_id=link.request.assessment_id,
        key_id=link.key_id, by=Actor(ActorKind.VENDOR, str(row.id), name), now=now,
        details={"request": link.request.reference, "first": first},
    )  # fmt: skip
    return token


def _open_request(session: Session, link: Link, *, now: datetime) -> bool:
    unopened = update(Request).where(Request.id == link.request.id, Request.status == RequestStatus.SENT)
    opened = session.execute(unopened.values(status=RequestStatus.OPEN, opened_at=now))
    if link.invitation.opened_at is None:
        link.invitation.opened_at = now
    return cast("CursorResult[tuple[()]]", opened).rowcount == 1


def find(session: Session, reference: str, token: str, *, now: datetime, for_update: bool = False) -> Sitting:
    """The sitting that this cookie has at this request. Raises NotFound, whatever it is that does not fit.

    `for_update` holds the request's row, so that nobody submits or withdraws it meanwhile.
    """
    statement = _FIND_FOR_UPDATE if for_update else _FIND
    found = session.execute(statement, seats.sought(reference, token, now=now)).one_or_none()
    if found is None:
        raise NotFound(seats.NOT_HERE)
    return Sitting(*found)


def look(session: Session, reference: str, token: str, *, now: datetime) -> Look:
    """The same for reading the questions: columns instead of objects, which take a fifth of such a page."""
    found = _LOOK.one(session, **seats.sought(reference, token, now=now))
    if found is None:
        raise NotFound(seats.NOT_HERE)
    started_at, key_id, wrapped, master_id, *shown = found
    vault.learn(session, key_id, wrapped, master_id)
    return Look(Shown(*shown), started_at is not None)


def is_known(session: Session, link: Link, token: str, *, now: datetime) -> bool:
    """Whether a browser has passed the code for this link's request before, and is still remembered."""
    alive = select(RespondentSession.id).where(
        RespondentSession.token_hash == invitations.digest(token), RespondentSession.request_id == link.request.id,
        RespondentSession.ended_at.is_(None), RespondentSession.expires_at > now,
    )  # fmt: skip
    return session.scalar(alive) is not None


def introduce(session: Session, sitting: Sitting, name: str, role: str, *, now: datetime) -> None:
    """The respondent says who they are: their answers carry this name."""
    sitting.row.name = vault.seal_text(session, sitting.key_id, name, context="session.name")
    sitting.row.role = vault.seal_text(session, sitting.key_id, role, context="session.role")
    sitting.row.started_at = sitting.row.started_at or now
    audit.record(
        session, EventKind.RESPONDENT_STARTED, object_kind="assessment", object_id=sitting.request.assessment_id,
        key_id=sitting.key_id, by=Actor(ActorKind.VENDOR, str(sitting.row.id), name), now=now,
        details={"request": sitting.request.reference, "role": role},
    )  # fmt: skip


def name_of(session: Session, writer: Writer) -> str:
    """The respondent's name: as they gave it, else the invited person's."""
    sealed, context = writer.signed
    return vault.open_text(session, sealed, context=context)


def role_of(session: Session, sitting: Sitting) -> str:
    """The respondent's role as they gave it, or nothing."""
    return vault.open_optional(session, sitting.row.role, context="session.role")


def actor(session: Session, writer: Writer) -> Actor:
    """The respondent, as the trail knows them."""
    return Actor(ActorKind.VENDOR, writer.actor_id, name_of(session, writer))


def assessment(session: Session, sitting: Sitting) -> Assessment:
    """The case that this request belongs to."""
    return session.get_one(Assessment, sitting.request.assessment_id)
