"""Ticked options: one (yes_no, choice) or several (choices). The value is their codes."""

from __future__ import annotations

from datetime import date
from typing import Any

from vendorrisk.domain.answers import Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.question_types import parts
from vendorrisk.domain.question_types.parts import Get, TypeRules
from vendorrisk.domain.questionnaire import Question


def _read_one(question: Question, get: Get, _on: date) -> Value | None:
    code = parts.main(get)
    return parts.known(question, code) if code else None


def _one_from_plain(question: Question, plain: Any) -> Value:
    if not isinstance(plain, str):
        raise TypeError(plain)
    return parts.known(question, plain)


ONE = TypeRules(
    read=_read_one,
    fields=lambda _question, code: {"": [code]},
    to_plain=lambda _question, code: code,
    from_plain=_one_from_plain,
    words=parts.label,
)


def checked(question: Question, codes: set[str]) -> tuple[str, ...]:
    """The ticked codes in the question's order. Raises InvalidAnswer: unknown code, exclusive option with others."""
    for code in sorted(codes):
        parts.known(question, code)
    ticked = tuple(option for option in question.options if option.code in codes)
    alone = next((option for option in ticked if option.exclusive), None)
    if alone is not None and len(ticked) > 1:
        raise InvalidAnswer(f"“{alone.label}” cannot be ticked together with other answers.")
    return tuple(option.code for option in ticked)


def _read_several(question: Question, get: Get, _on: date) -> Value | None:
    return checked(question, {code for code in get("") if code}) or None


def _several_from_plain(question: Question, plain: Any) -> Value:
    if not isinstance(plain, list):
        raise TypeError(plain)
    return checked(question, set(plain))


def _several_words(question: Question, codes: tuple[str, ...]) -> str:
    return "; ".join(parts.label(question, code) for code in codes)


SEVERAL = TypeRules(
    read=_read_several,
    fields=lambda _question, codes: {"": list(codes)},
    to_plain=lambda _question, codes: list(codes),
    from_plain=_several_from_plain,
    words=_several_words,
)
