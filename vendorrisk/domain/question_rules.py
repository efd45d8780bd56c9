"""What must hold inside one question; `schema_rules.py` lists these checks and says what each reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from vendorrisk.domain import expressions, plain_values
from vendorrisk.domain.errors import Path, Problem
from vendorrisk.domain.grading import OPERATORS
from vendorrisk.domain.questionnaire import (
    Column,
    ColumnType,
    NumberKind,
    Purpose,
    Question,
    Questionnaire,
    QuestionType,
    Unit,
)
from vendorrisk.domain.reading import unknown

_T = QuestionType
_AGES = frozenset({Unit.DAYS_AGO, Unit.MONTHS_AGO})
_GRADED, _BANDED = frozenset({_T.TABLE, _T.FILE}), frozenset({_T.NUMBER, _T.DATE})

Found = Iterator[Problem]
"""Mistakes, with paths inside the question."""


def repeats(named: Iterable[tuple[Path, str]]) -> Found:
    """Names that stand at more than one place."""
    seen: set[str] = set()
    for path, name in named:
        if name and name in seen:
            yield Problem(path, f"{name!r} is used twice")
        seen.add(name)


# Options.


def option_codes(question: Question, _q: Questionnaire) -> Found:
    """No option code stands twice."""
    yield from repeats((("options", n, "code"), o.code) for n, o in enumerate(question.options))


def options_of_type(question: Question, _q: Questionnaire) -> Found:
    """The options are what the type needs."""
    codes = {option.code for option in question.options}
    if question.type in (_T.CHOICE, _T.CHOICES) and len(codes) < 2:
        yield Problem(("options",), f"type {question.type.value!r} needs at least two options")
    if question.type in (_T.YES_NO, _T.DECLARATION):
        yield from _yes_and_no(question, codes)
    if question.type in _GRADED and codes and question.grading is None:
        yield Problem(("grading",), f"type {question.type.value!r} with options needs 'grading'")
    if question.grading is not None and not codes:
        yield Problem(("options",), "'grading' needs options to choose from")
    if question.bands and not codes:
        yield Problem(("options",), "'bands' need options to choose from")


def _yes_and_no(question: Question, codes: set[str]) -> Found:
    for code in ("yes", "no"):
        if code not in codes:
            yield Problem(("options",), f"type {question.type.value!r} needs an option {code!r}")
    for n, option in enumerate(question.options):
        more = question.type is _T.YES_NO and option.unknown
        if option.code not in ("yes", "no", "") and not more:
            hint = "; for more answers use type 'choice'" if question.type is _T.YES_NO else ""
            message = f"type {question.type.value!r} has only the options yes and no{hint}"
            yield Problem(("options", n, "code"), message)


def option_marks(question: Question, _q: Questionnaire) -> Found:
    """`exclusive` and `non_waivable` stand where they mean something."""
    for n, option in enumerate(question.options):
        if option.exclusive and question.type is not _T.CHOICES:
            message = "'exclusive' has a meaning only where several options can be ticked"
            yield Problem(("options", n, "exclusive"), message, at_key=True)
        if option.non_waivable and option.flag is None:
            message = "'non_waivable' needs a flag: only flags are waived"
            yield Problem(("options", n, "non_waivable"), message, at_key=True)


# Scoring: risks and weights for vendors, points and factors for the intake.


def risks(question: Question, _q: Questionnaire) -> Found:
    """A scored question has a risk on every option and can reach them."""
    have = [option.high is not None for option in question.options]
    if question.weight and not any(have):
        yield Problem(("weight",), "a question with a weight needs options with a risk", at_key=True)
    elif any(have):
        missing = "'risk' is missing: either all options of a question have one or none"
        yield from (_missing(n, "risk", missing) for n, has in enumerate(have) if not has)
    if question.weight and question.type in _BANDED and not question.bands:
        yield Problem(("bands",), f"a scored question of type {question.type.value!r} needs 'bands'")


def points(question: Question, questionnaire: Questionnaire) -> Found:
    """An intake item that counts has points on every option."""
    if questionnaire.purpose is not Purpose.INTAKE:
        return
    have = [option.points is not None for option in question.options]
    if question.factor and not any(have):
        yield Problem(("factor",), "a question with a factor needs options with points", at_key=True)
    elif question.factor:
        missing = "'points' is missing: the question has a factor"
        yield from (_missing(n, "points", missing) for n, has in enumerate(have) if not has)
    elif any(have):
        yield Problem(("factor",), "options have points, but 'factor' is missing")


def _missing(place: int, key: str, message: str) -> Problem:
    return Problem(("options", place, key), message)


# Numbers, dates and texts.


def unit(question: Question, _q: Questionnaire) -> Found:
    """Ages are for dates, everything else for numbers."""
    if question.unit is not None and (question.unit in _AGES) != (question.type is _T.DATE):
        kind = "dates" if question.unit in _AGES else "numbers"
        yield Problem(("unit",), f"the unit {question.unit.value!r} is only for {kind}")
    if question.type is _T.DATE and question.bands and question.unit is None:
        yield Problem(("unit",), "a date with bands needs a unit: 'days ago' or 'months ago'")


def limits(question: Question, _q: Questionnaire) -> Found:
    """Limits leave something to answer."""
    limits = question.limits
    low, high = _range(question)
    if low is not None and high is not None and low > high:
        yield Problem(("min",), f"the least value {low} is above the greatest {high}")
    if limits.number is NumberKind.PERCENT:
        for key, value in (("min", limits.minimum), ("max", limits.maximum)):
            if value is not None and not 0 <= value <= 100:
                yield Problem((key,), "a percent lies between 0 and 100")
    if limits.pattern_hint and limits.pattern is None:
        yield Problem(("pattern_hint",), "'pattern_hint' needs 'pattern'", at_key=True)
    if limits.max_length and question.type is _T.TEXT and limits.max_length > plain_values.TEXT_LENGTH:
        message = f"type 'text' takes at most {plain_values.TEXT_LENGTH} characters; use 'long_text'"
        yield Problem(("max_length",), message)


def pattern(question: Question, _q: Questionnaire) -> Found:
    """The pattern is one that RE2 takes."""
    if question.limits.pattern is not None:
        problem = expressions.pattern_problem(question.limits.pattern)
        if problem:
            yield Problem(("pattern",), problem)


def bands(question: Question, _q: Questionnaire) -> Found:
    """Bands and `special` name options, and every option can be reached."""
    for n, band in enumerate(question.bands):
        yield from _option_named(question, band.option, ("bands", n, 0))
    for n, code in enumerate(question.special):
        yield from _option_named(question, code, ("special", n))
    if question.type in _BANDED:
        reached = {*question.special, *(band.option for band in question.bands)}
        for n, option in enumerate(question.options):
            if option.code not in reached:
                yield Problem(("options", n), f"no band and no 'special' leads to {option.code!r}")


def gaps(question: Question, _q: Questionnaire) -> Found:
    """Every possible value falls into a band."""
    gap = next((value for value in _samples(question) if not _is_covered(question, value)), None)
    if gap is not None:
        yield Problem(("bands",), f"no band covers {gap:f}")


def _is_covered(question: Question, value: Decimal) -> bool:
    return any(OPERATORS[band.operator](value, band.limit) for band in question.bands)


def _samples(question: Question) -> list[Decimal]:
    """Values that show every gap: all limits, and one value between, below and above them."""
    if not question.bands:
        return []
    limits = sorted({band.limit for band in question.bands})
    low, high = _range(question)
    if question.limits.number is NumberKind.INTEGER:
        whole = {limit.to_integral_value() for limit in limits}
        found = {limit + step for limit in whole for step in (-1, 0, 1)}
    else:
        between = {(a + b) / 2 for a, b in pairwise(limits)}
        found = {*limits, *between, limits[0] - 1, limits[-1] + 1}
    found |= {end for end in (low, high) if end is not None}
    return sorted(v for v in found if (low is None or v >= low) and (high is None or v <= high))


def _range(question: Question) -> tuple[Decimal | None, Decimal | None]:
    limits = question.limits
    if question.type is _T.DATE:
        return Decimal(0), None
    if limits.number is not NumberKind.PERCENT:
        return limits.minimum, limits.maximum
    low = Decimal(0) if limits.minimum is None else limits.minimum
    return low, Decimal(100) if limits.maximum is None else limits.maximum


# Tables and files.


def columns(question: Question, _q: Questionnaire) -> Found:
    """A table has columns, and each has what its type needs."""
    if question.type is _T.TABLE and not question.columns:
        yield Problem(("columns",), "type 'table' needs 'columns'")
    yield from repeats((("columns", n, "id"), c.id) for n, c in enumerate(question.columns))
    for n, column in enumerate(question.columns):
        for problem in _column(column):
            yield Problem(("columns", n, *problem.path), problem.message, problem.at_key)


def _column(column: Column) -> Found:
    if column.type in (ColumnType.CHOICE, ColumnType.CHOICES) and len(column.options) < 2:
        yield Problem(("options",), f"type {column.type.value!r} needs at least two options")
    for key, options in (("options", column.options), ("special", column.special)):
        yield from repeats(((key, n, "code"), o.code) for n, o in enumerate(options))
        for n, option in enumerate(options):
            if option.exclusive and column.type is not ColumnType.CHOICES:
                message = "'exclusive' has a meaning only where several options can be ticked"
                yield Problem((key, n, "exclusive"), message, at_key=True)


def grades(question: Question, _q: Questionnaire) -> Found:
    """The three grades are options."""
    if question.grading is None:
        return
    for key in ("full", "part", "none"):
        yield from _option_named(question, getattr(question.grading, key), ("grading", key))


def grading_of_rows(question: Question, questionnaire: Questionnaire) -> Found:
    """What the grading says of rows fits the table."""
    rule = question.grading
    if rule is None:
        return
    rows = (("min_rows", rule.min_rows != 1), ("row_for_each", bool(rule.row_for_each)))
    for key, is_given in (*rows, ("in_order", bool(rule.in_order))):
        if is_given and question.type is not _T.TABLE:
            yield Problem(("grading", key), f"{key!r} has a meaning only for tables", at_key=True)
    if question.limits.max_rows is not None and rule.min_rows > question.limits.max_rows:
        yield Problem(("grading", "min_rows"), f"more than 'max_rows' ({question.limits.max_rows})")
    dates = [c.id for c in question.columns if c.type is ColumnType.DATE]
    for n, name in enumerate(rule.in_order):
        if name not in dates:
            yield Problem(("grading", "in_order", n), unknown("date column", name, dates))
    if rule.row_for_each is not None:
        several = [q.id for q in questionnaire if q.type is _T.CHOICES]
        if rule.row_for_each not in several:
            message = unknown("question of type 'choices'", rule.row_for_each, several)
            yield Problem(("grading", "row_for_each"), message)


def _option_named(question: Question, code: str, path: Path) -> Found:
    codes = [option.code for option in question.options]
    if code not in codes:
        yield Problem(path, unknown("option", code, codes))
