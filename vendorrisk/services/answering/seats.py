"""Seats: a respondent's place at a request, reduced to what saving one answer needs and read in one quick statement.

What may be found, and by which cookie, is said here for `sittings` too, which gives the pages whole objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import DataKey, Invitation, Request, RespondentSession, Vendor
from vendorrisk.db.prepared import Prepared
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.domain.errors import NotFound
from vendorrisk.services.sending import invitations

NOT_HERE = "There is no such request, or it is not open in this browser."


class Sent(Protocol):
    """What saving answers needs to know of a request: the row says it, and so does what `take` reads."""

    @property
    def id(self) -> UUID: ...
    @property
    def reference(self) -> str: ...
    @property
    def assessment_id(self) -> UUID: ...
    @property
    def status(self) -> RequestStatus: ...
    @property
    def closes_at(self) -> datetime: ...
    @property
    def zone(self) -> str: ...
    @property
    def copies(self) -> list[str]: ...


class Writer(Protocol):
    """What saving answers needs to know of the respondent: a sitting says it, and a seat says nothing else.

    `signed` is the name under which they answer, sealed, with its context.
    """

    @property
    def actor_id(self) -> str: ...
    @property
    def signed(self) -> tuple[Sealed, str]: ...
    @property
    def request(self) -> Sent: ...
    @property
    def key_id(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """The columns of a request that saving needs."""

    id: UUID
    reference: str
    assessment_id: UUID
    status: RequestStatus
    closes_at: datetime
    zone: str
    copies: list[str]


@dataclass(frozen=True, slots=True)
class Seat:
    """A place at a request from which answers can be saved."""

    actor_id: str
    signed: tuple[Sealed, str]
    request: Asked
    key_id: UUID


_BROWSERS, _INVITATIONS, _REQUESTS, _VENDORS, _KEYS = (
    model.metadata.tables[model.__tablename__] for model in (RespondentSession, Invitation, Request, Vendor, DataKey)
)
WHO_AND_WHAT = (
    _BROWSERS.join(_INVITATIONS, _INVITATIONS.c.id == _BROWSERS.c.invitation_id)
    .join(_REQUESTS, _REQUESTS.c.id == _BROWSERS.c.request_id)
    .join(_VENDORS, _VENDORS.c.id == _REQUESTS.c.vendor_id)
)
WITH_THE_KEY = WHO_AND_WHAT.join(_KEYS, _KEYS.c.id == _VENDORS.c.key_id)
KEY = (_KEYS.c.id.label("key_id"), _KEYS.c.wrapped, _KEYS.c.master_id)
"""The vendor's key comes along: what it sealed is opened next."""
MAY = and_(
    _BROWSERS.c.token_hash == bindparam("token_hash"), _REQUESTS.c.reference == bindparam("reference"),
    _BROWSERS.c.ended_at.is_(None), _BROWSERS.c.expires_at > bindparam("now"),
)  # fmt: skip
_TAKE = Prepared(
    select(
        _BROWSERS.c.id, _BROWSERS.c.name, _INVITATIONS.c.name.label("invited"),
        *KEY, _REQUESTS.c.id.label("request_id"), _REQUESTS.c.reference, _REQUESTS.c.assessment_id, _REQUESTS.c.status,
        _REQUESTS.c.closes_at, _REQUESTS.c.zone, _REQUESTS.c.copies,
    )
    .select_from(WITH_THE_KEY)
    .where(MAY)
    .with_for_update(of=_REQUESTS)
)  # fmt: skip


def take(session: Session, reference: str, token: str, *, now: datetime) -> Seat:
    """The seat that this cookie has at this request, whose row is held meanwhile: nobody submits or withdraws it.

    Raises NotFound, whatever it is that does not fit.
    """
    found = _TAKE.one(session, **sought(reference, token, now=now))
    if found is None:
        raise NotFound(NOT_HERE)
    browser, name, invited, key_id, wrapped, master_id, *request = found
    vault.learn(session, key_id, wrapped, master_id)
    return Seat(str(browser), signature(name, invited), Asked(*request), key_id)


def sought(reference: str, token: str, *, now: datetime) -> dict[str, object]:
    """The values of MAY."""
    return {"token_hash": invitations.digest(token), "reference": reference, "now": now}


def signature(given: Sealed | None, invited: Sealed) -> tuple[Sealed, str]:
    """The name that answers carry: as the respondent gave it, else the invited person's; with its context."""
    return (invited, "invitation.name") if given is None else (given, "session.name")
