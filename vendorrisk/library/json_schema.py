"""The JSON Schema by which editors check and complete questionnaire files.

`python -m vendorrisk.library.json_schema > questionnaires/questionnaire.schema.json` writes it anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from vendorrisk.domain import reading, schema_keys
from vendorrisk.domain.grading import OPERATORS
from vendorrisk.domain.questionnaire import (
    ColumnType,
    Factor,
    FlagLevel,
    NumberKind,
    Purpose,
    QuestionType,
    Unit,
)

Json = dict[str, Any]


def build() -> Json:
    """The schema (draft 2020-12) as plain data. It checks shapes; what must fit together only loading tells."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vendorrisk questionnaire",
        **_mapping(QUESTIONNAIRE, required=("id", "version", "title", "sections")),
        "$defs": {
            "text": _text(),
            "section": _mapping(SECTION, required=("id", "title", "questions")),
            "question": _mapping(QUESTION, required=("id", "code", "type", "text")),
            "option": _mapping(OPTION, required=("code", "label")),
            "column": _mapping(COLUMN, required=("id", "label", "type")),
            "cell_option": _mapping(CELL_OPTION, required=("code", "label")),
            "follow_up": _mapping(FOLLOW_UP, required=("of",)),
            "grading": _mapping(GRADING, required=("full", "part", "none")),
        },
    }


