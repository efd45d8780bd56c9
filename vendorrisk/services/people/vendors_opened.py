"""How many vendors somebody sees: whoever opens very many in an hour proves first who they are, and admins hear of it.

A stolen session, or a colleague on the way out, reads case after case, or list after list. All counts are over
an hour, in the database like all limits. Vendors *opened* one by one make us ask; a proof forgets that count. Vendors
*read*, which are the same, and vendors *seen* by name in lists ring the alarm; nothing forgets those, so that whoever
proves early, or signs in anew, is told of all the same. Called by web/watch.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
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
READ = Limit("vendors read by", 60, AN_HOUR)
SEEN = Limit("vendors seen in lists by", 250, AN_HOUR)
"""Ten pages of a list: fewer are a colleague at work, and an alarm that rings each day is heard by nobody."""
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
    """Whether nothing has to be written: there is no such vendor, or it was opened within the hour.

    `scope`: what an auditor sees. To them there is nothing outside, so it must not count either: at the 61st vendor,
    being asked to sign in would tell what is there from what is not.
    """
    vendor_id = _vendor_of(session, room, reference, scope)
    if vendor_id is None:
        return True
    return not limits.untried(session, [_opened(vendor_id), _one(READ, vendor_id)], str(user_id), now=now)


def count(session: Session, user: User, room: str, reference: str, scope: Scope | None, *, now: datetime) -> bool:
    """Count the vendor that somebody is about to open. False at the 61st within an hour: they prove who they are first.

    Even then it counts as read: that they wanted so many is what the alarm is about.
    """
    vendor_id, whom = _vendor_of(session, room, reference, scope), str(user.id)
    if vendor_id is None:
        return True
    note(session, user, READ, [vendor_id], now=now)
    if not limits.untried(session, [_opened(vendor_id)], whom, now=now):
        return True
    try:
        limits.take(session, OPENED, whom, now=now)
    except TooMany:
        return False
    limits.add(session, [_opened(vendor_id)], whom, now=now)
    return True


def seen_until(session: Session, user_id: UUID, vendor_ids: Collection[UUID], *, now: datetime) -> datetime | None:
    """Until when all of these count as seen; None where there is one that was not seen within the hour. One query."""
    known = limits.tried(session, [_one(SEEN, each) for each in vendor_ids], str(user_id), now=now)
    return min(known.values()) + AN_HOUR if len(known) == len(vendor_ids) else None


def note(session: Session, user: User, limit: Limit, vendor_ids: Collection[UUID], *, now: datetime) -> None:
    """Count the vendors that somebody reads or sees anew within the hour; rings the alarm if they are too many."""
    whom = str(user.id)
    limits.one_at_a_time(session, limit, whom)
    new = limits.untried(session, [_one(limit, each) for each in vendor_ids], whom, now=now)
    if not new:
        return
    limits.add(session, [*new, *[limit] * len(new)], whom, now=now)
    many = limits.count(session, limit, whom, now=now)
    if many > limit.tries and limits.untried(session, [_ALARM], whom, now=now):
        limits.add(session, [_ALARM], whom, now=now)
        _ring(session, user, many, now=now)


def _vendor_of(session: Session, room: str, reference: str, scope: Scope | None) -> UUID | None:
    query = _VENDOR_OF[room](reference)
    return session.scalar(query if scope is None else query.where(scopes.covers(scope)))


def start_again(session: Session, user_id: UUID) -> None:
    """The person has proven who they are: they may open as many again. What they have seen stays counted."""
    limits.forget(session, OPENED, str(user_id))


def _ring(session: Session, user: User, many: int, *, now: datetime) -> None:
    """Write into the trail, and to every admin, that somebody has seen so many vendors."""
    by = actors.of(user)
    accounts.noted(session, EventKind.MANY_VENDORS_OPENED, user.id, by=by, now=now, vendors=many)
    for admin in accounts.admins(session):
        letter = messages.many_vendors(
            to=admin.email, to_name=admin.name, who=actors.name(user), email=user.email, count=many, at=now
        )
        outbox.put(session, letter, kind="many_vendors", now=now)


def _opened(vendor_id: UUID) -> Limit:
    return Limit(f"vendor {vendor_id} opened by", 1, AN_HOUR)


def _one(limit: Limit, vendor_id: UUID) -> Limit:
    return Limit(f"{vendor_id} of {limit.what}", 1, AN_HOUR)
