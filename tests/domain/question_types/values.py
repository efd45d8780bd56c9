"""Random values that fit a question, whatever its type."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from tests import strategies as made
from tests.domain.make import TODAY, themes
from vendorrisk.domain.answers import PartialDate, Signature, Table, Value
from vendorrisk.domain.questionnaire import Column, ColumnType, Limits, NumberKind, Question, QuestionType

_texts = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
_dates = st.builds(
    lambda day, parts: PartialDate(day.year, *(day.month, day.day)[:parts]),
    st.dates(date(1990, 1, 1), TODAY),
    st.integers(0, 2),
)


def _number_for(limits: Limits) -> st.SearchStrategy[Decimal]:
    low = int(limits.minimum) if limits.minimum is not None else -1000
    high = int(limits.maximum) if limits.maximum is not None else 1000
    if limits.number is NumberKind.PERCENT:
        low, high = 0, 100
    places = 0 if limits.number is NumberKind.INTEGER else 3
    return st.integers(low * 10**places, high * 10**places).map(lambda n: Decimal(n).scaleb(-places))


def _cell_for(column: Column) -> st.SearchStrategy[str | tuple[str, ...]]:
    codes = [o.code for o in column.options]
    alone = {o.code for o in column.options if o.exclusive}
    special = [st.just(o.code) for o in column.special]
    match column.type:
        case ColumnType.CHOICE:
            return st.sampled_from(["", *codes])
        case ColumnType.CHOICES:
            together = [code for code in codes if code not in alone]
            return st.sets(st.sampled_from(together)).map(lambda s: tuple(code for code in codes if code in s))
        case ColumnType.NUMBER:
            return st.one_of(st.integers(0, 10**9).map(str), *special)
        case ColumnType.DATE:
            return st.one_of(_dates.map(str), *special)
        case ColumnType.URL:
            return st.sampled_from(["", "https://example.com/a?b=c"])
        case _:
            return st.one_of(st.just(""), _texts)


def _table_for(asked_: Question) -> st.SearchStrategy[Table]:
    rows = st.fixed_dictionaries({c.id: _cell_for(c) for c in asked_.columns}).filter(lambda row: any(row.values()))
    return st.builds(Table, st.lists(rows, min_size=1, max_size=4).map(tuple), st.booleans())


def value_for(asked_: Question) -> st.SearchStrategy[Value]:
    """Any value that may be answered to this question."""
    codes = [o.code for o in asked_.options]
    special = [st.just(code) for code in asked_.special]
    match asked_.type:
        case QuestionType.YES_NO | QuestionType.CHOICE:
            return st.sampled_from(codes)
        case QuestionType.CHOICES:
            together = [o.code for o in asked_.options if not o.exclusive] or codes[:1]
            return st.sets(st.sampled_from(together), min_size=1).map(lambda s: tuple(c for c in codes if c in s))
        case QuestionType.TEXT | QuestionType.LONG_TEXT:
            if asked_.limits.pattern:
                return st.just("AB")
            return _texts.map(lambda text: text[: asked_.limits.max_length])
        case QuestionType.NUMBER:
            return st.one_of(_number_for(asked_.limits), *special)
        case QuestionType.DATE:
            return st.one_of(_dates, *special)
        case QuestionType.TABLE:
            return st.one_of(_table_for(asked_), st.just(asked_.grading.none if asked_.grading else "none"))
        case QuestionType.FILE:
            return st.lists(_texts, min_size=1, max_size=3, unique=True).map(tuple)
        case QuestionType.DECLARATION:
            signed: st.SearchStrategy[Value] = st.builds(Signature, _texts, _texts, st.just(TODAY))
            return st.one_of(signed, st.just("no"))


SHIPPED = [q for each in themes() for q in each]
"""All questions of the themes that are shipped."""
fits = st.sampled_from(SHIPPED).flatmap(lambda q: st.tuples(st.just(q), value_for(q)))
"""One of them with a value that fits."""
made_up = made.questionnaires(max_questions=3).flatmap(
    lambda m: st.sampled_from(m.questions).flatmap(lambda q: st.tuples(st.just(q), value_for(q)))
)
"""A made-up question with a value that fits."""
