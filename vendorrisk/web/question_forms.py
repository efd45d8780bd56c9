"""Questions on a page: what their templates draw (`Control`), and reading what was typed into them (`typed`).

Vendor pages use it for sections; staff pages for the intake and for answers on a vendor's behalf. Field names are
`q-<question id>` with `-<suffix>`; the templates are `questions/<type>.html` inside `questions/question.html`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict

from vendorrisk.domain import plain_values, question_types
from vendorrisk.domain.answers import Table, Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.question_types import tables
from vendorrisk.domain.question_types.parts import Fields
from vendorrisk.domain.questionnaire import Question, Questionnaire, QuestionType
from vendorrisk.services.answering.answers import NewAnswer, StoredAnswer
from vendorrisk.services.answering.evidence import FileView
from vendorrisk.services.answering.responses import MIN_REASON

COMMENT_LENGTH = 5_000
NOTHING = NewAnswer()
_as_json = json.JSONEncoder(sort_keys=True).encode


class Typed(NamedTuple):
    """What somebody typed at one question: `said` if it can be kept, else the fields as they were and what is wrong."""

    question: Question
    fields: Fields
    comment: str
    na: bool
    na_reason: str
    unknown: bool
    version: int
    seen: str
    keep: str
    said: NewAnswer | None
    error: str = ""
    error_at: str = ""

    @property
    def is_untouched(self) -> bool:
        """Whether this is just what the page showed: somebody else's later change is not overwritten by it."""
        return self.said is not None and digest(self.question, self.said) == self.seen


@dataclass(frozen=True, slots=True)
class Clash:
    """Two answers to one question: what somebody else saved meanwhile, and what was typed here; in words."""

    by: str
    at: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True)
class Control:
    """All that the templates need to draw one question."""

    question: Question
    fields: Fields
    comment: str = ""
    na: bool = False
    na_reason: str = ""
    unknown: bool = False
    version: int = 0
    seen: str = ""
    error: str = ""
    error_at: str = ""
    depth: int = 0
    condition: str = ""
    is_hidden: bool = False
    clash: Clash | None = None
    files: tuple[FileView, ...] = ()

    @property
    def prefix(self) -> str:
        """The name of the main field, and the beginning of all others."""
        return name(self.question)

    @property
    def type(self) -> str:
        """The name of the template under `questions/`."""
        return self.question.type.value

    @property
    def offers_unknown(self) -> bool:
        """Whether "do not know" is offered beside the question's own options."""
        return offers_unknown(self.question)

    @property
    def rows(self) -> int:
        """How many rows a table is drawn with: those filled, and an empty one to go on with."""
        filled = plain_values.read_count(self.value("rows"))
        return min(filled + 1, tables.max_rows(self.question))

    def values(self, suffix: str = "") -> Sequence[str]:
        """All texts of one field."""
        return self.fields.get(suffix, ())

    def value(self, suffix: str = "") -> str:
        """The first text of one field, or nothing."""
        return next(iter(self.fields.get(suffix, ())), "")


def name(question: Question, suffix: str = "") -> str:
    """The name of a field in the page."""
    return f"q-{question.id}-{suffix}" if suffix else f"q-{question.id}"


def offers_unknown(question: Question) -> bool:
    """Whether "do not know" must be offered: the question has no such option of its own."""
    return question.type is not QuestionType.DECLARATION and not any(option.unknown for option in question.options)


def digest(question: Question, said: NewAnswer) -> str:
    """A short mark of what a page showed, to tell an untouched field from a changed one."""
    if said == NOTHING:
        return _NOTHING_SHOWN
    value = None if said.value is None else question_types.to_plain(question, said.value)
    return _hashed(value, said.not_applicable, said.unknown, said.comment)


def _hashed(*shown: object) -> str:
    return hashlib.sha256(_as_json(shown).encode()).hexdigest()[:12]


_NOTHING_SHOWN = _hashed(None, None, False, "")


def is_asked(question: Question, form: MultiDict[str, str]) -> bool:
    """Whether the page that was sent held this question."""
    return name(question, "version") in form


