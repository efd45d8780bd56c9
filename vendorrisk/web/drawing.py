"""Draws questions for the vendor's pages: what is the same for everybody is rendered once and kept; views call it.

A question's markup hangs on its texts, on what is ticked and on what is open. All else (texts that somebody typed,
versions, files, the request's reference) is only put in. So `questions/question.html` is rendered with a mark in place
of each such value, cut at the marks, and kept without them: nothing that anybody typed stays in memory. The marks are
random for each process, so no questionnaire can hold one; and what is put in is escaped, and never searched for marks.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from flask import render_template
from markupsafe import Markup, escape

from vendorrisk.domain.questionnaire import Question, Questionnaire
from vendorrisk.services.answering.evidence import FileView
from vendorrisk.web import question_forms
from vendorrisk.web.question_forms import Control

Shape = tuple[tuple[str, int, bool, bool, bool, bool, bool, bool], tuple[tuple[str, tuple[str | None, ...]], ...]]
"""What the markup of a question hangs on: condition, depth, is hidden, N/A, unknown, whether there are a comment, a
reason and files; then the fields, with None for each text that somebody typed and that is no code of the question."""
Pieces = tuple[tuple[str, ...], tuple[int, ...]]
"""Markup, and between each two of its texts the number of the value that goes there."""

_KEPT_PIECES, _KEPT_QUESTIONS, _KEPT_PREVIEWS = 2_048, 4_096, 64
"""Pieces have 1 to 10 KB, previews 50. Filled tables have more shapes than can be kept: the least used give way."""
_REFERENCE, _FILES, _VERSION, _SEEN, _COMMENT, _REASON, _FIELDS = range(7)
"""The numbers of the values; those of the fields follow."""
_SECRET = secrets.token_hex(16)
_MARK = re.compile(rf"{_SECRET}n(\d+)n")


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A question that was drawn before, and all codes that its templates compare values with. Hashed by identity:
    hashing its texts would cost more than what is kept saves."""

    question: Question
    codes: frozenset[str]


_known: dict[int, _Known] = {}
"""By the question's id(), which is not used again as long as the question is kept here."""


def question(control: Control, reference: str) -> Markup:
    """The whole question. One that is wrong or in conflict is rare, and drawn afresh."""
    files = file_list(control.question, control.files, reference)
    if control.error or control.clash:
        return _render(control, reference, files)
    known = _known_of(control.question)
    fields = control.fields.items()
    shape: Shape = (
        (control.condition, control.depth, control.is_hidden, control.na, control.unknown,
         bool(control.comment), bool(control.na_reason), bool(files)),
        tuple((suffix, tuple(text if _decides(known, suffix, text) else None for text in texts))
              for suffix, texts in fields),
    )  # fmt: skip
    typed = [text for suffix, texts in fields for text in texts if not _decides(known, suffix, text)]
    values = [reference, files, str(control.version), control.seen, control.comment, control.na_reason, *typed]
    return _filled(_pieces(known, shape), values)


def file_list(asked: Question, files: Sequence[FileView], reference: str) -> Markup:
    """The files behind one question."""
    if not files:
        return Markup()
    return _template("file_list", question=asked, files=files, reference=reference)


@lru_cache(maxsize=_KEPT_PREVIEWS)
def preview(questionnaires: tuple[Questionnaire, ...]) -> Markup:
    """Every question of these questionnaires, for reading: the same for everybody."""
    sections = [(questionnaire, section) for questionnaire in questionnaires for section in questionnaire.sections]
    by_id = {question.id: question for questionnaire in questionnaires for question in questionnaire}
    return _template(
        "preview", sections=sections, by_id=by_id,
        in_tree_order=question_forms.in_tree_order, condition_words=question_forms.condition_words,
    )  # fmt: skip


def _render(control: Control, reference: str, files: str) -> Markup:
    return _template("one", control=control, reference=reference, files=files)


def _template(name: str, **values: Any) -> Markup:
    return Markup(render_template(f"questions/{name}.html", **values))  # nosec B704  # noqa: S704 - what an autoescaped template drew


def _known_of(asked: Question) -> _Known:
    known = _known.get(id(asked))
    if known is None:
        if len(_known) >= _KEPT_QUESTIONS:
            _known.clear()
        known = _known[id(asked)] = _Known(asked, _codes(asked))
    return known


def _codes(asked: Question) -> frozenset[str]:
    cells = [option for column in asked.columns for option in (*column.options, *column.special)]
    return frozenset(option.code for option in (*asked.options, *cells))


def _decides(known: _Known, suffix: str, text: str) -> bool:
    """Whether a field's text decides on markup, beyond standing in it: codes, and how many rows there are."""
    return not text or text in known.codes or suffix == "rows"


@lru_cache(maxsize=_KEPT_PIECES)
def _pieces(known: _Known, shape: Shape) -> Pieces:
    (condition, depth, is_hidden, na, unknown, has_comment, has_reason, has_files), fields = shape
    marks = (_mark(number) for number in range(_FIELDS, 1_000_000))
    marked = Control(
        question=known.question, condition=condition, depth=depth, is_hidden=is_hidden, na=na, unknown=unknown,
        fields={suffix: [next(marks) if text is None else text for text in texts] for suffix, texts in fields},
        comment=_mark(_COMMENT) if has_comment else "", na_reason=_mark(_REASON) if has_reason else "",
        version=cast(int, _mark(_VERSION)),  # templates only print it
        seen=_mark(_SEEN),
    )  # fmt: skip
    files = _mark(_FILES) if has_files else ""
    cut = _MARK.split(_render(marked, _mark(_REFERENCE), files))
    return tuple(cut[::2]), tuple(int(number) for number in cut[1::2])


def _mark(number: int) -> str:
    return f"{_SECRET}n{number}n"


def _filled(pieces: Pieces, values: Sequence[str]) -> Markup:
    texts, numbers = pieces
    parts = [texts[0]]
    for number, text in zip(numbers, texts[1:], strict=True):
        parts += (escape(values[number]), text)
    return Markup("".join(parts))  # nosec B704  # noqa: S704 - pieces of a template, with escaped values between them
