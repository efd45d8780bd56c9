"""The outbox: letters are rows, written with the change they tell of, and sent afterwards by the job.

Services call `put`; the job calls `take` and then says what became of it; pages show `of_request`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session, aliased

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import Letter, Request
from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.audit import SYSTEM, Actor, EventKind
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.mail.messages import Message
from vendorrisk.services import audit, work

CONTEXT = "letter.content"
LEASE = timedelta(minutes=3)
"""Longer than any talk with a mail server (mail/transports.py). After it, a killed worker's letter goes out again."""

_FIRST_PAUSES = (1, 2, 5, 15, 60)
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (*_FIRST_PAUSES, *[60] * 22, 37))
"""How long to wait after each failed try: quickly first, then every hour; 24 hours in all."""

_CODES = re.compile(r"[245]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?(?!\S)")
"""How a mail server's answer begins: its code, and the enhanced one of RFC 3463."""
_SAID = "letter.said"
_LONGEST_SAID = 500


@dataclass(frozen=True, slots=True)
class LetterView:
    """One letter for pages."""

    id: UUID
    kind: str
    state: WorkState
    to: str
    attempts: int
    error: str
    created_at: datetime
    sent_at: datetime | None
    not_before: datetime


@dataclass(frozen=True, slots=True)
class Parcel:
    """A letter taken from the outbox, with all that sending it needs. `thread` is the same for all of one request."""

    letter_id: UUID
    attempt: int
    message: Message
    message_id: str
    thread: str
    written_at: datetime


def put(
    session: Session, message: Message, *, kind: str, now: datetime, key_id: UUID = vault.SYSTEM_KEY,
    request_id: UUID | None = None,
) -> Letter:  # fmt: skip
    """Queue a letter in the transaction of the change that it tells of. `key_id`: the vendor's, where one is named."""
    letter_id = uuid4()
    letter = Letter(
        id=letter_id, kind=kind, request_id=request_id, message_id=f"{letter_id.hex}.letter", not_before=now,
        content=vault.seal_json(session, key_id, asdict(message), context=CONTEXT), created_at=now,
        state=WorkState.QUEUED, attempts=0, error="",
    )  # fmt: skip
    session.add(letter)
    session.flush()
    _record(session, EventKind.LETTER_QUEUED, letter, {"to": message.to}, by=SYSTEM, now=now)
    return letter


def take(session: Session, letter_id: UUID, *, now: datetime) -> Parcel | None:
    """Lease a letter for sending: commit, send, then say what became of it. None where there is nothing to do."""
    letter = work.lease(session, Letter, letter_id, lasting=LEASE, now=now)
    if letter is None:
        return None
    if letter.attempts > len(PAUSES) + 1:
        _park(session, letter, "The worker that sent it was stopped each time.", now=now)
        return None
    try:
        message = _message(session, letter)
    except vault.Erased:
        _park(session, letter, "The vendor was erased.", now=now)
        return None
    thread = f"{(letter.request_id or letter.id).hex}.thread"
    return Parcel(letter.id, letter.attempts, message, letter.message_id, thread, letter.created_at)


def _park(session: Session, letter: Letter, reason: str, *, now: datetime) -> None:
    """Give up a letter that cannot even be tried."""
    work.give_up(letter, reason)
    letter.said = None
    _record(session, EventKind.LETTER_UNDELIVERED, letter, {"error": reason}, by=SYSTEM, now=now)


def delivered(session: Session, parcel: Parcel, *, now: datetime) -> None:
    """The mail server has taken it."""
    letter = session.get_one(Letter, parcel.letter_id, populate_existing=True)
    if letter.state is WorkState.DONE:
        return
    # Even where the lease has run out meanwhile: it is sent, and nobody should send it once more.
    work.finish(letter)
    letter.sent_at, letter.said = now, None
    _record(session, EventKind.LETTER_SENT, letter, {"to": parcel.message.to}, by=SYSTEM, now=now)


def put_off(session: Session, parcel: Parcel, error: str, *, now: datetime) -> None:
    """It could not be sent just now: again later, or undelivered after a day of trying."""
    letter = session.get_one(Letter, parcel.letter_id, populate_existing=True)
    if not work.holds(letter, parcel.attempt):
        return
    if letter.attempts > len(PAUSES):
        _give_up(session, letter, parcel, error, now=now)
        return
    words = " ".join(error.split())
    work.put_off(letter, _codes(words), until=now + PAUSES[letter.attempts - 1])
    letter.said = _sealed(session, letter, words)


