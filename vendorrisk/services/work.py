"""Work as state on the row that needs it: letters and reports are leased, tried, tried again, and parked when hopeless.

Called by the outbox and the reports. A worker that is killed leaves its lease behind; once that has run out, another
takes the row. `lease` is one statement, so two workers never hold the same row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, and_, or_, select, update
from sqlalchemy.orm import Session

from vendorrisk.db.models import Letter, Report
from vendorrisk.domain.assessment import WorkState

Work = TypeVar("Work", Letter, Report)
_LONGEST_ERROR = 500


def due(session: Session, table: type[Work], *, now: datetime, limit: int = 500) -> Sequence[UUID]:
    """What can be taken now, the longest waiting first."""
    waiting = select(table.id).where(_can_be_taken(table, now)).order_by(table.not_before)
    return session.scalars(waiting.limit(limit)).all()


def lease(session: Session, table: type[Work], work_id: UUID, *, lasting: timedelta, now: datetime) -> Work | None:
    """Take one piece of work for a while and count the try; None where it is done, not due or somebody else's."""
    take = (
        update(table)
        .where(table.id == work_id, _can_be_taken(table, now))
        .values(state=WorkState.RUNNING, leased_until=now + lasting, attempts=table.attempts + 1)
    )
    taken = session.execute(take, execution_options={"synchronize_session": False})
    if cast("CursorResult[tuple[()]]", taken).rowcount != 1:
        return None
    return session.get(table, work_id, populate_existing=True)


def holds(row: Letter | Report, attempt: int) -> bool:
    """Whether who took the row at this attempt still has it: its lease may have run out, and another have taken it."""
    return row.state is WorkState.RUNNING and row.attempts == attempt


def finish(row: Letter | Report) -> None:
    """It is done."""
    row.state, row.leased_until, row.error = WorkState.DONE, None, ""


def put_off(row: Letter | Report, error: str, *, until: datetime) -> None:
    """It failed for now and is tried again."""
    row.state, row.leased_until, row.not_before = WorkState.QUEUED, None, until
    row.error = error[:_LONGEST_ERROR]


def give_up(row: Letter | Report, error: str) -> None:
    """It failed for good: shown to people, and left alone until one of them asks for another try."""
    row.state, row.leased_until, row.error = WorkState.FAILED, None, error[:_LONGEST_ERROR]


def may_start_again(row: Letter | Report) -> bool:
    """Whether somebody may ask for that: it was given up, or a try has failed and the next one is not due yet."""
    return row.state is WorkState.FAILED or (row.state is WorkState.QUEUED and row.attempts > 0)


def start_again(row: Letter | Report, *, now: datetime) -> None:
    """Somebody asks for another round of tries."""
    row.state, row.leased_until, row.not_before, row.attempts = WorkState.QUEUED, None, now, 0


def _can_be_taken(table: type[Work], now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(table.state == WorkState.QUEUED, table.not_before <= now),
        and_(table.state == WorkState.RUNNING, table.leased_until <= now),
    )
