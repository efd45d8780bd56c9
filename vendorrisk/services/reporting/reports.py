"""Reports: asking for one, making it once, keeping it sealed, reading it. Called by the pages and by the job.

A report is a row: `ask` keeps the snapshot of every value in it; the job calls `make`, which renders the snapshot in a
child process and keeps the bytes. The same snapshot is never rendered twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Report, User, Vendor
from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.audit import SYSTEM, Actor, EventKind
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.reports import compose, pdf, snapshots, view
from vendorrisk.services import actors, audit, files, references, work
from vendorrisk.services.auditing import readings
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.services.reporting import report_facts
from vendorrisk.storage import Storage, sealed

_CONTEXT = "report.snapshot"
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class ReportView:
    """One report for pages."""

    id: UUID
    reference: str
    assessment: str
    state: WorkState
    attempts: int
    error: str
    asked_at: datetime
    asked_by: str
    made_at: datetime | None
    size: int | None
    sha256: str
    snapshot_hash: str
    is_erased: bool

    @property
    def file_name(self) -> str:
        """The name under which the report is saved: references only, nobody's name."""
        return f"{self.reference}.pdf"


@dataclass(frozen=True, slots=True)
class _Taken:
    """A report taken for rendering."""

    report_id: UUID
    attempt: int
    key_id: UUID
    key: bytes
    snapshot: bytes
    storage_name: str


def ask(session: Session, reference: str, *, organisation: str, by: Actor, now: datetime) -> Report:
    """Ask for the report of an assessment as it stands.

    Where a report with the same snapshot is there or on its way, it is that one; a failed one is tried again.
    Raises NotFound, or WrongState before anything was sent.
    """
    dossier = dossiers.find(session, reference)
    own = references.report(session, Report.reference, now=now)
    facts = report_facts.gather(session, dossier, own, organisation=organisation, by=by, now=now)
    snapshot = compose.report(facts)
    digest = snapshots.digest(snapshot)
    there = _with_snapshot(session, dossier, digest)
    if there is not None:
        if there.state is WorkState.FAILED:
            _try_again(session, there, by=by, now=now)
        return there
    return _add(session, dossier, snapshot, digest, by=by, now=now)


def _with_snapshot(session: Session, dossier: Dossier, digest: str) -> Report | None:
    same = select(Report).where(Report.assessment_id == dossier.case.id, Report.snapshot_hash == digest)
    return session.scalars(same.order_by(Report.asked_at).limit(1)).first()


def _add(session: Session, dossier: Dossier, snapshot: view.Report, digest: str, *, by: Actor, now: datetime) -> Report:
    head = snapshot.head
    report = Report(
        id=uuid4(), reference=snapshot.reference, assessment_id=dossier.case.id, snapshot_hash=digest,
        snapshot=vault.seal_json(session, dossier.key_id, snapshots.to_plain(snapshot), context=_CONTEXT),
        decision_id=report_facts.decision_id(session, dossier), state=WorkState.QUEUED, attempts=0, error="",
        head_position=head.position if head else None, head_chain=bytes.fromhex(head.chain) if head else None,
        not_before=now, asked_by=actors.user_id(by), asked_at=now,
    )  # fmt: skip
    session.add(report)
    session.flush()
    _record(session, EventKind.REPORT_ASKED, report, {"snapshot": digest}, by=by, now=now)
    return report


def retry(session: Session, reference: str, *, by: Actor, now: datetime) -> Report:
    """Try a failed report again, from the start. Raises NotFound, or WrongState where no try has failed."""
    report = _get(session, reference)
    if not work.may_start_again(report):
        raise WrongState("Only reports that could not be made can be tried again.")
    _try_again(session, report, by=by, now=now)
    return report


def _try_again(session: Session, report: Report, *, by: Actor, now: datetime) -> None:
    work.start_again(report, now=now)
    _record(session, EventKind.REPORT_ASKED, report, {"snapshot": report.snapshot_hash}, by=by, now=now)


def make(database: Database, storage: Storage, report_id: UUID, *, now: datetime) -> None:
    """Render a report and keep it; does nothing where that was done. Raises RenderFailed.

    The job holds the lease and counts the tries. Rendering lies between two short transactions: nobody waits for it.
    """
    with database.reading() as session:
        taken = _take(session, report_id)
    if taken is None:
        return
    made = pdf.render_snapshot(taken.snapshot)
    with database.writing() as session:
        files.begin(session, taken.storage_name, now=now)
    _store(storage, taken, made)
    with database.writing() as session:
        _keep(session, taken, made, now=now)


