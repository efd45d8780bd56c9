"""Makes one report: leases it, has it rendered outside any transaction, and parks it after three failures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from vendorrisk.db.engine import Database
from vendorrisk.db.models import Report
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.reports.pdf import RenderFailed
from vendorrisk.services import audit, work
from vendorrisk.services.reporting import reports
from vendorrisk.storage import Storage

LEASE = timedelta(minutes=5)
TRIES = 3
PAUSE = timedelta(minutes=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What making a report needs."""

    database: Database
    storage: Storage
    clock: Callable[[], datetime]


def make(workshop: Workshop, report_id: UUID) -> None:
    """Make the report, if it is due and nobody else is at it."""
    attempt = _take(workshop, report_id)
    if attempt is None:
        return
    try:
        reports.make(workshop.database, workshop.storage, report_id, now=workshop.clock())
    except RenderFailed as error:
        _log.warning("report %s could not be made: %s", report_id, error)
        _failed(workshop, report_id, attempt, str(error))
    except Exception as error:  # whatever it was: the next report must not wait for it
        _log.exception("report %s could not be made", report_id)
        # Its own words could hold what the report holds, and the reason is stored in plain.
        _failed(workshop, report_id, attempt, f"Our own mistake: {type(error).__name__}.")


def _take(workshop: Workshop, report_id: UUID) -> int | None:
    with workshop.database.writing() as session:
        report = work.lease(session, Report, report_id, lasting=LEASE, now=workshop.clock())
        if report is None:
            return None
        if report.attempts <= TRIES:
            return report.attempts
    # Its worker was killed three times: it may be what kills.
    _failed(workshop, report_id, report.attempts, "The worker that made it was stopped each time.")
    return None


def _failed(workshop: Workshop, report_id: UUID, attempt: int, error: str) -> None:
    now = workshop.clock()
    with workshop.database.writing() as session:
        report = session.get_one(Report, report_id)
        if not work.holds(report, attempt):
            return
        if attempt < TRIES:
            work.put_off(report, error, until=now + PAUSE)
            return
        work.give_up(report, error)
        audit.record(
            session, EventKind.REPORT_FAILED, object_kind="assessment", object_id=report.assessment_id, by=SYSTEM,
            now=now, details={"report": report.reference, "error": report.error, "attempts": attempt},
        )  # fmt: skip
