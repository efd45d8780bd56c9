"""CSV cells: text stays text in a spreadsheet, whatever somebody typed."""

from __future__ import annotations

import csv
import io

import pytest

from vendorrisk.services import csv_cells

PAYLOADS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "＝1+1", "＋1", "－1", "＠SUM(A1)",
    "=cmd|' /C calc'!A0", '=HYPERLINK("https://evil.example","x")', "|calc", "%0A=1", " =1+1", "\u200b=1+1",
    '"=1+1', "\n=1+1", "'=1+1",
)  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_would_be_a_formula_is_text(payload: str) -> None:
    (line,) = csv_cells.lines([[payload, "plain"]])
    cell, plain = next(csv.reader(io.StringIO(line, newline="")))
    assert cell.startswith("'"), "the apostrophe makes it text"
    assert cell[1:].strip("\r\t") == payload.strip("\r\t"), "and nothing of it is lost but control characters"
    assert plain == "plain"


@pytest.mark.parametrize(
    "text", ["", "Petra", "a = b", "1,204", "100 %", "Zoë שלום \U0001f512", 'she said "no"', "two\nlines"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    (line,) = csv_cells.lines([[text]])
    assert next(csv.reader(io.StringIO(line, newline=""))) == [text]


def test_control_characters_and_half_characters_are_left_out() -> None:
    assert csv_cells.guarded("a\x00b\x1bc\ud800d\x85") == "abcd"


def test_every_cell_is_guarded_and_quoted() -> None:
    assert list(csv_cells.lines([["=a", 5, None]])) == ['"\'=a","5","None"\r\n']