def _take(session: Session, report_id: UUID) -> _Taken | None:
    report = session.get_one(Report, report_id)
    if report.state is WorkState.DONE:
        return None
    snapshot = vault.open_text(session, report.snapshot, context=_CONTEXT).encode()
    key_id = _key_id(session, report)
    key = vault.data_key(session, key_id)
    return _Taken(report.id, report.attempts, key_id, key, snapshot, f"report-{uuid4().hex}")


def _store(storage: Storage, taken: _Taken, made: bytes) -> None:
    parts = (made[at : at + _CHUNK] for at in range(0, len(made), _CHUNK))
    chunks = sealed.seal_stream(taken.key_id, taken.key, parts, context=_file_context(taken.report_id))
    storage.put(taken.storage_name, chunks)


def _keep(session: Session, taken: _Taken, made: bytes, *, now: datetime) -> None:
    report = session.get_one(Report, taken.report_id, populate_existing=True)
    if report.state is WorkState.DONE or report.attempts != taken.attempt:
        # The lease ran out and another has taken it; the sweep deletes this file, which nobody keeps.
        return
    files.keep(session, taken.storage_name)
    work.finish(report)
    report.storage_name, report.sha256, report.size = taken.storage_name, hashlib.sha256(made).hexdigest(), len(made)
    report.made_at = now
    details = {"sha256": report.sha256, "size": report.size, "snapshot": report.snapshot_hash}
    _record(session, EventKind.REPORT_MADE, report, details, by=SYSTEM, now=now)


def show(session: Session, reference: str) -> ReportView:
    """One report. Raises NotFound."""
    return _view(session, _get(session, reference))


def of_case(session: Session, reference: str) -> tuple[ReportView, ...]:
    """The reports of an assessment, the newest first. Raises NotFound."""
    case = session.scalar(select(Assessment).where(Assessment.reference == reference))
    if case is None:
        raise NotFound("There is no such assessment.")
    rows = session.scalars(
        select(Report).where(Report.assessment_id == case.id).order_by(Report.asked_at.desc(), Report.id)
    )
    return tuple(_view(session, row) for row in rows)


def note_reading(session: Session, reference: str, *, by: Actor, now: datetime) -> ReportView:
    """Write that somebody takes this report; once in ten minutes for the same person. Commit before the bytes leave.

    Raises NotFound where there is no such report, or it is not made yet.
    """
    report = _get(session, reference)
    if report.state is not WorkState.DONE:
        raise NotFound("There is no such report.")
    thing = {"report": report.reference, "sha256": report.sha256}
    readings.note(
        session, EventKind.REPORT_READ, report.assessment_id, thing, key_id=_key_id(session, report), by=by, now=now
    )
    return _view(session, report)


def open_pdf(session: Session, storage: Storage, reference: str) -> Iterator[bytes]:
    """The report's bytes, in parts. Raises NotFound. Note the reading first."""
    report = _get(session, reference)
    if report.storage_name is None:
        raise NotFound("There is no such report.")
    key_id = _key_id(session, report)
    key = vault.data_key(session, key_id)
    return sealed.open_stream(key_id, key, storage.get(report.storage_name), context=_file_context(report.id))


def _get(session: Session, reference: str) -> Report:
    report = session.scalar(select(Report).where(Report.reference == reference))
    if report is None:
        raise NotFound("There is no such report.")
    return report


def _key_id(session: Session, report: Report) -> UUID:
    owner = select(Vendor.key_id).join(Assessment, Assessment.vendor_id == Vendor.id)
    return session.scalars(owner.where(Assessment.id == report.assessment_id)).one()


def _file_context(report_id: UUID) -> str:
    return f"report:{report_id}"


def _view(session: Session, report: Report) -> ReportView:
    case = session.get_one(Assessment, report.assessment_id)
    user = session.get(User, report.asked_by) if report.asked_by else None
    return ReportView(
        id=report.id, reference=report.reference, assessment=case.reference, state=report.state,
        attempts=report.attempts, error=report.error, asked_at=report.asked_at,
        asked_by=actors.name(user), made_at=report.made_at, size=report.size,
        sha256=report.sha256 or "", snapshot_hash=report.snapshot_hash,
        is_erased=session.get_one(Vendor, case.vendor_id).erased_at is not None,
    )  # fmt: skip


def _record(
    session: Session, kind: EventKind, report: Report, details: dict[str, Any], *, by: Actor, now: datetime
) -> None:
    audit.record(
        session, kind, object_kind="assessment", object_id=report.assessment_id, key_id=_key_id(session, report),
        by=by, now=now, details={"report": report.reference, **details},
    )  # fmt: skip
