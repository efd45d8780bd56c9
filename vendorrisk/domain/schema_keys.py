"""The keys, forms and limits of a questionnaire document; for the schema and for editors."""

from __future__ import annotations

from enum import StrEnum

from vendorrisk.domain.questionnaire import ColumnType, Purpose, QuestionType

MAX_SECTIONS, MAX_QUESTIONS, MAX_OPTIONS, MAX_COLUMNS = 100, 500, 100, 40
MAX_WEIGHT, MAX_POINTS, MAX_ROWS, MAX_LENGTH = 100, 4, 1_000, 20_000

QUESTIONNAIRE_KEYS = ("id", "version", "title", "about", "purpose", "language", "sections")
SECTION_KEYS = ("id", "title", "intro", "questions")
QUESTION_KEYS = (
    *("id", "code", "type", "text", "why", "help", "example", "required", "weight", "na_allowed"),
    *("evidence", "needs_evidence", "maps", "options", "factor", "follow_up", "show_if"),
    *("number", "min", "max", "unit", "bands", "special", "columns", "max_rows", "grading"),
    *("max_length", "pattern", "pattern_hint"),
)
OPTION_KEYS = ("code", "label", "risk", "flag", "non_waivable", "exclusive", "unknown", "points")
COLUMN_KEYS = ("id", "label", "type", "required", "help", "options", "special")
CELL_OPTION_KEYS = ("code", "label", "exclusive")
GRADING_KEYS = ("full", "part", "none", "min_rows", "row_for_each", "in_order")
FOLLOW_UP_KEYS = ("of", "when", "unless")

_Q, _C = QuestionType, ColumnType
ONLY_FOR_TYPES: dict[str, frozenset[StrEnum]] = {
    "options": frozenset(_Q) - {_Q.TEXT, _Q.LONG_TEXT},
    "number": frozenset({_Q.NUMBER}),
    "min": frozenset({_Q.NUMBER}),
    "max": frozenset({_Q.NUMBER}),
    "unit": frozenset({_Q.NUMBER, _Q.DATE}),
    "bands": frozenset({_Q.NUMBER, _Q.DATE}),
    "special": frozenset({_Q.NUMBER, _Q.DATE}),
    "columns": frozenset({_Q.TABLE}),
    "max_rows": frozenset({_Q.TABLE}),
    "grading": frozenset({_Q.TABLE, _Q.FILE}),
    "max_length": frozenset({_Q.TEXT, _Q.LONG_TEXT}),
    "pattern": frozenset({_Q.TEXT, _Q.LONG_TEXT}),
    "pattern_hint": frozenset({_Q.TEXT, _Q.LONG_TEXT}),
}
"""Keys of a question that only some types have."""
ONLY_FOR_CELLS: dict[str, frozenset[StrEnum]] = {
    "options": frozenset({_C.CHOICE, _C.CHOICES}),
    "special": frozenset({_C.NUMBER, _C.DATE}),
}
"""Keys of a column that only some types have."""
ONLY_FOR_PURPOSE = {
    "weight": Purpose.VENDOR,
    "risk": Purpose.VENDOR,
    "flag": Purpose.VENDOR,
    "non_waivable": Purpose.VENDOR,
    "factor": Purpose.INTAKE,
    "points": Purpose.INTAKE,
}
"""Vendors are scored by risk, our intake by points: keys that only one of them has."""

QUESTIONNAIRE_ID = "[a-z][a-z0-9]*(-[a-z0-9]+)*"
QUESTION_CODE = "[A-Z]{2,4}-[0-9]{2,3}"
VERSION = "[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}"
LANGUAGE = "[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"
