"""Runs the jobs in threads of the service's own process; the factory starts it with the pages.

Huey carries ids only. What has to be done stands on the rows themselves, so its queue may live in memory
(docs/decisions/0003-jobs.md): a commit that leaves work behind wakes a worker at once, and a sweep each minute finds
what is due again, what another process wrote, and what a killed worker left. The trail's sealer has a thread of its own
beside them, so that no slow mail server keeps events out of the chain.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from vendorrisk import lean
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Letter, Report
from vendorrisk.domain.assessment import WorkState
from vendorrisk.jobs import make_reports, seal_trail
from vendorrisk.jobs.deliver_mail import PostOffice, deliver
from vendorrisk.jobs.finish_erasing import Finisher
from vendorrisk.jobs.seal_trail import Sealer
from vendorrisk.mail.transports import Transport, open_transport
from vendorrisk.services import files, work
from vendorrisk.services.auditing import anchor, heads
from vendorrisk.services.operating import leftovers
from vendorrisk.services.runtime import Runtime

with lean.without("psycopg"):  # for its queue in PostgreSQL; ours lies in memory
    from huey import MemoryHuey, crontab
    from huey.consumer import Consumer

_log = logging.getLogger(__name__)
_WORKERS = 3
_LONGEST_PAUSE = 0.25
_SECONDS_TO_STOP = 10
_WAITING = "vendorrisk.work"

Kind = type[Letter] | type[Report]
Clock = Callable[[], datetime]


def start(runtime: Runtime, *, clock: Clock | None = None, transport: Transport | None = None) -> Callable[[], None]:
    """Start the workers; returns how to stop them. Raises BadSettings for a mail server that cannot be used."""
    clock = clock or (lambda: datetime.now(UTC))
    jobs = _Jobs(runtime, clock, transport or open_transport(runtime.settings.mail))
    watches = [
        runtime.database.watch_writers("after_flush", jobs.note_work),
        runtime.database.watch_writers("after_commit", jobs.wake),
    ]
    consumer = _Consumer(
        jobs.huey, workers=_WORKERS, max_delay=_LONGEST_PAUSE, shutdown_timeout=_SECONDS_TO_STOP,
        check_worker_health=False,
    )  # fmt: skip
    consumer.start()
    jobs.sweep()
    jobs.tidy()
    jobs.finish_erasing()
    stop_sealer = seal_trail.start(Sealer(runtime.database, anchor.path_of(runtime.settings), clock))

    def stop() -> None:
        for forget in watches:
            forget()
        consumer.stop(graceful=True)
        stop_sealer()  # last, so that it seals what the others wrote

    return stop


class _Consumer(Consumer):  # type: ignore[misc]  # huey says nothing about its types
    """Huey's workers without its signal handlers: signals belong to the web server that shares the process."""

    def _set_signal_handlers(self) -> None:
        return


class _Jobs:
    """The queue and what its workers do."""

    def __init__(self, runtime: Runtime, clock: Clock, transport: Transport) -> None:
        self._database: Database = runtime.database
        self._clock = clock
        settings = runtime.settings
        office = PostOffice(runtime.database, transport, settings.organisation, settings.mail_from, clock)
        workshop = make_reports.Workshop(runtime.database, runtime.storage, clock)
        self.huey = MemoryHuey("vendorrisk", results=False)
        self._tasks: dict[Kind, Any] = {
            Letter: self.huey.task(name="deliver")(lambda row_id: deliver(office, UUID(row_id))),
            Report: self.huey.task(name="make_report")(lambda row_id: make_reports.make(workshop, UUID(row_id))),
        }
        self.huey.periodic_task(crontab(minute="*"), name="sweep")(self.sweep)
        self.tidy = self.huey.periodic_task(crontab(minute="*"), name="tidy")(
            lambda: files.sweep(runtime.database, runtime.storage, now=clock())
        )
        finisher = Finisher(runtime.database, settings.backups, clock)
        self.finish_erasing = self.huey.periodic_task(crontab(minute="*"), name="finish_erasing")(finisher.round)
        self.huey.periodic_task(crontab(minute="17"), name="forget")(
            lambda: leftovers.forget(runtime.database, now=clock())
        )
        self.huey.periodic_task(crontab(minute="*"), name="mail_head")(self.mail_head)
        self._organisation = settings.organisation

    def sweep(self) -> None:
        """Queue all that is due. What is queued twice is done once: the lease sees to it."""
        with self._database.reading() as session:
            letters = work.due(session, Letter, now=self._clock())
            reports = work.due(session, Report, now=self._clock())
        self._queue(Letter, letters)
        self._queue(Report, reports)

    def mail_head(self) -> None:
        """Mail the trail's head, where that was not done today."""
        now = self._clock()
        with self._database.reading() as session:
            due = heads.is_due(session, now=now)
        if due:
            with self._database.writing() as session:
                heads.mail(session, organisation=self._organisation, now=now)

    def note_work(self, session: Session, _context: Any) -> None:
        """Remember the rows of this transaction that have become work."""
        for row in (*session.new, *session.dirty):
            if isinstance(row, Letter | Report) and row.state is WorkState.QUEUED and row.not_before <= self._clock():
                session.info.setdefault(_WAITING, set()).add((type(row), row.id))

    def wake(self, session: Session) -> None:
        """Queue what this transaction has left to do, now that it is committed."""
        for kind, row_id in session.info.pop(_WAITING, ()):
            self._queue(kind, [row_id])

    def _queue(self, kind: Kind, ids: Sequence[UUID]) -> None:
        for row_id in ids:
            self._tasks[kind](str(row_id))
