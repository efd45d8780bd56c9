"""A number or a date, or the code of an option that stands instead ("never measured")."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from vendorrisk.domain import plain_values
from vendorrisk.domain.answers import PartialDate, Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.question_types import parts
from vendorrisk.domain.question_types.parts import Fields, Get, TypeRules
from vendorrisk.domain.questionnaire import Question


def _special(question: Question, get: Get) -> str | None:
    codes = [code for code in get("code") if code]
    if not codes:
        return None
    if codes[0] not in question.special:
        raise InvalidAnswer(f"{codes[0]!r} is not one of the answers offered.")
    if parts.main(get):
        raise InvalidAnswer(f"Give a value or tick “{parts.label(question, codes[0])}”, not both.")
    return codes[0]


def _fields(_question: Question, value: Decimal | PartialDate | str) -> Fields:
    return {"code": [value]} if isinstance(value, str) else {"": [_plain(value)]}


def _to_plain(_question: Question, value: Decimal | PartialDate | str) -> str:
    return value if isinstance(value, str) else _plain(value)


def _plain(value: Decimal | PartialDate) -> str:
    return plain_values.plain_number(value) if isinstance(value, Decimal) else str(value)


def _read_number(question: Question, get: Get, _on: date) -> Value | None:
    code = _special(question, get)
    typed = parts.main(get)
    if code or not typed:
        return code
    return plain_values.read_number(typed, question.limits)


def _number_from_plain(question: Question, plain: Any) -> Value:
    if plain in question.special:
        return cast(str, plain)
    if isinstance(plain, bool) or not isinstance(plain, str | int):
        raise TypeError(plain)
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise ValueError(plain) from None
    plain_values.check_number(number, question.limits)
    return number


def _number_words(question: Question, value: Decimal | str) -> str:
    if isinstance(value, str):
        return parts.label(question, value)
    unit = f" {question.unit.value}" if question.unit and question.unit.value != "percent" else ""
    return plain_values.plain_number(value) + (" %" if question.limits.number.value == "percent" else unit)


NUMBER = TypeRules(_read_number, _fields, _to_plain, _number_from_plain, _number_words)


def _read_date(question: Question, get: Get, on: date) -> Value | None:
    code = _special(question, get)
    typed = parts.main(get)
    if code or not typed:
        return code
    value = plain_values.read_date(typed)
    if question.bands and plain_values.earliest(value) > on:
        raise InvalidAnswer(f"{value} lies in the future.")
    return value


def _date_from_plain(question: Question, plain: Any) -> Value:
    if plain in question.special:
        return cast(str, plain)
    return plain_values.read_date(plain)


def _date_words(question: Question, value: PartialDate | str) -> str:
    return parts.label(question, value) if isinstance(value, str) else str(value)


DATE = TypeRules(_read_date, _fields, _to_plain, _date_from_plain, _date_words)