def typed(
    question: Question, form: MultiDict[str, str], *, on: date, files: Iterable[FileView] = (), without_row: int = -1
) -> Typed:
    """Read one question's fields. What is wrong stands in the result. `without_row` leaves out a row."""
    fields = _fields(question, form, without_row)
    draft = Typed(
        question=question, fields=fields, comment=form.get(name(question, "comment"), ""),
        na=bool(form.get(name(question, "na"))), na_reason=form.get(name(question, "na-reason"), ""),
        unknown=bool(form.get(name(question, "unknown"))),
        version=plain_values.read_count(form.get(name(question, "version"), "")),
        seen=form.get(name(question, "seen"), ""), keep=form.get(name(question, "keep"), ""), said=None,
    )  # fmt: skip
    at = ""
    try:
        at = "comment"
        comment = plain_values.read_text(draft.comment, max_length=COMMENT_LENGTH)
        at = "na-reason" if draft.na else ""
        said = _said(draft, on=on, files=files)
    except InvalidAnswer as error:
        return draft._replace(error=str(error), error_at=name(question, at))
    return draft._replace(said=replace(said, comment=comment))


def _fields(question: Question, form: MultiDict[str, str], without_row: int) -> Fields:
    prefix = name(question)
    found: Fields = {}
    for key in form:
        if key == prefix or key.startswith(prefix + "-"):
            suffix = key[len(prefix) + 1 :]
            if without_row < 0 or not suffix.startswith(f"{without_row}-"):
                found[suffix] = form.getlist(key)
    return found


def _said(draft: Typed, *, on: date, files: Iterable[FileView]) -> NewAnswer:
    if draft.na and draft.unknown:
        raise InvalidAnswer("Choose “not applicable” or “do not know”, not both.")
    if draft.na:
        return NewAnswer(not_applicable=_reason(draft))
    if draft.unknown and offers_unknown(draft.question):
        return NewAnswer(unknown=True)
    if draft.question.type is QuestionType.FILE:
        return NewAnswer(value=tuple(file.name for file in files) or None)
    value = question_types.read(draft.question, lambda suffix: draft.fields.get(suffix, []), on=on)
    return NewAnswer(value=value)


def _reason(draft: Typed) -> str:
    if not draft.question.na_allowed:
        raise InvalidAnswer("This question cannot be answered with “not applicable”.")
    reason = plain_values.read_text(draft.na_reason, max_length=COMMENT_LENGTH)
    if len(reason) < MIN_REASON:
        raise InvalidAnswer(f"Say in at least {MIN_REASON} characters why this does not apply to you.")
    return reason


def from_stored(question: Question, stored: StoredAnswer | None, **where: Any) -> Control:
    """The question as it was last saved. `where` says how it stands on its page: depth, condition, files."""
    said = stored.said if stored else NOTHING
    return Control(
        question=question, fields=_filled(question, said.value), comment=said.comment,
        na=said.not_applicable is not None, na_reason=said.not_applicable or "", unknown=said.unknown,
        version=stored.version if stored else 0, seen=digest(question, said), **where,
    )  # fmt: skip


def _filled(question: Question, value: Value | None) -> Fields:
    filled = question_types.fields(question, value)
    if isinstance(value, Table):
        filled.setdefault("rows", [str(len(value.rows))])
    return filled


def from_typed(found: Typed) -> Control:
    """The question as it was typed, with what is wrong."""
    return Control(
        question=found.question, fields=found.fields, comment=found.comment, na=found.na, na_reason=found.na_reason,
        unknown=found.unknown, version=found.version, seen=found.seen, error=found.error, error_at=found.error_at,
    )  # fmt: skip


def condition_words(question: Question, questions: Mapping[str, Question]) -> str:
    """When a question is asked, in words; nothing for questions that are asked of everybody."""
    follow_up = question.follow_up
    if follow_up is None:
        return "Asked only after some answers to other questions." if question.show_if else ""
    parent = questions[follow_up.of]
    labels = " or ".join(
        f"“{option.label}”" for code in (follow_up.when or follow_up.unless) if (option := parent.option(code))
    )
    return f"Answer if {parent.code} {'is' if follow_up.when else 'is answered, and not'} {labels}."


def in_tree_order(questionnaire: Questionnaire, asked: Sequence[Question]) -> list[tuple[Question, int]]:
    """Follow-ups directly under their parents, with depth; those whose parent is elsewhere stay in their place."""
    here = {question.id for question in asked}
    placed: list[tuple[Question, int]] = []

    def place(question: Question, depth: int) -> None:
        placed.append((question, depth))
        for child in questionnaire.children.get(question.id, ()):
            if child.id in here:
                place(child, depth + 1)

    for question in asked:
        if question.follow_up is None or question.follow_up.of not in here:
            place(question, 0)
    return placed
