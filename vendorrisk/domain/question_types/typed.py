"""Typed text: text and long_text."""

from __future__ import annotations

from datetime import date
from typing import Any

from vendorrisk.domain import plain_values
from vendorrisk.domain.answers import Value
from vendorrisk.domain.question_types import parts
from vendorrisk.domain.question_types.parts import Get, TypeRules
from vendorrisk.domain.questionnaire import Question, QuestionType


def _read(question: Question, get: Get, _on: date) -> Value | None:
    return _checked(question, parts.main(get)) or None


def _checked(question: Question, typed: str) -> str:
    longest = plain_values.LONG_TEXT_LENGTH if question.type is QuestionType.LONG_TEXT else plain_values.TEXT_LENGTH
    text = plain_values.read_text(typed, max_length=question.limits.max_length or longest)
    if text:
        plain_values.check_pattern(text, question.limits)
    return text


def _from_plain(question: Question, plain: Any) -> Value:
    if not isinstance(plain, str):
        raise TypeError(plain)
    return _checked(question, plain)


RULES = TypeRules(
    read=_read,
    fields=lambda _question, text: {"": [text]},
    to_plain=lambda _question, text: text,
    from_plain=_from_plain,
    words=lambda _question, text: text,
)