def refused(session: Session, parcel: Parcel, error: str, *, now: datetime) -> None:
    """The mail server will not have it: undelivered, and shown to staff."""
    letter = session.get_one(Letter, parcel.letter_id, populate_existing=True)
    if work.holds(letter, parcel.attempt):
        _give_up(session, letter, parcel, error, now=now)


def retry(session: Session, letter_id: UUID, *, by: Actor, now: datetime) -> Letter:
    """Try a letter again, from the start: one that was given up, or that waits for its next try.

    Raises NotFound, or WrongState where no try has failed.
    """
    letter = session.get(Letter, letter_id)
    if letter is None:
        raise NotFound("There is no such letter.")
    if not work.may_start_again(letter):
        raise WrongState("Only letters that could not be delivered can be tried again.")
    work.start_again(letter, now=now)
    _record(session, EventKind.LETTER_RETRIED, letter, {}, by=by, now=now)
    return letter


def of_request(session: Session, request_id: UUID) -> list[LetterView]:
    """The letters of a request, the newest first."""
    rows = session.scalars(
        select(Letter).where(Letter.request_id == request_id).order_by(Letter.created_at.desc(), Letter.id)
    )
    return [_view(session, letter) for letter in rows]


def trouble(session: Session, letter: Letter) -> str:
    """Why the last try failed: the mail server's own words, as long as they can be opened."""
    return vault.show_text(session, letter.said, context=_SAID, erased=letter.error) if letter.said else letter.error


def _codes(words: str) -> str:
    """What of a mail server's words may lie plain: they like to name the host of whom the letter is for."""
    found = _CODES.match(words)
    return found[0] if found else ""


def _sealed(session: Session, letter: Letter, words: str) -> Sealed | None:
    key_id = crypto.key_id_of(letter.content)
    if not vault.is_alive(session, key_id):
        return None
    return vault.seal_text(session, key_id, words[:_LONGEST_SAID], context=_SAID)


def _give_up(session: Session, letter: Letter, parcel: Parcel, error: str, *, now: datetime) -> None:
    words = " ".join(error.split())
    work.give_up(letter, _codes(words))
    letter.said = _sealed(session, letter, words)
    details = {"to": parcel.message.to, "error": words, "attempts": letter.attempts}
    _record(session, EventKind.LETTER_UNDELIVERED, letter, details, by=SYSTEM, now=now)


def _message(session: Session, letter: Letter) -> Message:
    return Message(**vault.open_json(session, letter.content, context=CONTEXT))


def addressee(session: Session, letter: Letter) -> str:
    """Whom it goes to."""
    try:
        return _message(session, letter).to
    except vault.Erased:
        return "(erased)"


def _view(session: Session, letter: Letter) -> LetterView:
    return LetterView(
        id=letter.id, kind=letter.kind, state=letter.state, to=addressee(session, letter), attempts=letter.attempts,
        error=trouble(session, letter), created_at=letter.created_at, sent_at=letter.sent_at,
        not_before=letter.not_before,
    )  # fmt: skip


def _record(
    session: Session, kind: EventKind, letter: Letter, details: Mapping[str, Any], *, by: Actor, now: datetime
) -> None:
    """Letters of a request belong to the story of its assessment."""
    request = session.get(Request, letter.request_id) if letter.request_id else None
    key_id = crypto.key_id_of(letter.content)
    if not vault.is_alive(session, key_id):
        key_id, details = vault.SYSTEM_KEY, {}  # erased meanwhile: that it was sent is known, to whom is not
    more = {"letter": letter.kind, "letter_id": str(letter.id), **details}
    if request is not None:
        more["request"] = request.reference
    audit.record(
        session, kind, object_kind="assessment" if request else "letter",
        object_id=request.assessment_id if request else letter.id, key_id=key_id, by=by, now=now, details=more,
    )  # fmt: skip


@cache
def given_up() -> ColumnElement[bool]:
    """Whether a letter was given up, and none of its kind was written since."""
    later = aliased(Letter)
    replaced = exists().where(
        later.request_id == Letter.request_id, later.kind == Letter.kind, later.created_at > Letter.created_at
    )
    return and_(Letter.state == WorkState.FAILED, ~replaced)
