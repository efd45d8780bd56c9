"""The whole trail, narrowed: by what an event is about, who acted, its kind and its time. Called by `/audit/trail`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Event, Link, Report, Request, User, Vendor
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.audit import ActorKind
from vendorrisk.domain.chain import Entry
from vendorrisk.services import audit, paging
from vendorrisk.services.auditing import trail
from vendorrisk.services.auditing.trail import PAGE_SIZE, EventView
from vendorrisk.services.paging import Page
from vendorrisk.services.people import scopes
from vendorrisk.services.people.scopes import EVERYTHING, Scope

ABOUT = {
    "assessment": "Assessment", "vendor": "Vendor", "user": "Account", "letter": "Letter", audit.TRAIL_KIND: "Trail",
}  # fmt: skip
"""What events are about, in words."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the trail is narrowed to. Days are whole days in UTC, both included."""

    about: str = ""
    actor: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.about or self.actor or self.kind or self.since or self.until)


@dataclass(frozen=True, slots=True)
class Sight:
    """Who looks: whether they see the details of undecided cases, and which cases there are for them at all.

    For a limited reader there are events about the cases in their scope, and no others: no account, no letter.
    """

    sees_open: bool
    scope: Scope


OPERATOR = Sight(sees_open=True, scope=EVERYTHING)
"""Who has the command line, and with it the key."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What an event is about. `is_open`: a case that is not decided, or a vendor's entry in the register with its
    contacts, which belong to no decision: auditors do not see the details of those.
    """

    kind: str
    reference: str = ""
    is_open: bool = False

    @property
    def words(self) -> str:
        """The thing in words: its reference, else what it is."""
        return self.reference or ABOUT.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the whole trail. `is_withheld`: its details are not shown to this reader."""

    event: EventView
    thing: Thing
    is_withheld: bool


def page(session: Session, filters: Filters, number: int, sight: Sight) -> Page[Line]:
    """One page of the trail, as far as it is the reader's, the latest first."""
    where = conditions(session, filters, sight)
    total = paging.count(session, select(Event.number).where(*where))
    number = paging.within(number, total, PAGE_SIZE)
    found = session.execute(
        select(Event, Link.position)
        .outerjoin(Link, Link.event_number == Event.number)
        .where(*where)
        .order_by(Event.at.desc(), Event.number.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    lines = in_words(session, [(event, position is not None) for event, position in found], sight)
    return Page(lines, number, PAGE_SIZE, total)


def in_words(session: Session, events: Collection[tuple[Event | Entry, bool]], sight: Sight) -> list[Line]:
    """Events, and whether each is sealed, in words; the number of queries does not depend on how many there are."""
    vault.preload(session, _keys(event for event, _ in events))
    things = _things(session, {(event.object_kind, event.object_id) for event, _ in events})
    lines = []
    for event, is_sealed in events:
        thing = things.get(event.object_id, Thing(event.object_kind))
        said = trail.view(session, event, is_sealed)
        withheld = thing.is_open and not sight.sees_open
        lines.append(Line(_without_details(said, event.actor_kind) if withheld else said, thing, withheld))
    return lines


def _without_details(said: EventView, actor_kind: str) -> EventView:
    """Who acted and what was done; a respondent's name would say which vendor it is."""
    return replace(said, details=(), who="" if actor_kind == ActorKind.VENDOR else said.who)


def _keys(events: Iterable[Event | Entry]) -> set[UUID]:
    keys = set()
    for event in events:
        try:
            keys.add(crypto.key_id_of(event.details))
        except crypto.CannotOpen:
            continue  # tampered with: it is shown as that
    return keys


def _things(session: Session, pairs: set[tuple[str, UUID]]) -> dict[UUID, Thing]:
    ids = {kind: [own for other, own in pairs if other == kind] for kind, _ in pairs}
    cases = select(Assessment.id, Assessment.reference, Assessment.status).where(
        Assessment.id.in_(ids.get("assessment", []))
    )
    found = {
        own: Thing("assessment", reference, status is not AssessmentStatus.DECIDED)
        for own, reference, status in session.execute(cases)
    }
    vendors = select(Vendor.id, Vendor.reference).where(Vendor.id.in_(ids.get("vendor", [])))
    found |= {own: Thing("vendor", reference, is_open=True) for own, reference in session.execute(vendors)}
    users = select(User.id, User.email).where(User.id.in_(ids.get("user", [])))
    return found | {own: Thing("user", email) for own, email in session.execute(users)}


def conditions(session: Session, filters: Filters, sight: Sight) -> list[ColumnElement[bool]]:
    """What the reader may see, and the filters, as conditions on `Event`; an unknown reference fits nothing."""
    found = _within(sight.scope)
    if filters.about:
        found += _about(session, filters.about)
    if filters.actor:
        is_kind = filters.actor in set(ActorKind)
        found.append((Event.actor_kind if is_kind else Event.actor_id) == filters.actor)
    if filters.kind:
        found.append(Event.kind == filters.kind)
    if filters.since:
        found.append(Event.at >= datetime.combine(filters.since, time(), UTC))
    if filters.until:
        found.append(Event.at <= datetime.combine(filters.until, time.max, UTC))
    return found


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    if not scope.is_limited:
        return []
    cases = select(Assessment.id).where(scopes.covers(scope))
    return [Event.object_kind == "assessment", Event.object_id.in_(cases)]


def _about(session: Session, typed: str) -> list[ColumnElement[bool]]:
    """A reference of a case, request, report or vendor, the address of an account, or "trail"."""
    if typed.lower() == audit.TRAIL_KIND:
        return [Event.object_kind == audit.TRAIL_KIND]
    name = typed.upper()
    looks = (
        ("assessment", select(Assessment.id).where(Assessment.reference == name)),
        ("assessment", select(Request.assessment_id).where(Request.reference == name)),
        ("assessment", select(Report.assessment_id).where(Report.reference == name)),
        ("vendor", select(Vendor.id).where(Vendor.reference == name)),
        ("user", select(User.id).where(func.lower(User.email) == typed.lower())),
    )
    for kind, query in looks:
        own = session.scalar(query)
        if own is not None:
            return [Event.object_kind == kind, Event.object_id == own]
    return [false()]


def people(session: Session, sight: Sight) -> list[tuple[str, str]]:
    """Who can have acted, for a list to choose from: kinds of actors, then accounts; those whom the reader meets."""
    users = session.execute(select(User.id, User.name, User.email).order_by(User.name, User.email)).all()
    if sight.scope.is_limited:
        acted = set(session.scalars(select(Event.actor_id).where(*_within(sight.scope)).distinct()))
        users = [user for user in users if str(user.id) in acted]
    kinds = [(ActorKind.VENDOR.value, "People at vendors"), (ActorKind.SYSTEM.value, "The service itself")]
    return [*kinds, *((str(own), f"{name} ({email})" if name else email) for own, name, email in users)]
