"""Tables: rows of cells, or the code of the option that says there are none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from vendorrisk.domain import plain_values
from vendorrisk.domain.answers import Cell, Row, Table, Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.question_types import parts
from vendorrisk.domain.question_types.parts import Fields, Get, TypeRules
from vendorrisk.domain.questionnaire import Column, ColumnType, Limits, Question

MAX_ROWS = 200


def max_rows(question: Question) -> int:
    """How many rows a table may have."""
    return question.limits.max_rows or MAX_ROWS


def _read(question: Question, get: Get, _on: date) -> Value | None:
    """Rows from fields "<row>-<column>"; or the option that says there is none, from field "code".

    Rows without any filled cell are dropped. Raises InvalidAnswer naming row and column.
    """
    rows: list[Row] = []
    for number in _row_numbers(question, get):
        row = {column.id: _read_cell(number, column, get(f"{number}-{column.id}")) for column in question.columns}
        if any(row.values()):
            rows.append(row)
    code = next((code for code in get("code") if code), None)
    if code is not None:
        return _no_rows(question, code, rows)
    return Table(tuple(rows), complete=bool(get("complete"))) if rows else None


def _row_numbers(question: Question, get: Get) -> range:
    typed = "".join(get("rows")[:1])
    count = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else max_rows(question)
    _check_count(question, count)
    return range(count)


def _check_count(question: Question, count: int) -> None:
    if count > max_rows(question):
        raise InvalidAnswer(f"The table has {count} rows; the most is {max_rows(question)}.")


def _no_rows(question: Question, code: str, rows: list[Row]) -> str:
    if question.grading is None or code != question.grading.none:
        raise InvalidAnswer(f"{code!r} is not one of the answers offered.")
    if rows:
        option = question.option(code)
        raise InvalidAnswer(f"Fill in rows or tick “{option.label if option else code}”, not both.")
    return code


def _read_cell(number: int, column: Column, typed: list[str]) -> Cell:
    texts = [text.strip() for text in typed if text.strip()]
    if not texts:
        return () if column.type is ColumnType.CHOICES else ""
    try:
        return _CELLS[column.type](column, texts)
    except InvalidAnswer as error:
        raise InvalidAnswer(f"Row {number + 1}, {column.label}: {error}") from None


def _code_cell(column: Column, texts: list[str]) -> Cell:
    if texts[0] not in {option.code for option in column.options}:
        raise InvalidAnswer(f"{texts[0]!r} is not one of the answers offered.")
    return texts[0]


def _codes_cell(column: Column, texts: list[str]) -> Cell:
    known = [option.code for option in column.options]
    for text in texts:
        if text not in known:
            raise InvalidAnswer(f"{text!r} is not one of the answers offered.")
    alone = next((option for option in column.options if option.exclusive and option.code in texts), None)
    if alone is not None and len(set(texts)) > 1:
        raise InvalidAnswer(f"“{alone.label}” cannot be ticked together with other answers.")
    return tuple(code for code in known if code in texts)


def _special_or(column: Column, text: str, read_value: Callable[[str], str]) -> Cell:
    return text if text in {option.code for option in column.special} else read_value(text)


_CELLS: dict[ColumnType, Callable[[Column, list[str]], Cell]] = {
    ColumnType.TEXT: lambda _c, texts: plain_values.read_text(texts[0], max_length=plain_values.TEXT_LENGTH),
    ColumnType.LONG_TEXT: lambda _c, texts: plain_values.read_text(texts[0], max_length=5_000),
    ColumnType.NUMBER: lambda c, texts: _special_or(
        c,
        texts[0],
        lambda text: plain_values.plain_number(plain_values.read_number(text.removesuffix("%"), Limits())),
    ),
    ColumnType.DATE: lambda c, texts: _special_or(c, texts[0], lambda text: str(plain_values.read_date(text))),
    ColumnType.CHOICE: _code_cell,
    ColumnType.CHOICES: _codes_cell,
    ColumnType.URL: lambda _c, texts: plain_values.read_url(texts[0]),
}


def _fields(question: Question, value: Table | str) -> Fields:
    if isinstance(value, str):
        return {"code": [value]}
    filled: Fields = {"rows": [str(len(value.rows))], "complete": ["1"] if value.complete else []}
    for number, row in enumerate(value.rows):
        for column in question.columns:
            cell = row.get(column.id, "")
            filled[f"{number}-{column.id}"] = list(cell) if isinstance(cell, tuple) else [cell]
    return filled


def _to_plain(_question: Question, value: Table | str) -> Any:
    if isinstance(value, str):
        return value
    rows = [{key: list(cell) if isinstance(cell, tuple) else cell for key, cell in row.items()} for row in value.rows]
    return {"rows": rows, "complete": value.complete}


def _from_plain(question: Question, plain: Any) -> Value:
    """Any cell is checked again, so imports may use it too."""
    if isinstance(plain, str):
        return _no_rows(question, plain, [])
    known = {column.id: column for column in question.columns}
    _check_count(question, len(plain["rows"]))
    rows: list[Row] = []
    for number, row in enumerate(plain["rows"]):
        unknown = row.keys() - known.keys()
        if unknown:
            raise InvalidAnswer(f"Row {number + 1}: there is no column {min(unknown)!r}.")
        cells = {key: _read_cell(number, column, _as_list(row.get(key))) for key, column in known.items()}
        if any(cells.values()):
            rows.append(cells)
    return Table(tuple(rows), complete=bool(plain.get("complete", False)))


def _as_list(cell: Any) -> list[str]:
    if cell is None:
        return []
    return [str(part) for part in cell] if isinstance(cell, list) else [str(cell)]


def cell_words(column: Column, cell: Cell) -> str:
    """One cell in words: labels for codes."""
    labels = {option.code: str(option.label) for option in (*column.options, *column.special)}
    codes = cell if isinstance(cell, tuple) else (cell,)
    return ", ".join(labels.get(code, code) for code in codes)


def _words(question: Question, value: Table | str) -> str:
    """A line for every row, with its filled cells."""
    if isinstance(value, str):
        return parts.label(question, value)
    lines = []
    for number, row in enumerate(value.rows, start=1):
        cells = [f"{c.label}: {cell_words(c, row[c.id])}" for c in question.columns if row.get(c.id)]
        lines.append(f"{number}. {'; '.join(cells)}")
    return "\n".join(lines)


RULES = TypeRules(_read, _fields, _to_plain, _from_plain, _words)
