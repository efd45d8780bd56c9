"""The shape of a questionnaire document: what stands under each key; `schema.parse` calls it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from vendorrisk.domain import reading, schema_keys
from vendorrisk.domain.grading import OPERATORS
from vendorrisk.domain.questionnaire import (
    NO_TEXT,
    Band,
    Column,
    ColumnType,
    Factor,
    FlagLevel,
    FollowUp,
    Grading,
    Limits,
    NumberKind,
    Option,
    Purpose,
    Question,
    Questionnaire,
    QuestionType,
    Section,
    Text,
    Unit,
)
from vendorrisk.domain.reading import Keys, Node, Wrong

_kebab = reading.matching(schema_keys.QUESTIONNAIRE_ID, "an id in small letters with dashes, such as data-sourcing")
_code = reading.matching(schema_keys.QUESTION_CODE, "a code such as DS-01")
_version = reading.matching(schema_keys.VERSION, 'a version such as "1.0"')
_language = reading.matching(schema_keys.LANGUAGE, "a language code such as en or pt-BR")
_strings = reading.listed(reading.string, "", at_most=schema_keys.MAX_OPTIONS)
_codes = reading.listed(reading.code, "", at_least=1, at_most=schema_keys.MAX_OPTIONS)
_ids = reading.listed(reading.snake, "", at_least=1, at_most=schema_keys.MAX_COLUMNS)


def read(node: Node) -> Questionnaire:
    """The questionnaire; mistakes are noted in `node.problems`, and neutral values stand in."""
    keys = node.read(
        lambda top: top.keys(schema_keys.QUESTIONNAIRE_KEYS, ("id", "version", "title", "sections")),
        Keys(node, {}),
    )
    language = keys.read("language", _language, "en")
    purpose = keys.read("purpose", reading.word(Purpose, "purpose"), Purpose.VENDOR)
    shapes = _Shapes(language, purpose)
    sections = reading.listed(
        shapes.section, Section("", NO_TEXT, NO_TEXT, ()), at_least=1, at_most=schema_keys.MAX_SECTIONS
    )
    return Questionnaire(
        id=keys.read("id", _kebab, ""),
        version=keys.read("version", _version, ""),
        title=keys.read("title", shapes.text, NO_TEXT),
        about=keys.read("about", shapes.text, NO_TEXT),
        sections=keys.read("sections", sections, ()),
        purpose=purpose,
        language=language,
    )


@dataclass(frozen=True, slots=True)
class _Shapes:
    """Reads the parts of one questionnaire, which depend on its language and purpose."""

    language: str
    purpose: Purpose

    def text(self, node: Node) -> Text:
        if not isinstance(node.value, dict):
            return Text(reading.string(node))
        by_language = {}
        for name, value in node.value.items():
            child = node.child(name, value)
            if isinstance(name, str) and re.fullmatch(schema_keys.LANGUAGE, name):
                by_language[name] = child.read(reading.string, "")
            else:
                child.wrong(f"{name!r} is not a language code such as en or pt-BR", at_key=True)
        if self.language not in by_language:
            raise Wrong(f"has no text in {self.language!r}, the language of the questionnaire")
        default = by_language.pop(self.language)
        return Text(default, tuple(sorted(by_language.items())))

    def section(self, node: Node) -> Section:
        keys = node.keys(schema_keys.SECTION_KEYS, ("id", "title", "questions"))
        nothing = Question("", "", QuestionType.TEXT, NO_TEXT)
        questions = reading.listed(self.question, nothing, at_least=1, at_most=schema_keys.MAX_QUESTIONS)
        return Section(
            id=keys.read("id", reading.snake, ""),
            title=keys.read("title", self.text, NO_TEXT),
            intro=keys.read("intro", self.text, NO_TEXT),
            questions=keys.read("questions", questions, ()),
        )

    def question(self, node: Node) -> Question:
        keys = node.keys(schema_keys.QUESTION_KEYS, ("id", "code", "type", "text"))
        kind = keys.read("type", reading.word(QuestionType, "type"), None)
        _refuse_by_type(keys, kind, schema_keys.ONLY_FOR_TYPES)
        self._refuse_by_purpose(keys)
        return Question(
            id=keys.read("id", reading.snake, ""),
            code=keys.read("code", _code, ""),
            type=kind or QuestionType.TEXT,
            text=keys.read("text", self.text, NO_TEXT),
            why=keys.read("why", self.text, NO_TEXT),
            help=keys.read("help", self.text, NO_TEXT),
            example=keys.read("example", self.text, NO_TEXT),
            required=keys.read("required", reading.boolean, True),
            weight=keys.read("weight", reading.whole(0, schema_keys.MAX_WEIGHT), 0),
            options=keys.read("options", self._options(self.option), ()),
            unit=keys.read("unit", reading.word(Unit, "unit"), None),
            bands=keys.read("bands", reading.listed(_band, Band("", "<", Decimal(0)), at_least=1), ()),
            special=keys.read("special", _codes, ()),
            evidence=keys.read("evidence", self.text, NO_TEXT),
            needs_evidence=keys.read("needs_evidence", reading.boolean, False),
            na_allowed=keys.read("na_allowed", reading.boolean, True),
            maps=keys.read("maps", _strings, ()),
            factor=keys.read("factor", reading.word(Factor, "factor"), None),
            follow_up=keys.read("follow_up", _follow_up, None),
            show_if=keys.read("show_if", reading.string, None),
            columns=keys.read("columns", self._columns(), ()),
            grading=keys.read("grading", _grading, None),
            limits=self.limits(keys),
        )

    def limits(self, keys: Keys) -> Limits:
        return Limits(
            number=keys.read("number", reading.word(NumberKind, "kind of number"), NumberKind.DECIMAL),
            minimum=keys.read("min", reading.number, None),
            maximum=keys.read("max", reading.number, None),
            max_length=keys.read("max_length", reading.whole(1, schema_keys.MAX_LENGTH), None),
            pattern=keys.read("pattern", reading.string, None),
            pattern_hint=keys.read("pattern_hint", self.text, NO_TEXT),
            max_rows=keys.read("max_rows", reading.whole(1, schema_keys.MAX_ROWS), None),
        )

    def option(self, node: Node) -> Option:
        keys = node.keys(schema_keys.OPTION_KEYS, ("code", "label"))
        self._refuse_by_purpose(keys)
        unscored: tuple[Decimal | None, Decimal | None] = (None, None)
        low, high = keys.read("risk", _risk, unscored)
        return Option(
            code=keys.read("code", reading.code, ""),
            label=keys.read("label", self.text, NO_TEXT),
            low=low,
            high=high,
            flag=keys.read("flag", reading.word(FlagLevel, "flag"), None),
            non_waivable=keys.read("non_waivable", reading.boolean, False),
            exclusive=keys.read("exclusive", reading.boolean, False),
            unknown=keys.read("unknown", reading.boolean, False),
            points=keys.read("points", reading.whole(0, schema_keys.MAX_POINTS), None),
        )

    def cell_option(self, node: Node) -> Option:
        keys = node.keys(schema_keys.CELL_OPTION_KEYS, ("code", "label"))
        return Option(
            # A letter comes first: a cell that starts with a digit is a number or a date.
            code=keys.read("code", reading.snake, ""),
            label=keys.read("label", self.text, NO_TEXT),
            exclusive=keys.read("exclusive", reading.boolean, False),
        )

    def column(self, node: Node) -> Column:
        keys = node.keys(schema_keys.COLUMN_KEYS, ("id", "label", "type"))
        kind = keys.read("type", reading.word(ColumnType, "type of column"), None)
        _refuse_by_type(keys, kind, schema_keys.ONLY_FOR_CELLS)
        return Column(
            id=keys.read("id", reading.snake, ""),
            label=keys.read("label", self.text, NO_TEXT),
            type=kind or ColumnType.TEXT,
            required=keys.read("required", reading.boolean, False),
            help=keys.read("help", self.text, NO_TEXT),
            options=keys.read("options", self._options(self.cell_option), ()),
            special=keys.read("special", self._options(self.cell_option), ()),
        )

    def _options(self, option: reading.Reader[Option]) -> reading.Reader[tuple[Option, ...]]:
        return reading.listed(option, Option("", NO_TEXT), at_least=1, at_most=schema_keys.MAX_OPTIONS)

    def _columns(self) -> reading.Reader[tuple[Column, ...]]:
        return reading.listed(
            self.column, Column("", NO_TEXT, ColumnType.TEXT), at_least=1, at_most=schema_keys.MAX_COLUMNS
        )

    def _refuse_by_purpose(self, keys: Keys) -> None:
        for key, purpose in schema_keys.ONLY_FOR_PURPOSE.items():
            if key in keys.given and purpose is not self.purpose:
                keys.given[key].wrong(f"{key!r} is only for questionnaires of purpose {purpose.value!r}", at_key=True)


def _refuse_by_type(keys: Keys, kind: StrEnum | None, only_for: dict[str, frozenset[StrEnum]]) -> None:
    for key, kinds in only_for.items():
        if kind is not None and key in keys.given and kind not in kinds:
            keys.given[key].wrong(
                f"{key!r} has no meaning for type {kind.value!r} (only for {_listing(kinds)})",
                at_key=True,
            )


def _listing(kinds: Collection[StrEnum]) -> str:
    return ", ".join(sorted(kind.value for kind in kinds))


def _risk(node: Node) -> tuple[Decimal | None, Decimal | None]:
    if not isinstance(node.value, list | tuple):
        risk = _between_0_and_1(node)
        return risk, risk
    low, high = (item.read(_between_0_and_1, None) for item in node.items(at_least=2, at_most=2))
    if low is None or high is None:
        return Decimal(0), Decimal(1)
    if low > high:
        raise Wrong(f"the lower end {low} is above the upper end {high}")
    return low, high


def _between_0_and_1(node: Node) -> Decimal:
    risk = reading.number(node)
    if not 0 <= risk <= 1:
        raise Wrong(f"a risk lies between 0 and 1, not at {risk}")
    return risk


def _band(node: Node) -> Band:
    option, operator, limit = node.items(at_least=3, at_most=3)
    return Band(
        option=option.read(reading.code, ""),
        operator=operator.read(_operator, "<"),
        limit=limit.read(reading.number, Decimal(0)),
    )


def _operator(node: Node) -> str:
    text = reading.string(node)
    if text not in OPERATORS:
        raise Wrong(f"{text[:20]!r} is not one of {', '.join(OPERATORS)}")
    return text


def _follow_up(node: Node) -> FollowUp:
    keys = node.keys(schema_keys.FOLLOW_UP_KEYS, ("of",))
    if ("when" in keys.given) == ("unless" in keys.given):
        node.wrong("a follow-up needs either 'when' or 'unless'")
    return FollowUp(
        of=keys.read("of", reading.snake, ""),
        when=keys.read("when", _codes, ()),
        unless=keys.read("unless", _codes, ()),
    )


def _grading(node: Node) -> Grading:
    keys = node.keys(schema_keys.GRADING_KEYS, ("full", "part", "none"))
    return Grading(
        full=keys.read("full", reading.code, ""),
        part=keys.read("part", reading.code, ""),
        none=keys.read("none", reading.code, ""),
        min_rows=keys.read("min_rows", reading.whole(1, schema_keys.MAX_ROWS), 1),
        row_for_each=keys.read("row_for_each", reading.snake, None),
        in_order=keys.read("in_order", _ids, ()),
    )
