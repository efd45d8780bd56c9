"""Erasing a vendor: its data key is destroyed, so that nothing that names it opens any more, in old backups neither.

Called by the vendor's page, the command `vendor erase`, and by restoring. Rows, figures and the trail stay: that there
was a case, how it was decided and who did what can still be shown, but not with whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import (
    Assessment,
    Contact,
    DataKey,
    Event,
    Evidence,
    IndexTerm,
    Invitation,
    Letter,
    Report,
    Request,
    RespondentSession,
    Vendor,
)
from vendorrisk.domain import plain_values
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus, WorkState
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import InvalidAnswer, WrongState
from vendorrisk.services import audit, files
from vendorrisk.services.casework import cases, vendors
from vendorrisk.services.operating import backup_keys
from vendorrisk.services.runtime import Runtime

MIN_REASON = 15
"""How many characters the reason needs."""
REASON_LENGTH = 500
_GONE = "The vendor was erased."
_LOG_IS_HELD = (
    "Somebody was reading, so the database's log still holds the wrapped key. The service cuts the log off within "
    "minutes; so does a backup."
)
_STILL_READABLE = (
    "Until that is done, what was erased can still be read from a backup. Where VENDORRISK_BACKUPS is set, the service "
    "tries again each minute; `doctor` says when it is done."
)
_WAITING = (WorkState.QUEUED, WorkState.RUNNING)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much would be lost, for the page that asks whether it should be."""

    assessments: int
    open_requests: int
    files: int
    reports: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """When a vendor was erased, by whom and why."""

    at: datetime
    by: str
    reason: str


def extent(session: Session, vendor: Vendor) -> Extent:
    """What hangs on this vendor's key."""
    cases_, requests_ = _cases(vendor), _requests(vendor)

    def count(of: type[Assessment | Request | Evidence | Report], *conditions: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).select_from(of).where(*conditions)) or 0

    return Extent(
        assessments=count(Assessment, Assessment.vendor_id == vendor.id),
        open_requests=count(Request, Request.vendor_id == vendor.id, Request.status.in_(cases.LIVE)),
        files=count(Evidence, Evidence.request_id.in_(requests_), Evidence.removed_at.is_(None)),
        reports=count(Report, Report.assessment_id.in_(cases_), Report.storage_name.is_not(None)),
    )


def reason_from(typed: str) -> str:
    """The reason as it is kept. Raises InvalidAnswer."""
    reason = " ".join(plain_values.read_text(typed, max_length=REASON_LENGTH).split())
    if len(reason) < MIN_REASON:
        raise InvalidAnswer(f"Say why, in at least {MIN_REASON} characters. Do not name the vendor: this text stays.")
    return reason


def erase(session: Session, reference: str, reason: str, *, by: Actor, now: datetime) -> None:
    """Destroy the vendor's key and doom its stored files: commit, then `sweep`.

    Raises NotFound, InvalidAnswer for a reason that is none, or WrongState where it was done before.
    """
    reason = reason_from(reason)
    vendor = vendors.get(session, reference)
    if vendor.erased_at is not None:
        raise WrongState("This vendor was erased before.")
    vault.hold_keys(session)  # a keyring that is just being written has this key, or is written before it is renewed
    ids = session.scalars(_cases(vendor)).all()
    settle(session, vendor, now=now)
    for kind, object_id in [("vendor", vendor.id), *(("assessment", case_id) for case_id in ids)]:
        audit.record(
            session, EventKind.VENDOR_ERASED, object_kind=kind, object_id=object_id, by=by, now=now,
            details={"vendor": vendor.reference, "reason": reason},
        )  # fmt: skip


