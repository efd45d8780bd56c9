"""Plain data to a questionnaire, or all that is wrong with it; and back, as the copy that is kept."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary, ref

from vendorrisk.domain import schema_rules, schema_shapes
from vendorrisk.domain.errors import CannotLoad, Problem
from vendorrisk.domain.questionnaire import (
    Column,
    FollowUp,
    Grading,
    Limits,
    NumberKind,
    Option,
    Question,
    Questionnaire,
    Section,
    Text,
)
from vendorrisk.domain.reading import MAX_PROBLEMS, Node, TooMany


def parse(plain: object) -> Questionnaire:
    """The questionnaire in plain data (dicts, lists, texts, booleans, ints, Decimals, numbers as text).

    Raises CannotLoad with every problem and its path; floats are refused. `parse(to_plain(q)) == q`. What was parsed
    before and is still in use comes back as the same object.
    """
    problems: list[Problem] = []
    try:
        questionnaire = schema_shapes.read(Node(plain, (), problems))
    except TooMany:
        raise CannotLoad(problems) from None
    problems += islice(schema_rules.problems(questionnaire, tuple(problems)), MAX_PROBLEMS)
    if problems:
        raise CannotLoad(problems)
    return _one(questionnaire)


_ones: WeakKeyDictionary[Questionnaire, ref[Questionnaire]] = WeakKeyDictionary()
"""Questionnaires in use, as they were first parsed. Plans are kept by questionnaire: were the file's and its frozen
copy two objects, each look-up of one's plan by the other would compare them question by question.
"""


def _one(questionnaire: Questionnaire) -> Questionnaire:
    kept = _ones.setdefault(questionnaire, ref(questionnaire))()
    return questionnaire if kept is None else kept


def digest(questionnaire: Questionnaire) -> str:
    """SHA-256 (hex) of the questionnaire's canonical JSON: the same for all that are equal."""
    text = json.dumps(to_plain(questionnaire), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def to_plain(questionnaire: Questionnaire) -> dict[str, Any]:
    """The questionnaire as JSON, in the shape of the YAML files; decimals are texts, defaults left out."""
    language = questionnaire.language
    return _given(
        id=questionnaire.id,
        version=questionnaire.version,
        title=_text(questionnaire.title, language),
        purpose=questionnaire.purpose.value,
        language=language,
        about=_text(questionnaire.about, language),
        sections=[_section(section, language) for section in questionnaire.sections],
    )


def _given(**values: Any) -> dict[str, Any]:
    """Only what says something: None, empty texts and empty lists are what reading gives by itself."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [])}


def _text(text: Text, language: str) -> str | dict[str, str]:
    return {language: text.default, **dict(text.translations)} if text.translations else text.default


def _decimal(value: Decimal) -> str:
    # Equal numbers give equal texts: 0.50 and 0.5, -0 and 0.
    return f"{value.normalize() + 0:f}"


def _section(section: Section, language: str) -> dict[str, Any]:
    return _given(
        id=section.id,
        title=_text(section.title, language),
        intro=_text(section.intro, language),
        questions=[_question(question, language) for question in section.questions],
    )


def _question(question: Question, language: str) -> dict[str, Any]:
    return _given(
        id=question.id,
        code=question.code,
        type=question.type.value,
        text=_text(question.text, language),
        why=_text(question.why, language),
        help=_text(question.help, language),
        example=_text(question.example, language),
        required=None if question.required else False,
        weight=question.weight or None,
        na_allowed=None if question.na_allowed else False,
        evidence=_text(question.evidence, language),
        needs_evidence=question.needs_evidence or None,
        maps=list(question.maps),
        factor=question.factor and question.factor.value,
        follow_up=question.follow_up and _follow_up(question.follow_up),
        show_if=question.show_if,
        **_limits(question.limits, language),
        unit=question.unit and question.unit.value,
        bands=[[band.option, band.operator, _decimal(band.limit)] for band in question.bands],
        special=list(question.special),
        columns=[_column(column, language) for column in question.columns],
        grading=question.grading and _grading(question.grading),
        options=[_option(option, language) for option in question.options],
    )


def _limits(limits: Limits, language: str) -> dict[str, Any]:
    return {
        "number": None if limits.number is NumberKind.DECIMAL else limits.number.value,
        "min": None if limits.minimum is None else _decimal(limits.minimum),
        "max": None if limits.maximum is None else _decimal(limits.maximum),
        "max_length": limits.max_length,
        "pattern": limits.pattern,
        "pattern_hint": _text(limits.pattern_hint, language),
        "max_rows": limits.max_rows,
    }


def _option(option: Option, language: str) -> dict[str, Any]:
    return _given(
        code=option.code,
        label=_text(option.label, language),
        risk=_risk(option),
        flag=option.flag and option.flag.value,
        non_waivable=option.non_waivable or None,
        exclusive=option.exclusive or None,
        unknown=option.unknown or None,
        points=option.points,
    )


def _risk(option: Option) -> str | list[str] | None:
    if option.low is None or option.high is None:
        return None
    low, high = _decimal(option.low), _decimal(option.high)
    return low if low == high else [low, high]


def _column(column: Column, language: str) -> dict[str, Any]:
    return _given(
        id=column.id,
        label=_text(column.label, language),
        type=column.type.value,
        required=column.required or None,
        help=_text(column.help, language),
        options=[_option(option, language) for option in column.options],
        special=[_option(option, language) for option in column.special],
    )


def _follow_up(follow_up: FollowUp) -> dict[str, Any]:
    return _given(of=follow_up.of, when=list(follow_up.when), unless=list(follow_up.unless))


def _grading(grading: Grading) -> dict[str, Any]:
    return _given(
        full=grading.full,
        part=grading.part,
        none=grading.none,
        min_rows=None if grading.min_rows == 1 else grading.min_rows,
        row_for_each=grading.row_for_each,
        in_order=list(grading.in_order),
    )
