"""The vendor's side of a request: the draft, saving answers one by one, and counting how far it has come.

Called by the vendor's pages. What happens when everything is sent stands in `submissions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Request
from vendorrisk.domain import conditions, question_types
from vendorrisk.domain import progress as counting
from vendorrisk.domain.answers import Answers
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import Actor
from vendorrisk.domain.errors import WrongState
from vendorrisk.domain.progress import Progress
from vendorrisk.domain.questionnaire import Question, Questionnaire, QuestionType
from vendorrisk.services import answers, copies, sittings
from vendorrisk.services.answers import Conflict, NewAnswer, StoredAnswer
from vendorrisk.services.sittings import Sitting

MIN_REASON = 15
"""How many characters "not applicable" needs as its reason."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A request's questions and answers as they stand, with what follows from them."""

    questionnaires: tuple[Questionnaire, ...]
    questions: Mapping[str, Question]
    stored: Mapping[str, StoredAnswer]
    answers: Answers
    visible: frozenset[str]
    progress: Progress


@dataclass(frozen=True, slots=True)
class Change:
    """One answer to save, over the version that its writer saw."""

    question: Question
    said: NewAnswer
    expected_version: int


@dataclass(frozen=True, slots=True)
class Saved:
    """How saving went: the draft afterwards, and the stored answers that somebody else had changed first."""

    draft: Draft
    saved: tuple[str, ...]
    conflicts: Mapping[str, StoredAnswer | None]


def load(session: Session, request: Request) -> Draft:
    """The draft of one request; the number of queries does not depend on its size."""
    questionnaires = copies.questionnaires(session, request.copies)
    questions = answers.questions_by_id(questionnaires)
    return _draft(questionnaires, questions, answers.load(session, request, questions))


def _draft(
    questionnaires: tuple[Questionnaire, ...], questions: Mapping[str, Question], stored: Mapping[str, StoredAnswer]
) -> Draft:
    given = answers.as_domain(stored)
    shown = conditions.visible(questionnaires, given)
    return Draft(questionnaires, questions, stored, given, shown, counting.progress(questionnaires, given, shown))


def check_open(request: Request, *, now: datetime) -> None:
    """Raise WrongState unless answers may still change."""
    if not sittings.can_edit(request, now=now):
        raise WrongState("These answers can no longer be changed: they have been sent, or the request has closed.")


def save(
    session: Session, sitting: Sitting, draft: Draft, changes: Iterable[Change], *, by: Actor, now: datetime
) -> Saved:
    """Save answers. Those that somebody else has changed meanwhile are left alone and handed back.

    `sitting` must have been found `for_update`. Raises WrongState where nothing may be changed any more.
    """
    check_open(sitting.request, now=now)
    stored = dict(draft.stored)
    saved: list[str] = []
    conflicts: dict[str, StoredAnswer | None] = {}
    for change in changes:
        question = change.question
        try:
            version = answers.put(
                session, sitting.request, sitting.key_id, question, change.said,
                expected_version=change.expected_version, origin=Origin.VENDOR, by=by, now=now,
            )  # fmt: skip
        except Conflict as conflict:
            conflicts[question.id] = conflict.stored
            continue
        saved.append(question.id)
        stored[question.id] = StoredAnswer(question.id, change.said, by.name, Origin.VENDOR, version, now.date(), now)
    after = _draft(draft.questionnaires, draft.questions, stored) if saved else draft
    if saved:
        _count(session, sitting, after, by=by, now=now)
    return Saved(after, tuple(saved), conflicts)


def _count(session: Session, sitting: Sitting, draft: Draft, *, by: Actor, now: datetime) -> None:
    request = sitting.request
    request.answered, request.visible = draft.progress.answered, draft.progress.visible
    request.last_saved_at = now
    request.last_saved_by = vault.seal_text(session, sitting.key_id, by.name, context="request.last_saved_by")


def last_saved_by(session: Session, request: Request) -> str:
    """Who saved last, or nothing."""
    return vault.open_optional(session, request.last_saved_by, context="request.last_saved_by")


def both(question: Question, theirs: NewAnswer, mine: NewAnswer, *, by: Actor) -> NewAnswer:
    """Two answers to one question as one: long texts one after the other, else mine goes into the comment."""
    comments = [theirs.comment]
    if mine.comment and mine.comment not in theirs.comment:
        comments.append(mine.comment)
    if question.type is QuestionType.LONG_TEXT and isinstance(theirs.value, str) and isinstance(mine.value, str):
        return replace(theirs, value=f"{theirs.value}\n\n{mine.value}", comment="\n\n".join(filter(None, comments)))
    if (theirs.value, theirs.not_applicable, theirs.unknown) != (mine.value, mine.not_applicable, mine.unknown):
        comments.append(f"{by.name} would answer: {words(question, mine)}")
    return replace(theirs, comment="\n\n".join(filter(None, comments)))


def words(question: Question, said: NewAnswer | None) -> str:
    """What was said, in words."""
    if said is None or said.state == "unanswered":
        return "No answer"
    if said.not_applicable is not None:
        return f"Not applicable: {said.not_applicable}"
    return "Do not know" if said.unknown else question_types.words(question, said.value)
