"""Home: what waits for staff, most urgent first. One bounded query for each group. Called by the page of that name.

Each group's ids come in the order of an index and end at COUNTED: Home takes as long with 200,000 cases as with 200.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, select
from sqlalchemy.orm import Session

from vendorrisk.db.base import UTCDateTime
from vendorrisk.db.models import Assessment, Letter, Request, Review, Vendor
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.services import cases
from vendorrisk.services.cases import CaseRow

SHOWN = 6
"""How many cases of a group Home shows; the rest is one click away."""
COUNTED = 100
"""How far a group is counted; "100+" says as much as any larger number."""
RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that wait for the same thing; `total` counts those not shown too, as far as COUNTED."""

    key: str
    rows: tuple[CaseRow, ...]
    total: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.rows)

    @property
    def is_all(self) -> bool:
        """Whether `total` is the count of all, and not just as far as was counted."""
        return self.total < COUNTED


@dataclass(frozen=True, slots=True)
class Home:
    """The groups that have something in them, and whether there is any vendor at all."""

    groups: tuple[Group, ...]
    has_vendors: bool

    @property
    def waiting(self) -> int:
        """How many cases wait for staff."""
        return sum(group.total for group in self._waiting)

    @property
    def is_all(self) -> bool:
        """Whether `waiting` is all of them."""
        return all(group.is_all for group in self._waiting)

    @property
    def _waiting(self) -> list[Group]:
        return [group for group in self.groups if group.key != "decided"]


def show(session: Session, *, now: datetime) -> Home:
    """What waits, for everybody on the staff."""
    moments = {"now": now, "recent": now - RECENT}
    ids = {key: session.scalars(statement, moments).all() for key, statement in _GROUPS.items()}
    shown = cases.shown(session, [each for found in ids.values() for each in found[:SHOWN]], now=now)
    by_id = {row.id: row for row in shown}
    groups = [
        Group(key, tuple(by_id[each] for each in found[:SHOWN]), len(found)) for key, found in ids.items() if found
    ]
    has_vendors = bool(groups) or session.scalar(select(Vendor.id).limit(1)) is not None
    return Home(tuple(groups), has_vendors)


_NOW = bindparam("now", type_=UTCDateTime)
_RECENTLY = bindparam("recent", type_=UTCDateTime)
_REVIEWED = and_(exists().where(Review.request_id == cases.latest_request()), Assessment.provisional.is_(False))
_CAME_BACK = exists().where(Request.id == cases.latest_request(), cases.undelivered())
_ALIVE = Assessment.vendor_id.not_in(select(Vendor.id).where(Vendor.erased_at.is_not(None)))
# From the letters, which are few: not from the cases.
_UNDELIVERED = (
    select(Assessment.id)
    .select_from(Letter)
    .join(Request, Request.id == Letter.request_id)
    .join(Assessment, Assessment.id == Request.assessment_id)
    .where(cases.given_up(), Request.id == cases.latest_request(), cases.live())
    .group_by(Assessment.id, Assessment.due_at)
    .order_by(Assessment.due_at)
)


def _in(status: AssessmentStatus, *more: ColumnElement[bool]) -> Select[UUID]:
    return select(Assessment.id).where(Assessment.status == status, _ALIVE, *more)


_S = AssessmentStatus
_GROUPS: dict[str, Select[UUID]] = {
    key: statement.limit(COUNTED)
    for key, statement in {
        "undelivered": _UNDELIVERED,
        "review": _in(_S.REVIEW, ~_REVIEWED).order_by(Assessment.due_at),
        "overdue": _in(_S.SENT, Assessment.due_at < _NOW, ~_CAME_BACK).order_by(Assessment.due_at),
        "decide": _in(_S.REVIEW, _REVIEWED).order_by(Assessment.due_at),
        "ready": _in(_S.READY).order_by(Assessment.active_at),
        "intake": _in(_S.INTAKE).order_by(Assessment.active_at),
        "decided": _in(_S.DECIDED, Assessment.decided_at > _RECENTLY).order_by(Assessment.decided_at.desc()),
    }.items()
}
"""Made once: with a few thousand cases, making these takes longer than running them."""