def text() -> str:
    """The schema as the text of the file."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


def _mapping(properties: Mapping[str, Json], *, required: tuple[str, ...]) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": dict(properties),
    }


def _text() -> Json:
    plain = {"type": "string", "maxLength": reading.MAX_TEXT}
    languages = {
        "type": "object",
        "propertyNames": {"pattern": f"^{schema_keys.LANGUAGE}$"},
        "additionalProperties": plain,
    }
    return {"anyOf": [plain, languages]}


def _ref(name: str, description: str) -> Json:
    return {"$ref": f"#/$defs/{name}", "description": description}


def _form(pattern: str, description: str) -> Json:
    return {"type": "string", "pattern": f"^{pattern}$", "description": description}


def _word(kind: type[StrEnum], description: str) -> Json:
    return {"enum": [member.value for member in kind], "description": description}


def _flag(description: str, *, default: bool = False) -> Json:
    return {"type": "boolean", "default": default, "description": description}


def _whole(low: int, high: int, description: str) -> Json:
    return {"type": "integer", "minimum": low, "maximum": high, "description": description}


def _number(description: str) -> Json:
    return {"type": "number", "description": description}


def _string(description: str) -> Json:
    return {"type": "string", "description": description}


def _list(items: Json, description: str, *, at_least: int = 1, at_most: int = 100) -> Json:
    return {
        "type": "array",
        "minItems": at_least,
        "maxItems": at_most,
        "items": items,
        "description": description,
    }


def _options(name: str, description: str) -> Json:
    return _list({"$ref": f"#/$defs/{name}"}, description, at_most=schema_keys.MAX_OPTIONS)


_ID = {"type": "string", "pattern": f"^{reading.SNAKE}$"}
_CODE = {"type": "string", "pattern": f"^{reading.CODE}$"}
_RISK = {"type": "number", "minimum": 0, "maximum": 1}
_BAND = {
    "type": "array",
    "prefixItems": [_CODE, {"enum": list(OPERATORS)}, {"type": "number"}],
    "minItems": 3,
    "maxItems": 3,
}

QUESTIONNAIRE: dict[str, Json] = {
    "id": _form(schema_keys.QUESTIONNAIRE_ID, "The name of the file without .yaml."),
    "version": _form(schema_keys.VERSION, 'In quotes: "1.0".'),
    "title": _ref("text", "The name that vendors see; one questionnaire is one theme of the score."),
    "about": _ref("text", "One paragraph: what this questionnaire is about."),
    "purpose": _word(Purpose, "vendor (default): scored by risk. intake: filled in by us, in points."),
    "language": _form(schema_keys.LANGUAGE, "The language of plain texts; en if left out."),
    "sections": _list({"$ref": "#/$defs/section"}, "Pages.", at_most=schema_keys.MAX_SECTIONS),
}
SECTION: dict[str, Json] = {
    "id": _ID,
    "title": _ref("text", "The heading of the page."),
    "intro": _ref("text", "One or two sentences under the heading."),
    "questions": _list({"$ref": "#/$defs/question"}, "Questions.", at_most=schema_keys.MAX_QUESTIONS),
}
QUESTION: dict[str, Json] = {
    "id": {**_ID, "description": "The name in conditions and rules; unique across all questionnaires."},
    "code": _form(schema_keys.QUESTION_CODE, "The number that people say, such as DS-01; unique too."),
    "type": _word(QuestionType, "How the question is answered."),
    "text": _ref("text", "The question."),
    "why": _ref("text", "One line: why we ask."),
    "help": _ref("text", "How to answer, and where people stumble."),
    "example": _ref("text", "An example of a good answer."),
    "required": _flag("Whether an answer is needed to submit.", default=True),
    "weight": _whole(0, schema_keys.MAX_WEIGHT, "How much the answer counts; 0 is not at all."),
    "na_allowed": _flag("Whether 'not applicable' can be chosen.", default=True),
    "evidence": _ref("text", "What to attach."),
    "needs_evidence": _flag("Whether credit depends on evidence."),
    "maps": _list(_string("A law or standard."), "What the question goes back to.", at_least=0),
    "options": _options("option", "The answers that can be ticked, or that grades and bands name."),
    "factor": _word(Factor, "What an intake item measures."),
    "follow_up": _ref("follow_up", "Asked only because of another question's answer."),
    "show_if": {**_string("A condition in CEL over question ids."), "maxLength": 500},
    "number": _word(NumberKind, "What kind of number."),
    "min": _number("The least value."),
    "max": _number("The greatest value."),
    "unit": _word(Unit, "What is counted; 'days ago' and 'months ago' are for dates."),
    "bands": _list(_BAND, "[option, operator, limit]: the first that matches decides."),
    "special": _list(_CODE, "Options that may be chosen instead of a number or date."),
    "columns": _list({"$ref": "#/$defs/column"}, "Columns.", at_most=schema_keys.MAX_COLUMNS),
    "max_rows": _whole(1, schema_keys.MAX_ROWS, "How many rows a table may have."),
    "grading": _ref("grading", "How a table or file is graded until a reviewer says otherwise."),
    "max_length": _whole(1, schema_keys.MAX_LENGTH, "How many characters a text may have."),
    "pattern": {**_string("An RE2 pattern that the whole text must match."), "maxLength": 500},
    "pattern_hint": _ref("text", "The pattern in words."),
}
OPTION: dict[str, Json] = {
    "code": _CODE,
    "label": _ref("text", "What people read."),
    "risk": {
        "anyOf": [_RISK, _list(_RISK, "Lower and upper end.", at_least=2, at_most=2)],
        "description": "0 best to 1 worst; [lower, upper] where follow-ups place the answer.",
    },
    "flag": _word(FlagLevel, "How bad the answer is in itself."),
    "non_waivable": _flag("No compensating control lowers the flag."),
    "exclusive": _flag("Cannot be ticked together with others."),
    "unknown": _flag("Says that the vendor does not know."),
    "points": _whole(0, schema_keys.MAX_POINTS, "Intake only: 0 least to 4 most."),
}
COLUMN: dict[str, Json] = {
    "id": _ID,
    "label": _ref("text", "The heading of the column."),
    "type": _word(ColumnType, "How a cell is answered."),
    "required": _flag("Whether every row needs it."),
    "help": _ref("text", "How to fill it in."),
    "options": _options("cell_option", "The choices of a cell."),
    "special": _options("cell_option", "Codes that may stand instead of a number or date."),
}
CELL_OPTION: dict[str, Json] = {
    "code": _ID,
    "label": _ref("text", "What people read."),
    "exclusive": _flag("Cannot be ticked together with others."),
}
FOLLOW_UP: dict[str, Json] = {
    "of": {**_ID, "description": "The question that this one follows."},
    "when": _list(_CODE, "Asked if one of these options is ticked."),
    "unless": _list(_CODE, "Asked if an option other than these is ticked."),
}
GRADING: dict[str, Json] = {
    "full": {**_CODE, "description": "The option for a complete table."},
    "part": {**_CODE, "description": "The option for a table with gaps, or for any file."},
    "none": {**_CODE, "description": "The option for no rows or no file."},
    "min_rows": _whole(1, schema_keys.MAX_ROWS, "How many rows a complete table has at least."),
    "row_for_each": {**_ID, "description": "One row for each option ticked in this question."},
    "in_order": _list(_ID, "Date columns that must not run backwards."),
}


if __name__ == "__main__":
    sys.stdout.write(text())
