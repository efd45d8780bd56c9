"""The types of question: how an answer of each is read from a form, kept as JSON, and said in words.

Pages, imports and the score command call `read`, `to_plain`, `from_plain`, `fields` and `words`; each looks the type
up in `QUESTION_TYPES`. To add a type, add a line there (tests/house/test_completeness.py says what else it needs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from vendorrisk.domain import plain_values, tables
from vendorrisk.domain.answers import PartialDate, Signature, Table, Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Question, QuestionType

Get = Callable[[str], list[str]]
"""The texts typed into a question's fields, by the field's suffix ("" is the main field)."""
Fields = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class TypeRules:
    """What the engine must know of one type of question."""

    read: Callable[[Question, Get, date], Value | None]
    fields: Callable[[Question, Any], Fields]
    to_plain: Callable[[Question, Any], Any]
    from_plain: Callable[[Question, Any], Value]
    words: Callable[[Question, Any], str]


def read(question: Question, get: Get, *, on: date) -> Value | None:
    """One answer from form fields; None where nothing was filled in. Raises InvalidAnswer, a sentence for the person.

    `on` is today: dates in the future are refused. Files are not read here: they are kept as evidence.
    """
    return QUESTION_TYPES[question.type].read(question, get, on)


def fields(question: Question, value: Value | None) -> Fields:
    """What to put into the form's fields so that `read` gives `value` again."""
    return {} if value is None else QUESTION_TYPES[question.type].fields(question, value)


def to_plain(question: Question, value: Value) -> Any:
    """The value as plain JSON; figures as text, so that they come back exactly."""
    return QUESTION_TYPES[question.type].to_plain(question, value)


