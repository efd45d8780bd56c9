"""Work that has stopped or waits: letters and reports that failed, wait for another try, or that no worker takes.

Called by the page that lists them, by Home, and by the menu, which counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Letter, Report, Request, Vendor
from vendorrisk.domain.assessment import RequestStatus, WorkState
from vendorrisk.services import paging, work
from vendorrisk.services.letters import outbox
from vendorrisk.services.paging import Page

STALLED = timedelta(minutes=5)
"""What has been due for so long is not being taken: a sweep comes every minute."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many letters and reports failed for good, and how many of both wait for another try."""

    letters: int
    reports: int
    waiting: int

    @property
    def failed(self) -> int:
        """What goes on only when somebody says so."""
        return self.letters + self.reports


@dataclass(frozen=True, slots=True)
class Stuck:
    """One letter or report. `name` is a letter's kind or a report's reference; names are empty where there are none."""

    id: UUID
    is_letter: bool
    name: str
    to: str
    state: WorkState
    is_stalled: bool
    can_retry: bool
    error: str
    attempts: int
    begun_at: datetime
    next_try: datetime
    request: str
    assessment: str
    vendor: str


def counts(session: Session) -> Counts:
    """The figures, with one query."""
    tried_in_vain = [
        select(func.count()).select_from(table).where(table.state == WorkState.QUEUED, table.attempts > 0)
        for table in (Letter, Report)
    ]
    letters = _of_letters(select(func.count())).where(_letter_failed())
    reports = select(func.count()).select_from(Report).where(_report_failed())
    found = session.execute(
        select(
            letters.scalar_subquery(), reports.scalar_subquery(), *(each.scalar_subquery() for each in tried_in_vain)
        )
    ).one()
    return Counts(found[0], found[1], found[2] + found[3])


def listed(session: Session, number: int, *, now: datetime) -> Page[Stuck]:
    """One page of it all: what failed first, then what is tried next. Five queries."""
    letters = _of_letters(select(Letter.id, Letter.state, Letter.not_before)).where(
        or_(_letter_failed(), _waits(Letter, now))
    )
    reports = select(Report.id, Report.state, Report.not_before).where(or_(_report_failed(), _waits(Report, now)))
    both = union_all(letters, reports).subquery()
    failed_first = case((both.c.state == WorkState.FAILED, 0), else_=1)
    page = paging.fetch(session, select(both.c.id).order_by(failed_first, both.c.not_before, both.c.id), number)
    shown = {each.id: each for each in (*_letters(session, page.items, now), *_reports(session, page.items, now))}
    return page.map(shown.__getitem__)


def request_of(session: Session, letter_id: UUID) -> str:
    """The reference of the request that a letter is about; empty where it is about none."""
    query = select(Request.reference).join(Letter, Letter.request_id == Request.id).where(Letter.id == letter_id)
    return session.scalar(query) or ""


def _of_letters(query: Select[*tuple[object, ...]]) -> Select[*tuple[object, ...]]:
    return query.select_from(Letter).outerjoin(Request, Request.id == Letter.request_id)


def _letter_failed() -> ColumnElement[bool]:
    """Given up; its request not withdrawn, its vendor not erased."""
    stands = and_(Request.status != RequestStatus.WITHDRAWN, Request.vendor_id.not_in(_erased_vendors()))
    standing = or_(Request.id.is_(None), stands)
    return and_(outbox.given_up(), standing)


def _report_failed() -> ColumnElement[bool]:
    """Given up, nobody has asked for a newer one of this case since, and its vendor is not erased."""
    later = aliased(Report)
    replaced = exists().where(later.assessment_id == Report.assessment_id, later.asked_at > Report.asked_at)
    erased = select(Assessment.id).where(Assessment.vendor_id.in_(_erased_vendors()))
    return and_(Report.state == WorkState.FAILED, ~replaced, Report.assessment_id.not_in(erased))


def _erased_vendors() -> Select[UUID]:
    return select(Vendor.id).where(Vendor.erased_at.is_not(None))


def _waits(table: type[Letter] | type[Report], now: datetime) -> ColumnElement[bool]:
    return or_(and_(table.state == WorkState.QUEUED, table.attempts > 0), _stalled(table, now))


def _stalled(table: type[Letter] | type[Report], now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(table.state == WorkState.QUEUED, table.not_before < now - STALLED),
        and_(table.state == WorkState.RUNNING, table.leased_until < now - STALLED),
    )


def _is_stalled(row: Letter | Report, now: datetime) -> bool:
    since = row.leased_until if row.state is WorkState.RUNNING else row.not_before
    return row.state is not WorkState.FAILED and since is not None and since < now - STALLED


def _letters(session: Session, ids: Sequence[UUID], now: datetime) -> list[Stuck]:
    query = (
        select(Letter, Request.reference, Assessment.reference, Vendor)
        .outerjoin(Request, Request.id == Letter.request_id)
        .outerjoin(Assessment, Assessment.id == Request.assessment_id)
        .outerjoin(Vendor, Vendor.id == Request.vendor_id)
        .where(Letter.id.in_(ids))
    )
    found = session.execute(query).all()
    vault.preload(session, {crypto.key_id_of(letter.content) for letter, *_ in found})
    return [
        Stuck(
            id=letter.id, is_letter=True, name=letter.kind, to=outbox.addressee(session, letter), state=letter.state,
            is_stalled=_is_stalled(letter, now), can_retry=work.may_start_again(letter),
            error=outbox.trouble(session, letter), attempts=letter.attempts,
            begun_at=letter.created_at, next_try=letter.not_before, request=request or "", assessment=assessment or "",
            vendor=_name(session, vendor),
        )
        for letter, request, assessment, vendor in found
    ]  # fmt: skip


def _reports(session: Session, ids: Sequence[UUID], now: datetime) -> list[Stuck]:
    query = (
        select(Report, Assessment.reference, Vendor)
        .join(Assessment, Assessment.id == Report.assessment_id)
        .join(Vendor, Vendor.id == Assessment.vendor_id)
        .where(Report.id.in_(ids))
    )
    found = session.execute(query).all()
    vault.preload(session, {vendor.key_id for _, _, vendor in found})
    return [
        Stuck(
            id=report.id, is_letter=False, name=report.reference, to="", state=report.state,
            is_stalled=_is_stalled(report, now), can_retry=work.may_start_again(report),
            error=report.error, attempts=report.attempts,
            begun_at=report.asked_at, next_try=report.not_before, request="", assessment=assessment,
            vendor=_name(session, vendor),
        )
        for report, assessment, vendor in found
    ]  # fmt: skip


def _name(session: Session, vendor: Vendor | None) -> str:
    if vendor is None:
        return ""
    try:
        return vault.open_text(session, vendor.name, context="vendor.name")
    except vault.Erased:
        return vault.ERASED_TEXT
