"""Files: the value is the names of the evidence that is there; the pages store the files themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

from vendorrisk.domain.answers import Value
from vendorrisk.domain.question_types.parts import Get, TypeRules
from vendorrisk.domain.questionnaire import Question


def _read(_question: Question, get: Get, _on: date) -> Value | None:
    return tuple(name for name in get("") if name) or None


def _from_plain(_question: Question, plain: Any) -> Value:
    if not isinstance(plain, list):
        raise TypeError(plain)
    return tuple(str(name) for name in plain)


RULES = TypeRules(
    read=_read,
    fields=lambda _question, names: {"": list(names)},
    to_plain=lambda _question, names: list(names),
    from_plain=_from_plain,
    words=lambda _question, names: ", ".join(names),
)
