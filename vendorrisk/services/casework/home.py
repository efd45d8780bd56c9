"""Home: what waits for staff, most urgent first. One bounded query finds it. Called by the page of that name.

Each group's ids come in the order of an index and end at COUNTED: Home takes as long with 200,000 cases as with 200.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, asc, bindparam, desc, exists, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from vendorrisk.db.base import UTCDateTime
from vendorrisk.db.models import Assessment, Letter, Request, Review, Vendor
from vendorrisk.db.prepared import Prepared
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.services.casework import cases
from vendorrisk.services.casework.cases import CaseRow
from vendorrisk.services.letters import outbox

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
    found: dict[str, list[UUID]] = {key: [] for key in _GROUPS}
    totals: dict[str, int] = {}
    for key, case_id, total in _WAITING.rows(session, now=now, recent=now - RECENT):
        found[key].append(case_id)
        totals[key] = total
    shown = cases.shown(session, [each for ids in found.values() for each in ids], now=now)
    by_id = {row.id: row for row in shown}
    groups = [Group(key, tuple(by_id[each] for each in ids), totals[key]) for key, ids in found.items() if ids]
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
    .where(outbox.given_up(), Request.id == cases.latest_request(), cases.live())
    .group_by(Assessment.id, Assessment.due_at)
)


def _in(status: AssessmentStatus, *more: ColumnElement[bool]) -> Select[UUID]:
    return select(Assessment.id).where(Assessment.status == status, _ALIVE, *more)


_S = AssessmentStatus
_GROUPS: dict[str, tuple[Select[UUID], InstrumentedAttribute[Any]]] = {
    "undelivered": (_UNDELIVERED, Assessment.due_at),
    "review": (_in(_S.REVIEW, ~_REVIEWED), Assessment.due_at),
    "overdue": (_in(_S.SENT, Assessment.due_at < _NOW, ~_CAME_BACK), Assessment.due_at),
    "decide": (_in(_S.REVIEW, _REVIEWED), Assessment.due_at),
    "ready": (_in(_S.READY), Assessment.active_at),
    "intake": (_in(_S.INTAKE), Assessment.active_at),
    "decided": (_in(_S.DECIDED, Assessment.decided_at > _RECENTLY), Assessment.decided_at),
}
"""The cases of each group, and the moment by which they are ordered."""


def _waiting() -> Select[Any]:
    first = union_all(*(_first(key, *group) for key, group in _GROUPS.items())).subquery()
    return select(first.c.key, first.c.id, first.c.total).order_by(first.c.place)


def _first(key: str, ids: Select[UUID], at: InstrumentedAttribute[Any]) -> Select[Any]:
    """What is shown of a group: each case with its place, and with the number of all."""
    order = desc if key == "decided" else asc
    counted = ids.add_columns(at.label("at")).order_by(order(at)).limit(COUNTED).cte(key)
    shown = select(counted).order_by(order(counted.c.at)).limit(SHOWN).subquery()
    return select(
        literal(key).label("key"), shown.c.id, func.row_number().over(order_by=order(shown.c.at)).label("place"),
        select(func.count()).select_from(counted).scalar_subquery().label("total"),
    )  # fmt: skip


_WAITING = Prepared(_waiting())
"""With a few thousand cases, making and reading such a statement takes longer than running it."""
