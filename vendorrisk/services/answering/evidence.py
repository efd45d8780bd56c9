"""Evidence: sealing, attaching, reading and removing the files that back answers.

Called by the vendor's pages; staff and auditors read with `open_file`. A checked file (see checked_files.py) goes
the way of services/files.py: `reserve` its place and commit, `store` its bytes, `attach` it. Only then is there a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import Evidence, EvidenceUse, Request, Vendor
from vendorrisk.db.prepared import Prepared
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import InvalidFile, NotFound
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services import audit, files
from vendorrisk.services.answering.checked_files import Checked, Infected
from vendorrisk.services.answering.seats import Sent
from vendorrisk.services.auditing import readings
from vendorrisk.storage import Storage, sealed

MAX_REQUEST_BYTES = 250 * 1024 * 1024
MAX_FILES = 200
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class FileView:
    """One file for pages and reports. `question_ids` are the questions that it backs."""

    id: UUID
    name: str
    kind: str
    size: int
    sha256: str
    scanned_at: datetime | None
    uploaded_at: datetime
    uploaded_by: str
    question_ids: tuple[str, ...]

    @property
    def size_words(self) -> str:
        """The size as people say it."""
        if self.size < 1024:
            return f"{self.size} bytes"
        if self.size < 1024 * 1024:
            return f"{self.size / 1024:.0f} KB"
        return f"{self.size / 1024 / 1024:.1f} MB"


def reserve(
    session: Session, request: Request, checked: Checked, *, beside: Sequence[Checked] = (), now: datetime
) -> None:
    """Enter the name under which the file will be stored. Commit before `store`. Raises InvalidFile: no room.

    `beside`: what the same sending has reserved already. What others reserve meanwhile is found out by `attach`.
    """
    _check_room(session, request, checked, beside)
    files.begin(session, checked.storage_name, now=now)


def store(storage: Storage, key_id: UUID, key: bytes, checked: Checked) -> None:
    """Seal a reserved file into the storage; `attach` then makes it part of the request."""
    content = checked.content
    parts = (content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK))
    storage.put(checked.storage_name, sealed.seal_stream(key_id, key, parts, context=_context(checked.id)))


def _context(file_id: UUID) -> str:
    return f"evidence:{file_id}"


def _check_room(session: Session, request: Request, checked: Checked, beside: Sequence[Checked] = ()) -> None:
    count, used = session.execute(
        select(func.count(), func.coalesce(func.sum(Evidence.size), 0)).where(
            Evidence.request_id == request.id, Evidence.removed_at.is_(None)
        )
    ).one()
    count, used = count + len(beside), used + sum(file.size for file in beside)
    if used + checked.size > MAX_REQUEST_BYTES:
        left = (MAX_REQUEST_BYTES - used) // 1024 // 1024
        raise InvalidFile(f"All files together may be {MAX_REQUEST_BYTES // 1024 // 1024} MB; {left} MB are left.")
    if count >= MAX_FILES:
        raise InvalidFile(f"There are {MAX_FILES} files already, which is the most. Remove some first.")


def attach(
    session: Session, request: Request, key_id: UUID, question: Question, checked: Checked, *, by: Actor, now: datetime
) -> Evidence:
    """Make a stored file part of the request, as what backs this question's answer.

    Raises InvalidFile where a parallel sending took the room: nothing is written then, and the file is swept.
    """
    _check_room(session, request, checked)
    files.keep(session, checked.storage_name)
    row = Evidence(
        id=checked.id, request_id=request.id, kind=checked.kind, size=checked.size,
        sha256=vault.seal_text(session, key_id, checked.sha256, context="evidence.sha256"),
        name=vault.seal_text(session, key_id, checked.name, context="evidence.name"),
        storage_name=checked.storage_name, scan="clean" if checked.scanned_at else "not_scanned",
        scanned_at=checked.scanned_at, uploaded_at=now,
        uploaded_by=vault.seal_text(session, key_id, by.name, context="evidence.uploaded_by"),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(EvidenceUse(evidence_id=row.id, question_id=question.id, request_id=request.id))
    session.flush()
    details = {"question": question.code, "name": checked.name, "size": checked.size, "sha256": checked.sha256}
    _record(session, EventKind.EVIDENCE_ADDED, request, key_id, details, by=by, now=now)
    return row


def note_refusal(
    session: Session, request: Request, key_id: UUID, question: Question, infected: Infected, *, by: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """Write that somebody sent a file in which the virus scanner found something."""
    details: dict[str, object] = {
        "question": question.code, "name": infected.name, "sha256": infected.sha256, "found": infected.found,
    }  # fmt: skip
    _record(session, EventKind.EVIDENCE_REFUSED, request, key_id, details, by=by, now=now)


def remove(session: Session, request: Request, key_id: UUID, file_id: UUID, *, by: Actor, now: datetime) -> FileView:
    """Take a file back; its bytes go within a minute. Returns what it was."""
    row = get(session, request, file_id)
    uses = select(EvidenceUse.question_id).where(EvidenceUse.evidence_id == row.id).order_by(EvidenceUse.question_id)
    view = _view(session, row, tuple(session.scalars(uses)))
    row.removed_at = now
    files.drop(session, row.storage_name)
    session.execute(delete(EvidenceUse).where(EvidenceUse.evidence_id == row.id))
    details: dict[str, object] = {"name": view.name, "sha256": view.sha256}
    _record(session, EventKind.EVIDENCE_REMOVED, request, key_id, details, by=by, now=now)
    return view


def get(session: Session, request: Request, file_id: UUID) -> Evidence:
    """This request's file with this id. Raises NotFound, also for removed files and those of other requests."""
    row = session.get(Evidence, file_id)
    if row is None or row.request_id != request.id or row.removed_at is not None:
        raise NotFound("There is no such file.")
    return row