def settle(session: Session, vendor: Vendor, *, now: datetime) -> None:
    """Bring everything about a vendor into the state in which its key is gone."""
    vendor.erased_at = now
    requests_, cases_ = _requests(vendor), _cases(vendor)
    contacts = select(Contact.id).where(Contact.vendor_id == vendor.id)
    session.execute(
        update(DataKey)
        .where(DataKey.id == vendor.key_id)
        .values(wrapped=None, destroyed_at=func.coalesce(DataKey.destroyed_at, now))
    )
    vault.forget(session, vendor.key_id)
    session.execute(delete(IndexTerm).where(or_(IndexTerm.subject_id == vendor.id, IndexTerm.subject_id.in_(contacts))))
    _close(session, requests_, cases_, now=now)
    _give_up_work(session, requests_, cases_)
    for name in _stored(session, vendor):
        files.drop(session, name)
    session.execute(
        update(Evidence).where(Evidence.request_id.in_(requests_), Evidence.removed_at.is_(None)).values(removed_at=now)
    )
    session.execute(update(Evidence).where(Evidence.request_id.in_(requests_)).values(sha256=None))
    session.execute(update(Report).where(Report.assessment_id.in_(cases_)).values(storage_name=None))


def sweep(runtime: Runtime, *, now: datetime) -> list[str]:
    """After the commit: delete the files, and leave the key in neither the log nor the backups' keyring.

    Returns what is left to do, in sentences. What stays behind when this fails or is killed, the jobs find within a
    minute (jobs/finish_erasing.py); files open no more meanwhile.
    """
    problem = backup_keys.renew(runtime.database, runtime.settings.backups, now=now)
    left = [f"{problem} {_STILL_READABLE}"] if problem else []
    if not runtime.database.forget_log():
        left.append(_LOG_IS_HELD)
    while files.sweep(runtime.database, runtime.storage, now=now):
        continue
    return left


def of_vendor(session: Session, vendor: Vendor) -> Erasure | None:
    """When and why the vendor was erased; None where it was not."""
    if vendor.erased_at is None:
        return None
    event = session.scalars(
        select(Event)
        .where(Event.object_kind == "vendor", Event.object_id == vendor.id, Event.kind == EventKind.VENDOR_ERASED.value)
        .order_by(Event.number)
        .limit(1)
    ).first()
    if event is None:
        return Erasure(vendor.erased_at, "", "It was erased after the backup was made from which this is restored.")
    body = vault.open_json(session, event.details, context=audit.CONTEXT)
    return Erasure(event.at, str(body["by"]), str(body["reason"]))


def _cases(vendor: Vendor) -> Select[UUID]:
    return select(Assessment.id).where(Assessment.vendor_id == vendor.id)


def _requests(vendor: Vendor) -> Select[UUID]:
    return select(Request.id).where(Request.vendor_id == vendor.id)


def _stored(session: Session, vendor: Vendor) -> tuple[str, ...]:
    sent = session.scalars(select(Evidence.storage_name).where(Evidence.request_id.in_(_requests(vendor)))).all()
    made = select(Report.storage_name).where(Report.assessment_id.in_(_cases(vendor)))
    return (*sent, *(name for name in session.scalars(made) if name is not None))


def _close(session: Session, requests_: Select[UUID], cases_: Select[UUID], *, now: datetime) -> None:
    """Links and browsers of the vendor's people lead nowhere any more."""
    live = update(Request).where(Request.id.in_(requests_), Request.status.in_(cases.LIVE))
    session.execute(live.values(status=RequestStatus.WITHDRAWN, withdrawn_at=now))
    sent = update(Assessment).where(Assessment.id.in_(cases_), Assessment.status == AssessmentStatus.SENT)
    session.execute(sent.values(status=AssessmentStatus.READY, due_at=None))
    links = update(Invitation).where(Invitation.request_id.in_(requests_), Invitation.revoked_at.is_(None))
    session.execute(links.values(revoked_at=now))
    browsers = update(RespondentSession).where(
        RespondentSession.request_id.in_(requests_), RespondentSession.ended_at.is_(None)
    )
    session.execute(browsers.values(ended_at=now))


def _give_up_work(session: Session, requests_: Select[UUID], cases_: Select[UUID]) -> None:
    given_up = {"state": WorkState.FAILED, "leased_until": None, "error": _GONE}
    letters = update(Letter).where(Letter.request_id.in_(requests_))
    session.execute(letters.values(error="", said=None))
    session.execute(letters.where(Letter.state.in_(_WAITING)).values(**given_up))
    reports = update(Report).where(Report.assessment_id.in_(cases_), Report.state.in_(_WAITING))
    session.execute(reports.values(**given_up))
