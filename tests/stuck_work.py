"""Letters and reports in the states in which staff see them as stuck."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from tests import builders
from tests.mail.letters import letter
from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Letter, Report, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, WorkState
from vendorrisk.services import work
from vendorrisk.services.letters import outbox


def put(session: Session, now: datetime, to: str = "dana@northwind.example") -> Letter:
    """A letter that was just written."""
    return outbox.put(session, letter("access_code", to=to), kind="access_code", now=now)


def put_off(session: Session, now: datetime) -> Letter:
    """A letter that the mail server asked to send later."""
    row = put(session, now)
    parcel = outbox.take(session, row.id, now=now)
    assert parcel is not None
    outbox.put_off(session, parcel, "451 later", now=now)
    return row


def refused(session: Session, now: datetime) -> Letter:
    """A letter that the mail server will not have."""
    row = put(session, now)
    parcel = outbox.take(session, row.id, now=now)
    assert parcel is not None
    outbox.refused(session, parcel, "550 no such mailbox", now=now)
    return row


def report(session: Session, now: datetime, case: Assessment | None = None, *, failed: bool = False) -> Report:
    """A report that was just asked for, or that could not be made."""
    case = case or builders.add_assessment(session, status=AssessmentStatus.REVIEW)
    key_id = session.get_one(Vendor, case.vendor_id).key_id
    row = Report(
        id=uuid4(), reference=f"P-{uuid4().hex[:8]}", assessment_id=case.id, snapshot_hash="0" * 64, not_before=now,
        snapshot=vault.seal_json(session, key_id, {}, context="report.snapshot"), asked_at=now, attempts=0, error="",
        state=WorkState.QUEUED,
    )  # fmt: skip
    session.add(row)
    if failed:
        row.attempts = 3
        work.give_up(row, "The report was not ready after 28 seconds.")
    session.flush()
    return row