class _Line(NamedTuple):
    """One use of a file; a file that backs no question any more has one line, with None."""

    id: UUID
    name: Sealed
    kind: str
    size: int
    sha256: Sealed | None
    scanned_at: datetime | None
    uploaded_at: datetime
    uploaded_by: Sealed
    question_id: str | None


_FILES, _USES = Evidence.metadata.tables["evidence"], EvidenceUse.metadata.tables["evidence_uses"]
_OF_REQUEST = Prepared(
    select(*(_FILES.c[name] for name in _Line._fields[:-1]), _USES.c.question_id)
    .outerjoin_from(_FILES, _USES, _USES.c.evidence_id == _FILES.c.id)
    .where(_FILES.c.request_id == bindparam("request_id"), _FILES.c.removed_at.is_(None))
    .order_by(_FILES.c.uploaded_at, _FILES.c.id, _USES.c.question_id)
)


def of_request(session: Session, request: Sent) -> tuple[FileView, ...]:
    """The files of a request, in the order in which they came; one query."""
    session.flush()  # a file that was just taken back is not shown
    lines = [_Line(*line) for line in _OF_REQUEST.rows(session, request_id=request.id)]
    by_file = [list(uses) for _, uses in groupby(lines, key=attrgetter("id"))]
    return tuple(_view(session, uses[0], tuple(use.question_id for use in uses if use.question_id)) for uses in by_file)


def by_question(files: tuple[FileView, ...]) -> dict[str, tuple[FileView, ...]]:
    """The files by the questions that they back."""
    ids = {question for file in files for question in file.question_ids}
    return {question: tuple(file for file in files if question in file.question_ids) for question in ids}


def _view(session: Session, row: Evidence | _Line, question_ids: tuple[str, ...]) -> FileView:
    return FileView(
        id=row.id, name=vault.open_text(session, row.name, context="evidence.name"), kind=row.kind, size=row.size,
        sha256=vault.open_optional(session, row.sha256, context="evidence.sha256"), scanned_at=row.scanned_at,
        uploaded_at=row.uploaded_at,
        uploaded_by=vault.open_text(session, row.uploaded_by, context="evidence.uploaded_by"),
        question_ids=question_ids,
    )  # fmt: skip


def read(session: Session, request: Request, key_id: UUID, file_id: UUID, *, by: Actor, now: datetime) -> FileView:
    """Note in the trail that somebody reads this file; once in ten minutes. Commit before its bytes leave."""
    row = get(session, request, file_id)
    view = _view(session, row, ())
    thing = {"request": request.reference, "name": view.name, "sha256": view.sha256}
    readings.note(session, EventKind.EVIDENCE_READ, request.assessment_id, thing, key_id=key_id, by=by, now=now)
    return view


def open_file(session: Session, storage: Storage, file_id: UUID) -> Iterator[bytes]:
    """The plain bytes of a file, in parts. The key is taken at once; the bytes come as they are asked for."""
    row = session.get_one(Evidence, file_id)
    request = session.get_one(Request, row.request_id)
    key_id = session.get_one(Vendor, request.vendor_id).key_id
    key = vault.data_key(session, key_id)
    return sealed.open_stream(key_id, key, storage.get(row.storage_name), context=_context(file_id))


def _record(
    session: Session, kind: EventKind, request: Request, key_id: UUID, details: dict[str, object], *, by: Actor,
    now: datetime,
) -> None:  # fmt: skip
    audit.record(
        session, kind, object_kind="assessment", object_id=request.assessment_id, key_id=key_id, by=by, now=now,
        details={"request": request.reference, **details},
    )  # fmt: skip
