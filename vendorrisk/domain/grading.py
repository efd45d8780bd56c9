"""Which options an answer chooses: ticked codes as they are, figures by bands, tables and files by rule."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import combinations

from vendorrisk.domain import plain_values
from vendorrisk.domain.answers import UNANSWERED, Answer, Answers, PartialDate, Signature, Table
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Grading, Option, Question, QuestionType, Unit

OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def chosen(question: Question, answer: Answer, answers: Answers, on: date) -> tuple[str, ...]:
    """The option codes that an answer chooses; empty where it has no value.

    `answers` are all answers of the request (a table may need one row for each origin ticked elsewhere); `on` is the
    day on which ages of dates are taken. Raises InvalidAnswer for a value that no band covers.
    """
    value = answer.value
    if value is None:
        return ()
    if isinstance(value, tuple):
        return (answer.grade or file_grade(question),) if question.type is QuestionType.FILE else value
    if isinstance(value, Signature):
        return ("yes",)
    if isinstance(value, Table):
        return (answer.grade or table_grade(question, value, answers),)
    if isinstance(value, Decimal):
        return _as_codes(banded(question, value))
    if isinstance(value, PartialDate):
        return _as_codes(_dated(question, value, on))
    return (value,) if question.option(value) is not None else ()


def _as_codes(code: str | None) -> tuple[str, ...]:
    return () if code is None else (code,)


def banded(question: Question, number: Decimal) -> str | None:
    """The option of the first band that `number` falls into; None for a question without bands."""
    if not question.bands:
        return None
    for band in question.bands:
        if OPERATORS[band.operator](number, band.limit):
            return band.option
    raise InvalidAnswer(f"{question.code}: {number} falls into no band")


def _dated(question: Question, value: PartialDate, on: date) -> str | None:
    """The worse of the options at both ends of what the date can mean; None for a question without bands."""
    if not question.bands:
        return None
    if plain_values.earliest(value) > on:
        raise InvalidAnswer(f"{question.code}: {value} lies in the future of {on}")
    ends = (plain_values.earliest(value), min(plain_values.latest(value), on))
    codes = [banded(question, age(question.unit, end, on)) for end in ends]
    found = [option for code in codes if code is not None and (option := question.option(code)) is not None]
    return max(found, key=_badness).code if found else None


def _badness(option: Option) -> tuple[Decimal, Decimal, int]:
    return option.high or Decimal(0), option.low or Decimal(0), option.flag.severity if option.flag else 0


def age(unit: Unit | None, day: date, on: date) -> Decimal:
    """How long ago `day` was, in days or in calendar months (31 Jan to 28 Feb is one month; each day over counts 1/31).

    Raises InvalidAnswer where `day` is later than `on`.
    """
    if day > on:
        raise InvalidAnswer(f"{day} lies in the future of {on}")
    if unit is not Unit.MONTHS_AGO:
        return Decimal((on - day).days)
    months = (on.year - day.year) * 12 + on.month - day.month
    if _months_later(day, months) > on:
        months -= 1
    return months + Decimal((on - _months_later(day, months)).days) / 31


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, plain_values.latest(PartialDate(year, month + 1)).day))


def file_grade(question: Question) -> str:
    """A file is there, nobody has looked at it yet."""
    assert question.grading is not None
    return question.grading.part


def table_grade(question: Question, table: Table, answers: Answers) -> str:
    """full, part or none, as the question's grading says."""
    rule = question.grading
    assert rule is not None
    if not table.rows:
        return rule.none
    enough = _row_for_each(rule, table, answers) and (len(table.rows) >= rule.min_rows or table.complete)
    required = [column.id for column in question.columns if column.required]
    filled = all(row.get(column) for row in table.rows for column in required)
    return rule.full if enough and filled and not is_out_of_order(table, rule.in_order) else rule.part


def _row_for_each(rule: Grading, table: Table, answers: Answers) -> bool:
    """Whether there are rows for all options ticked elsewhere; if nothing is ticked there, nobody can tell."""
    if rule.row_for_each is None:
        return True
    ticked = answers.get(rule.row_for_each, UNANSWERED).value
    return isinstance(ticked, tuple) and len(table.rows) >= len(ticked)


def is_out_of_order(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether the dates of some row certainly run backwards: a step's first day is after a later step's last."""
    for row in table.rows:
        days = [found for column in columns if (found := cell_date(row.get(column, ""))) is not None]
        for before, after in combinations(days, 2):
            if plain_values.earliest(before) > plain_values.latest(after):
                return True
    return False


def cell_date(cell: object) -> PartialDate | None:
    """The date in a cell; None for an empty cell or a code ("not yet")."""
    if not isinstance(cell, str) or not cell[:1].isdigit():
        return None
    return plain_values.read_date(cell)
