"""What an auditor is limited to, and the rule that comes of it: "may they see this case", as one SQL condition.

Lists, pages, downloads, the trail and the count of vendors opened all use `covers`. Limits are set by commands, and
read at each request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, insert, select
from sqlalchemy.orm import Session

from vendorrisk.db.models import Assessment, AuditorScope, AuditorScopeVendor, User, Vendor
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import NotFound
from vendorrisk.domain.roles import Role
from vendorrisk.services.people import accounts


@dataclass(frozen=True, slots=True)
class Scope:
    """Days of decisions in UTC, both included, and vendors by their references; None leaves that side open.

    `holder` is whose limits these are; None where there are none.
    """

    holder: UUID | None = None
    first: date | None = None
    last: date | None = None
    vendors: tuple[str, ...] | None = None

    @property
    def is_limited(self) -> bool:
        """Whether some decided cases may lie outside."""
        return self.holder is not None


EVERYTHING = Scope()
"""Every decided case."""


def covers(scope: Scope) -> ColumnElement[bool]:
    """The condition on `Assessment`: it is decided, on one of the days, about one of the vendors.

    The day is that of the latest decision, which `decided_at` is. An erased vendor keeps its row and stays in: what
    is left of its cases names nobody.
    """
    found: list[ColumnElement[bool]] = [Assessment.status == AssessmentStatus.DECIDED]
    if scope.first is not None:
        found.append(Assessment.decided_at >= datetime.combine(scope.first, time.min, UTC))
    if scope.last is not None:
        found.append(Assessment.decided_at <= datetime.combine(scope.last, time.max, UTC))
    if scope.vendors is not None:
        theirs = select(AuditorScopeVendor.vendor_id).where(AuditorScopeVendor.user_id == scope.holder)
        found.append(Assessment.vendor_id.in_(theirs))
    return and_(*found)


def of(session: Session, user_id: UUID, roles: Collection[Role]) -> Scope:
    """What somebody with these roles sees. Limits hold for auditors only: an admin who is none sees everything."""
    if Role.AUDITOR not in roles:
        return EVERYTHING
    return _read(session, AuditorScope.user_id == user_id).get(user_id, EVERYTHING)


def everybodys(session: Session) -> Mapping[UUID, Scope]:
    """The limits of every account that has some."""
    return _read(session)


def _read(session: Session, *where: ColumnElement[bool]) -> dict[UUID, Scope]:
    row = AuditorScope
    rows = session.execute(
        select(row.user_id, row.first_day, row.last_day, row.every_vendor, Vendor.reference)
        .outerjoin(AuditorScopeVendor, AuditorScopeVendor.user_id == AuditorScope.user_id)
        .outerjoin(Vendor, Vendor.id == AuditorScopeVendor.vendor_id)
        .where(*where)
        .order_by(Vendor.reference)
    )
    found: dict[UUID, Scope] = {}
    for holder, first, last, every_vendor, reference in rows:
        scope = found.get(holder) or Scope(holder, first, last, None if every_vendor else ())
        if scope.vendors is not None and reference is not None:
            scope = replace(scope, vendors=(*scope.vendors, reference))
        found[holder] = scope
    return found


def limit(
    session: Session, email: str, *, first: date | None, last: date | None, vendors: Collection[str] | None, by: Actor,
    now: datetime,
) -> tuple[User, Scope]:  # fmt: skip
    """Limit what an account sees as an auditor, in place of what was before. `vendors`: references, None for all.

    Raises NotFound for an unknown account or vendor.
    """
    user = accounts.get(session, email)
    ids = None if vendors is None else _ids(session, vendors)
    before = _read(session, AuditorScope.user_id == user.id).get(user.id, EVERYTHING)
    session.execute(delete(AuditorScope).where(AuditorScope.user_id == user.id))
    row = {"user_id": user.id, "first_day": first, "last_day": last, "every_vendor": ids is None}
    session.execute(insert(AuditorScope).values(row))
    if ids:
        session.execute(insert(AuditorScopeVendor), [{"user_id": user.id, "vendor_id": own} for own in ids])
    after = Scope(user.id, first, last, None if ids is None else tuple(sorted(ids.values())))
    _record(session, user, before, after, by=by, now=now)
    return user, after


def lift(session: Session, email: str, *, by: Actor, now: datetime) -> User:
    """Let an account see every decided case again. Raises NotFound."""
    user = accounts.get(session, email)
    before = _read(session, AuditorScope.user_id == user.id).get(user.id, EVERYTHING)
    session.execute(delete(AuditorScope).where(AuditorScope.user_id == user.id))
    _record(session, user, before, EVERYTHING, by=by, now=now)
    return user


def _ids(session: Session, references: Collection[str]) -> dict[UUID, str]:
    wanted = {reference.upper() for reference in references}
    there = session.scalars(select(Vendor).where(Vendor.reference.in_(wanted)))
    found = {vendor.id: vendor.reference for vendor in there}
    unknown = sorted(wanted - set(found.values()))
    if unknown:
        raise NotFound(f"There is no vendor {unknown[0]}.")
    return found


def _record(session: Session, user: User, before: Scope, after: Scope, *, by: Actor, now: datetime) -> None:
    accounts.noted(
        session, EventKind.SCOPE_SET, user.id, by=by, now=now, email=user.email, before=plain(before),
        after=plain(after),
    )  # fmt: skip


def plain(scope: Scope) -> dict[str, Any]:
    """The limits as the trail and programs are told: an empty day is an open side."""
    return {
        "from": scope.first.isoformat() if scope.first else "", "to": scope.last.isoformat() if scope.last else "",
        "vendors": "all" if scope.vendors is None else list(scope.vendors),
    }  # fmt: skip


def words(scope: Scope, day: Callable[[date], str] = date.isoformat) -> str:
    """What is seen, in words: "cases decided from 2026-01-01 to 2026-03-31 (UTC), of 3 vendors"."""
    first, last = (day(each) if each else "" for each in (scope.first, scope.last))
    span = {(True, True): f"from {first} to {last}", (True, False): f"from {first} on",
            (False, True): f"up to {last}"}.get((bool(first), bool(last)))  # fmt: skip
    seen = f"cases decided {span} (UTC)" if span else "decided cases"
    if scope.vendors is None:
        return seen if scope.is_limited else "every decided case"
    count = len(scope.vendors)
    return f"{seen}{',' if span else ''} of {count:,} vendor{'' if count == 1 else 's'}"
