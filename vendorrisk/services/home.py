"""Home: what waits for staff, most urgent first. One bounded query for each group. Called by the page of that name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session

from vendorrisk.db.models import Assessment, Request, Review, Vendor
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.services import cases
from vendorrisk.services.cases import CaseRow

SHOWN = 6
"""How many cases of a group Home shows; the rest is one click away."""
RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that wait for the same thing; `total` counts those not shown too."""

    key: str
    rows: tuple[CaseRow, ...]
    total: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Home:
    """The groups that have something in them, and whether there is any vendor at all."""

    groups: tuple[Group, ...]
    has_vendors: bool

    @property
    def waiting(self) -> int:
        """How many cases wait for staff."""
        return sum(group.total for group in self.groups if group.key != "decided")


def show(session: Session, *, now: datetime) -> Home:
    """What waits, for everybody on the staff."""
    groups = []
    for key, narrow in _GROUPS.items():
        alive = cases.query(func.count().over().label("total")).where(Vendor.erased_at.is_(None))
        query = narrow(alive, now).limit(SHOWN)
        found = session.execute(query).all()
        if found:
            groups.append(Group(key, cases.rows(session, found, now=now), found[0].total))
    has_vendors = bool(groups) or session.scalar(select(Vendor.id).limit(1)) is not None
    return Home(tuple(groups), has_vendors)


Narrow = Callable[[Select[Any], datetime], Select[Any]]


def _reviewed() -> ColumnElement[bool]:
    return and_(exists().where(Review.request_id == Request.id), Assessment.provisional.is_(False))


def _undelivered(query: Select[Any], _now: datetime) -> Select[Any]:
    return query.where(cases.live(), cases.undelivered()).order_by(Request.due_at)


def _overdue(query: Select[Any], now: datetime) -> Select[Any]:
    return query.where(cases.live(), ~cases.undelivered(), Request.due_at < now).order_by(Request.due_at)


def _to_review(query: Select[Any], _now: datetime) -> Select[Any]:
    return query.where(Assessment.status == AssessmentStatus.REVIEW, ~_reviewed()).order_by(Request.submitted_at)


def _to_decide(query: Select[Any], _now: datetime) -> Select[Any]:
    return query.where(Assessment.status == AssessmentStatus.REVIEW, _reviewed()).order_by(Request.submitted_at)


def _ready(query: Select[Any], _now: datetime) -> Select[Any]:
    return query.where(Assessment.status == AssessmentStatus.READY).order_by(Assessment.active_at)


def _intake(query: Select[Any], _now: datetime) -> Select[Any]:
    return query.where(Assessment.status == AssessmentStatus.INTAKE).order_by(Assessment.active_at)


def _decided(query: Select[Any], now: datetime) -> Select[Any]:
    recently = and_(Assessment.status == AssessmentStatus.DECIDED, Assessment.decided_at > now - RECENT)
    return query.where(recently).order_by(Assessment.decided_at.desc())


_GROUPS: dict[str, Narrow] = {
    "undelivered": _undelivered,
    "review": _to_review,
    "overdue": _overdue,
    "decide": _to_decide,
    "ready": _ready,
    "intake": _intake,
    "decided": _decided,
}
