"""A declaration: the code of an option; with "yes" comes the signature of whoever declares it, and is the value."""

from __future__ import annotations

from datetime import date
from typing import Any

from vendorrisk.domain import plain_values
from vendorrisk.domain.answers import Signature, Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.question_types import parts
from vendorrisk.domain.question_types.parts import Fields, Get, TypeRules
from vendorrisk.domain.questionnaire import Question


def _read(question: Question, get: Get, on: date) -> Value | None:
    code = parts.main(get)
    if not code:
        return None
    parts.known(question, code)
    if code != "yes":
        return code
    name, role = (plain_values.read_text("".join(get(field)[:1]), max_length=200) for field in ("name", "role"))
    if not name or not role:
        raise InvalidAnswer("Whoever signs gives their name and their role.")
    return Signature(name, role, on)


def _fields(_question: Question, value: Signature | str) -> Fields:
    return {"": [value]} if isinstance(value, str) else {"": ["yes"], "name": [value.name], "role": [value.role]}


def _to_plain(_question: Question, value: Signature | str) -> Any:
    if isinstance(value, str):
        return value
    return {"name": value.name, "role": value.role, "on": value.on.isoformat()}


def _from_plain(question: Question, plain: Any) -> Value:
    if isinstance(plain, str):
        return parts.known(question, plain)
    return Signature(plain["name"], plain["role"], date.fromisoformat(plain["on"]))


def _words(question: Question, value: Signature | str) -> str:
    if isinstance(value, str):
        return parts.label(question, value)
    return f"{parts.label(question, 'yes')}: {value.name}, {value.role}, {value.on.isoformat()}"


RULES = TypeRules(_read, _fields, _to_plain, _from_plain, _words)
