"""One save of an answer: its row, its event in the trail, and where the request stands then.

Called by `responses`, through which vendors save, and by `on_behalf` for staff.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Update, bindparam, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert, UpdateBase

from vendorrisk.db import vault
from vendorrisk.db.models import Answer, Request
from vendorrisk.db.prepared import Chain
from vendorrisk.domain import question_types
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services import audit
from vendorrisk.services.answering import answer_rows
from vendorrisk.services.answering.answers import NewAnswer, StoredAnswer
from vendorrisk.services.answering.seats import Sent

STANDING = ("answered", "visible", "last_saved_at", "last_saved_by")
"""The columns that say where a request stands."""
_ANSWERS, _REQUESTS = (model.metadata.tables[model.__tablename__] for model in (Answer, Request))


class Conflict(Exception):
    """Somebody else saved this answer first; `stored` is what they said (None if it cannot be found)."""

    def __init__(self, stored: StoredAnswer | None) -> None:
        super().__init__("somebody else has changed this answer")
        self.stored = stored


def put(
    session: Session,
    request: Sent,
    key_id: UUID,
    question: Question,
    said: NewAnswer,
    *,
    expected_version: int,
    origin: Origin,
    by: Actor,
    now: datetime,
    answered_on: date | None = None,
    standing: Mapping[str, Any] | None = None,
) -> int:
    """Save one answer over the version that its writer saw (0: none yet); returns the new version.

    One statement decides the race: of two writers with the same version one wins, the other gets `Conflict` with what
    was said meanwhile. The trail event goes with it, and how far the request stands then, where that is given (columns
    of STANDING). `answered_on` is the day of the answer where that is not today (staff entering a document). Raises
    Conflict.
    """
    body = {
        "value": None if said.value is None else question_types.to_plain(question, said.value),
        "not_applicable": said.not_applicable,
        "comment": said.comment,
        "source": said.source,
        "by": by.name,
    }
    values = {
        "of_request": request.id,
        "of_question": question.id,
        "body": vault.seal_json(session, key_id, body, context=answer_rows.context(request.id, question.id)),
        "state": said.state,
        "origin": origin,
        "answered_on": answered_on or now.date(),
        "saved_at": now,
        "expected": expected_version,
    }
    event = audit.event(
        session, EventKind.ANSWER_SAVED, ("assessment", request.assessment_id), key_id=key_id, by=by, now=now,
        details={"request": request.reference, "question": question.code, "state": said.state,
                 "version": expected_version + 1, "origin": origin.value},
    )  # fmt: skip
    chains = _ALONE if standing is None else _WITH_STANDING
    if chains[expected_version != 0].one(session, **values, **event, **(standing or {})) is None:
        raise Conflict(answer_rows.load_one(session, request, question))
    return expected_version + 1


_SAID: dict[str, Any] = {name: bindparam(name) for name in ("body", "state", "origin", "answered_on", "saved_at")}


def _make_add(insert: Callable[..., Any]) -> ReturningInsert[int]:
    statement: ReturningInsert[int] = (
        insert(_ANSWERS)
        .values(request_id=bindparam("of_request"), question_id=bindparam("of_question"), version=1, **_SAID)
        .on_conflict_do_nothing()
        .returning(_ANSWERS.c.version)
    )
    return statement


_CHANGE = (
    update(_ANSWERS)
    .where(
        _ANSWERS.c.request_id == bindparam("of_request"), _ANSWERS.c.question_id == bindparam("of_question"),
        _ANSWERS.c.version == bindparam("expected"),
    )
    .values(version=_ANSWERS.c.version + 1, **_SAID)
    .returning(_ANSWERS.c.version)
)  # fmt: skip


def _stand(done: CTE | None) -> Update:
    statement = update(_REQUESTS).where(_REQUESTS.c.id == bindparam("of_request", type_=_REQUESTS.c.id.type))
    statement = statement.values({name: bindparam(name) for name in STANDING})
    return statement if done is None else statement.where(exists(select(done)))


def _chains(*others: Callable[[CTE | None], UpdateBase]) -> Mapping[bool, Chain]:
    """By whether there is an answer already."""
    return {
        False: Chain(_make_add(sqlite.insert), audit.adding, *others, on_postgresql=_make_add(postgresql.insert)),
        True: Chain(_CHANGE, audit.adding, *others, on_postgresql=_CHANGE),
    }


_ALONE, _WITH_STANDING = _chains(), _chains(_stand)
