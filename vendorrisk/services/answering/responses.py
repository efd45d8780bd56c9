"""The vendor's side of a request: the draft, saving answers one by one, and counting how far it has come.

Called by the vendor's pages. What happens when everything is sent stands in `submissions`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from vendorrisk.db import vault
from vendorrisk.db.models import Request
from vendorrisk.domain import conditions, question_types
from vendorrisk.domain import progress as counting
from vendorrisk.domain.answers import Answers
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import Actor
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.domain.progress import Progress
from vendorrisk.domain.questionnaire import Question, Questionnaire, QuestionType
from vendorrisk.services import copies
from vendorrisk.services.answering import answer_rows, answers, saves, sittings
from vendorrisk.services.answering.answers import NewAnswer, StoredAnswer
from vendorrisk.services.answering.saves import Conflict
from vendorrisk.services.answering.seats import Sent, Writer

MIN_REASON = 15
"""How many characters "not applicable" needs as its reason."""


@dataclass(frozen=True)
class Draft:
    """A request's questions and answers as they stand, with what follows from them.

    `said` are the ids of all questions dealt with. `stored` are the answers: all of them, or those that are shown and
    saved; then `gates` opens those that decide what is visible, and `shown` is what they show, where that is known.
    """

    questionnaires: tuple[Questionnaire, ...]
    questions: Mapping[str, Question]
    stored: Mapping[str, StoredAnswer]
    said: frozenset[str]
    gates: Callable[[], Answers] = dict
    shown: frozenset[str] | None = None

    @cached_property
    def answers(self) -> Answers:
        """The answers as the engine reads them: of an outline, as many as decide what is visible."""
        return {**self.gates(), **answers.as_domain(self.stored)}

    @cached_property
    def visible(self) -> frozenset[str]:
        """Ids of the visible questions."""
        return conditions.visible(self.questionnaires, self.answers) if self.shown is None else self.shown

    @cached_property
    def progress(self) -> Progress:
        """How far it is."""
        return counting.count(self.questionnaires, self.visible, self.said)

    def after(self, saved: StoredAnswer) -> Draft:
        """The draft once this answer is saved."""
        name = saved.question_id
        return replace(
            self, stored={**self.stored, name: saved}, said=self.said | {name} if saved.is_said else self.said - {name},
            shown=None if name in conditions.gates(self.questionnaires) else self.shown,
        )  # fmt: skip


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


def load(session: Session, request: Sent, *, around: Collection[str] | None = None) -> Draft:
    """The draft of one request; the number of queries does not depend on its size.

    `around` some questions it holds only what showing and saving those needs: their answers, and what decides which
    questions are visible. Raises NotFound where the request does not hold one of them.
    """
    questionnaires = copies.questionnaires(session, request.copies)
    questions = copies.questions_by_id(questionnaires)
    if around is None:
        stored = answer_rows.load(session, request, questions)
        return Draft(questionnaires, questions, stored, frozenset(n for n, answer in stored.items() if answer.is_said))
    if unknown := set(around) - questions.keys():
        raise NotFound(f"There is no question {min(unknown)} in this request.")
    found = answer_rows.outline(session, request, conditions.gates(questionnaires))
    draft = Draft(
        questionnaires, questions, answer_rows.load_some(session, request, [questions[name] for name in around]),
        found.said, gates=lambda: answer_rows.open_values(session, request, questions, found.sealed),
    )  # fmt: skip
    return replace(draft, shown=_shown((*request.copies, *found.sealed.values()), draft))


_SHOWN_KEPT = 256
_shown_by: dict[tuple[object, ...], frozenset[str]] = {}
"""What sealed answers show. No two seals are alike, and none changes its meaning: entries never go stale, and most
saves open no answer but their own.
"""


def _shown(seals: tuple[object, ...], draft: Draft) -> frozenset[str]:
    shown = _shown_by.get(seals)
    if shown is None:
        shown = draft.visible
        if len(_shown_by) >= _SHOWN_KEPT:
            _shown_by.clear()
        _shown_by[seals] = shown
    return shown


def check_open(request: Sent, *, now: datetime) -> None:
    """Raise WrongState unless answers may still change."""
    if not sittings.can_edit(request, now=now):
        raise WrongState("These answers can no longer be changed: they have been sent, or the request has closed.")


def save(
    session: Session, writer: Writer, draft: Draft, changes: Iterable[Change], *, by: Actor, now: datetime
) -> Saved:
    """Save answers. Those that somebody else has changed meanwhile are left alone and handed back.

    `writer` is a seat, or a sitting found `for_update`. Raises WrongState where nothing may be changed any more.
    """
    check_open(writer.request, now=now)
    saved: list[str] = []
    conflicts: dict[str, StoredAnswer | None] = {}
    for change in changes:
        try:
            draft = _save_one(session, writer, draft, change, by=by, now=now)
        except Conflict as conflict:
            conflicts[change.question.id] = conflict.stored
        else:
            saved.append(change.question.id)
    return Saved(draft, tuple(saved), conflicts)


def _save_one(session: Session, writer: Writer, draft: Draft, change: Change, *, by: Actor, now: datetime) -> Draft:
    question, version = change.question, change.expected_version
    new = StoredAnswer(question.id, change.said, by.name, Origin.VENDOR, version + 1, now.date(), now)
    after = draft.after(new)
    standing = {
        "answered": after.progress.answered, "visible": after.progress.visible, "last_saved_at": now,
        "last_saved_by": vault.seal_text(session, writer.key_id, by.name, context="request.last_saved_by"),
    }  # fmt: skip
    saves.put(
        session, writer.request, writer.key_id, question, change.said, expected_version=version, origin=Origin.VENDOR,
        by=by, now=now, standing=standing,
    )  # fmt: skip
    if isinstance(writer.request, Request):  # the object, where there is one, says what its row says
        for name, value in standing.items():
            set_committed_value(writer.request, name, value)
    return after


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
    if said is None or said.state == answers.UNANSWERED:
        return "No answer"
    if said.not_applicable is not None:
        return f"Not applicable: {said.not_applicable}"
    return "Do not know" if said.unknown else question_types.words(question, said.value)
