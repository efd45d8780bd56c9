"""What the types of question share: the rules that each gives, the fields that each reads, options by code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from vendorrisk.domain.answers import Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Question

Get = Callable[[str], list[str]]
"""The texts typed into a question's fields, by the field's suffix ("" is the main field)."""
Fields = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class TypeRules:
    """What the engine must know of one type of question; see the functions of the same names in `question_types`."""

    read: Callable[[Question, Get, date], Value | None]
    fields: Callable[[Question, Any], Fields]
    to_plain: Callable[[Question, Any], Any]
    from_plain: Callable[[Question, Any], Value]
    words: Callable[[Question, Any], str]


def main(get: Get) -> str:
    """What was typed into the main field, without spaces around it."""
    typed = get("")
    return typed[0].strip() if typed else ""


def known(question: Question, code: str) -> str:
    """The code. Raises InvalidAnswer where it is no option of this question."""
    if question.option(code) is None:
        raise InvalidAnswer(f"{code!r} is not one of the answers offered.")
    return code


def label(question: Question, code: str) -> str:
    """The option's label; the code itself where there is none."""
    option = question.option(code)
    return str(option.label) if option else code