def from_plain(question: Question, plain: Any) -> Value:
    """The value that `to_plain` gave. Raises InvalidAnswer where it is not one of this question's."""
    try:
        return QUESTION_TYPES[question.type].from_plain(question, plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidAnswer(f"not an answer to {question.code}") from error


def words(question: Question, value: Value | None) -> str:
    """The value in words, for pages, reports and letters; empty where there is none."""
    return "" if value is None else QUESTION_TYPES[question.type].words(question, value)


def _main(get: Get) -> str:
    typed = get("")
    return typed[0].strip() if typed else ""


def _known(question: Question, code: str) -> str:
    if question.option(code) is None:
        raise InvalidAnswer(f"{code!r} is not one of the answers offered.")
    return code


def _label(question: Question, code: str) -> str:
    option = question.option(code)
    return str(option.label) if option else code


# One ticked option: yes_no, choice.


def _read_choice(question: Question, get: Get, _on: date) -> Value | None:
    code = _main(get)
    return _known(question, code) if code else None


def _choice_from_plain(question: Question, plain: Any) -> Value:
    if not isinstance(plain, str):
        raise TypeError(plain)
    return _known(question, plain)


# Several ticked options.


def check_ticked(question: Question, codes: set[str]) -> tuple[str, ...]:
    """The ticked codes in the question's order. Raises InvalidAnswer: unknown code, exclusive option with others."""
    for code in sorted(codes):
        _known(question, code)
    ticked = tuple(option for option in question.options if option.code in codes)
    alone = next((option for option in ticked if option.exclusive), None)
    if alone is not None and len(ticked) > 1:
        raise InvalidAnswer(f"“{alone.label}” cannot be ticked together with other answers.")
    return tuple(option.code for option in ticked)


def _read_choices(question: Question, get: Get, _on: date) -> Value | None:
    return check_ticked(question, {code for code in get("") if code}) or None


def _choices_from_plain(question: Question, plain: Any) -> Value:
    if not isinstance(plain, list):
        raise TypeError(plain)
    return check_ticked(question, set(plain))


def _choices_words(question: Question, codes: tuple[str, ...]) -> str:
    return "; ".join(_label(question, code) for code in codes)


# Typed text.


def _read_text(question: Question, get: Get, _on: date) -> Value | None:
    return _checked_text(question, _main(get)) or None


def _checked_text(question: Question, typed: str) -> str:
    longest = plain_values.LONG_TEXT_LENGTH if question.type is QuestionType.LONG_TEXT else plain_values.TEXT_LENGTH
    text = plain_values.read_text(typed, max_length=question.limits.max_length or longest)
    if text:
        plain_values.check_pattern(text, question.limits)
    return text


def _text_from_plain(question: Question, plain: Any) -> Value:
    if not isinstance(plain, str):
        raise TypeError(plain)
    return _checked_text(question, plain)


# A number or date, or a code instead of it.


def _special(question: Question, get: Get) -> str | None:
    codes = [code for code in get("code") if code]
    if not codes:
        return None
    if codes[0] not in question.special:
        raise InvalidAnswer(f"{codes[0]!r} is not one of the answers offered.")
    if _main(get):
        raise InvalidAnswer(f"Give a value or tick “{_label(question, codes[0])}”, not both.")
    return codes[0]


def _read_number(question: Question, get: Get, _on: date) -> Value | None:
    code = _special(question, get)
    typed = _main(get)
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
        return _label(question, value)
    unit = f" {question.unit.value}" if question.unit and question.unit.value != "percent" else ""
    return plain_values.plain_number(value) + (" %" if question.limits.number.value == "percent" else unit)


def _read_date(question: Question, get: Get, on: date) -> Value | None:
    code = _special(question, get)
    typed = _main(get)
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
    return _label(question, value) if isinstance(value, str) else str(value)


def _value_or_code_fields(question: Question, value: Decimal | PartialDate | str) -> Fields:
    if isinstance(value, str):
        return {"code": [value]}
    return {"": [plain_values.plain_number(value) if isinstance(value, Decimal) else str(value)]}


def _value_or_code_plain(_question: Question, value: Decimal | PartialDate | str) -> str:
    return plain_values.plain_number(value) if isinstance(value, Decimal) else str(value)


# A signed declaration.


def _read_declaration(question: Question, get: Get, on: date) -> Value | None:
    code = _main(get)
    if not code:
        return None
    _known(question, code)
    if code != "yes":
        return code
    name, role = (plain_values.read_text("".join(get(field)[:1]), max_length=200) for field in ("name", "role"))
    if not name or not role:
        raise InvalidAnswer("Whoever signs gives their name and their role.")
    return Signature(name, role, on)


def _declaration_fields(_question: Question, value: Signature | str) -> Fields:
    return {"": [value]} if isinstance(value, str) else {"": ["yes"], "name": [value.name], "role": [value.role]}


def _declaration_plain(_question: Question, value: Signature | str) -> Any:
    if isinstance(value, str):
        return value
    return {"name": value.name, "role": value.role, "on": value.on.isoformat()}


def _declaration_from_plain(question: Question, plain: Any) -> Value:
    if isinstance(plain, str):
        return _known(question, plain)
    return Signature(plain["name"], plain["role"], date.fromisoformat(plain["on"]))


def _declaration_words(question: Question, value: Signature | str) -> str:
    if isinstance(value, str):
        return _label(question, value)
    return f"{_label(question, 'yes')}: {value.name}, {value.role}, {value.on.isoformat()}"


# Files: the value is the names of the evidence that is there; the pages store the files themselves.


def _read_files(_question: Question, get: Get, _on: date) -> Value | None:
    return tuple(name for name in get("") if name) or None


def _strings(_question: Question, plain: Any) -> Value:
    if not isinstance(plain, list):
        raise TypeError(plain)
    return tuple(str(name) for name in plain)


def _table_words(question: Question, value: Table | str) -> str:
    return _label(question, value) if isinstance(value, str) else tables.words(question, value)


_ONE_OPTION = TypeRules(_read_choice, lambda _q, code: {"": [code]}, lambda _q, code: code, _choice_from_plain, _label)
_TYPED = TypeRules(
    _read_text, lambda _q, text: {"": [text]}, lambda _q, text: text, _text_from_plain, lambda _q, text: text
)

QUESTION_TYPES: dict[QuestionType, TypeRules] = {
    QuestionType.YES_NO: _ONE_OPTION,
    QuestionType.CHOICE: _ONE_OPTION,
    QuestionType.CHOICES: TypeRules(
        _read_choices, lambda _q, codes: {"": list(codes)}, lambda _q, codes: list(codes), _choices_from_plain,
        _choices_words,
    ),
    QuestionType.TEXT: _TYPED,
    QuestionType.LONG_TEXT: _TYPED,
    QuestionType.NUMBER: TypeRules(
        _read_number, _value_or_code_fields, _value_or_code_plain, _number_from_plain, _number_words
    ),
    QuestionType.DATE: TypeRules(
        _read_date, _value_or_code_fields, _value_or_code_plain, _date_from_plain, _date_words
    ),
    QuestionType.TABLE: TypeRules(tables.read, tables.fields, tables.to_plain, tables.from_plain, _table_words),
    QuestionType.FILE: TypeRules(
        _read_files, lambda _q, names: {"": list(names)}, lambda _q, names: list(names), _strings,
        lambda _q, names: ", ".join(names),
    ),
    QuestionType.DECLARATION: TypeRules(
        _read_declaration, _declaration_fields, _declaration_plain, _declaration_from_plain, _declaration_words
    ),
}  # fmt: skip
