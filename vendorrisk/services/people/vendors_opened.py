"""How many vendors somebody opens: whoever opens very many in an hour proves first who they are, and admins hear of it.

A stolen session, or a colleague on the way out, reads case after case. Counted in the database like all limits. Called
by web/watch.py before each page of one vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from vendorrisk.db.models import Assessment, Report, Request, User, Vendor
from vendorrisk.domain.audit import EventKind
from vendorrisk.mail import messages
from vendorrisk.services import actors, limits
from vendorrisk.services.letters import outbox
from vendorrisk.services.limits import Limit, TooMany
from vendorrisk.services.people import accounts, scopes
from vendorrisk.services.people.scopes import Scope

AN_HOUR = timedelta(hours=1)
OPENED = Limit("vendors opened by", 60, AN_HOUR)
_ALARM = Limit("alarm about", 1, AN_HOUR)

_VENDOR_OF: Mapping[str, Callable[[str], Select[UUID]]] = {
    "vendors": lambda reference: select(Vendor.id).where(Vendor.reference == reference),
    "assessments": lambda reference: select(Assessment.vendor_id).where(Assessment.reference == reference),
    "requests": lambda reference: select(Request.vendor_id).where(Request.reference == reference),
    "reports": lambda reference: (
        select(Assessment.vendor_id)
        .join(Report, Report.assessment_id == Assessment.id)
        .where(Report.reference == reference)
    ),
}
"""The vendor that a page is about, by the room in its address and the reference there."""

ROOMS = frozenset(_VENDOR_OF)


def is_counted(
    session: Session, user_id: UUID, room: str, reference: str, scope: Scope | None, *, now: datetime
) -> bool:
    """Whether nothing has to be written: there is no such vendor, or it was counted within the hour.

    `scope`: what an auditor sees. To them there is nothing outside, so it must not count either: at the 61st vendor,
    being asked to sign in would tell what is there from what is not.
    """
    vendor_id = _vendor_of(session, room, reference, scope)
    return vendor_id is None or limits.is_reached(session, _same(vendor_id), str(user_id), now=now)


def count(session: Session, user_id: UUID, room: str, reference: str, scope: Scope | None, *, now: datetime) -> None:
    """Count the vendor that somebody is about to open. Raises limits.TooMany at the 61st within an hour."""
    vendor_id = _vendor_of(session, room, reference, scope)
    if vendor_id is None or limits.is_reached(session, _same(vendor_id), str(user_id), now=now):
        return
    limits.take(session, OPENED, str(user_id), now=now)
    limits.take(session, _same(vendor_id), str(user_id), now=now)


def _vendor_of(session: Session, room: str, reference: str, scope: Scope | None) -> UUID | None:
    query = _VENDOR_OF[room](reference)
    return session.scalar(query if scope is None else query.where(scopes.covers(scope)))


def start_again(session: Session, user_id: UUID) -> None:
    """The person has proven who they are: as many again."""
    limits.forget(session, OPENED, str(user_id))


def raise_alarm(session: Session, user: User, *, now: datetime) -> None:
    """Write into the trail, and to every admin, that somebody opened so many vendors; once an hour."""
    try:
        limits.take(session, _ALARM, str(user.id), now=now)
    except TooMany:
        return
    many, by = OPENED.tries, actors.of(user)
    accounts.noted(session, EventKind.MANY_VENDORS_OPENED, user.id, by=by, now=now, opened=many)
    for admin in accounts.admins(session):
        letter = messages.many_vendors(
            to=admin.email, to_name=admin.name, who=actors.name(user), email=user.email, count=many, at=now
        )
        outbox.put(session, letter, kind="many_vendors", now=now)


def _same(vendor_id: UUID) -> Limit:
    return Limit(f"vendor {vendor_id} opened by", 1, AN_HOUR)
