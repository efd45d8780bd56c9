"""Saving what was typed into questions: read, judged, merged where two people wrote, and handed to the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flask import request
from sqlalchemy.orm import Session

from vendorrisk.domain import plain_values
from vendorrisk.domain.audit import Actor
from vendorrisk.domain.questionnaire import Question, QuestionType
from vendorrisk.services.answering import evidence, responses
from vendorrisk.services.answering.answers import StoredAnswer
from vendorrisk.services.answering.responses import Change, Draft, Saved
from vendorrisk.services.answering.seats import Writer
from vendorrisk.web import edge, question_forms
from vendorrisk.web.forms import Problem
from vendorrisk.web.question_forms import NOTHING, Clash, Control, Typed
from vendorrisk.web.vendor import pages

THEIRS, MINE, BOTH = "theirs", "mine", "both"


@dataclass(frozen=True, slots=True)
class Result:
    """How saving a page went: `controls` are the questions that must be shown as they were typed."""

    saved: Saved
    controls: Mapping[str, Control]
    problems: list[Problem]


def save_all(session: Session, writer: Writer, draft: Draft, questions: Iterable[Question], *, by: Actor) -> Result:
    """Save the questions of a page that was sent. Those that are wrong or in conflict come back as controls."""
    found = read(session, writer, questions)
    changes = [change for typed in found.values() if (change := _change(draft, typed, by=by)) is not None]
    saved = responses.save(session, writer, draft, changes, by=by, now=edge.now())
    controls: dict[str, Control] = {}
    problems: list[Problem] = []
    for question_id, typed in found.items():
        if typed.error:
            controls[question_id] = question_forms.from_typed(typed)
            problems.append((typed.error_at, f"{typed.question.code}: {typed.error}"))
        elif question_id in saved.conflicts:
            controls[question_id] = clash(writer, typed, saved.conflicts[question_id])
            words = "somebody else has changed this answer meanwhile. Choose which one stays."
            problems.append((f"q-{question_id}-clash", f"{typed.question.code}: {words}"))
    return Result(saved, controls, problems)


def read(session: Session, writer: Writer, questions: Iterable[Question]) -> dict[str, Typed]:
    """What was typed into those of the questions that the page held."""
    asked = [question for question in questions if question_forms.is_asked(question, request.form)]
    has_files = any(question.type is QuestionType.FILE for question in asked)
    files = evidence.by_question(evidence.of_request(session, writer.request)) if has_files else {}
    today = edge.now().date()
    row_of, _, row = request.form.get("rows", "").partition(":remove:")
    return {
        question.id: question_forms.typed(
            question, request.form, on=today, files=files.get(question.id, ()),
            without_row=plain_values.read_count(row, -1) if row_of == question.id else -1,
        )
        for question in asked
    }  # fmt: skip


def _change(draft: Draft, typed: Typed, *, by: Actor) -> Change | None:
    """What to save of one question; None where there is nothing to save."""
    stored = draft.stored.get(typed.question.id)
    if typed.said is None or typed.keep == THEIRS:
        return None
    said = typed.said
    if typed.keep == BOTH and stored is not None:
        said = responses.both(typed.question, stored.said, said, by=by)
    elif typed.keep != MINE and typed.is_untouched:
        return None
    if said == (stored.said if stored else NOTHING):
        return None
    return Change(typed.question, said, typed.version)


def clash(writer: Writer, typed: Typed, stored: StoredAnswer | None) -> Control:
    """The question as it was typed, with what somebody else has saved meanwhile beside it."""
    question = typed.question
    control = question_forms.from_typed(typed)
    card = Clash(
        by=stored.by if stored else "", at=pages.saved_at(writer, stored.saved_at if stored else None),
        theirs=_words(question, stored), mine=_said_words(typed),
    )  # fmt: skip
    return replace(control, version=stored.version if stored else 0, clash=card)


def _words(question: Question, stored: StoredAnswer | None) -> str:
    if stored is None:
        return responses.words(question, None)
    return _with_comment(responses.words(question, stored.said), stored.said.comment)


def _said_words(typed: Typed) -> str:
    said = typed.said or NOTHING
    return _with_comment(responses.words(typed.question, said), said.comment)


def _with_comment(words: str, comment: str) -> str:
    return f"{words}\nComment: {comment}" if comment else words
