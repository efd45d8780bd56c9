"""Tables: read cell by cell, and a bad cell names its row and column."""

from __future__ import annotations

import pytest

from tests.domain.make import asked
from tests.domain.question_types.asking import read, refusal
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import Table
from vendorrisk.domain.errors import InvalidAnswer

REGISTER = asked("BH-13")
ROW = {
    "0-title": "Mailbox read", "0-security_incident": "confirmed", "0-discovered_on": "May 2024",
    "0-customers_told_on": "not_told", "0-relationship_data": ["account_count", "relationship"],
    "0-customers_affected_share": "12 %", "0-public_link": "https://example.com/x",
}  # fmt: skip


def test_a_row_is_read_cell_by_cell() -> None:
    table = read(REGISTER, rows="1", complete="1", **ROW)
    assert isinstance(table, Table) and table.complete
    row = table.rows[0]
    assert row["discovered_on"] == "2024-05"
    assert row["customers_told_on"] == "not_told"
    assert row["relationship_data"] == ("relationship", "account_count")
    assert row["customers_affected_share"] == "12"
    assert row["contained_on"] == ""
    assert question_types.words(REGISTER, table).startswith("1. Title: Mailbox read; ")


def test_rows_without_a_filled_cell_are_dropped() -> None:
    table = read(REGISTER, rows="4", **{"0-title": " ", "2-title": "Lost laptop"})
    assert isinstance(table, Table) and [row["title"] for row in table.rows] == ["Lost laptop"]
    assert read(REGISTER, rows="3", **{"1-title": ""}) is None
    assert read(REGISTER, rows="0", complete="1") is None


@pytest.mark.parametrize(
    ("cell", "typed", "message"),
    [
        ("discovered_on", "soon", "is not a date"),
        ("discovered_on", "not_told", "is not a date"),
        ("customers_affected_share", "many", "'many' is not a number."),
        ("customers_affected_share", "1e-999999999", "of a usual size"),
        ("security_incident", "maybe", "'maybe' is not one of the answers offered."),
        ("relationship_data", ["relationship", "shoes"], "'shoes' is not one of the answers offered."),
        (
            "relationship_data",
            ["none", "relationship"],
            "“None of these” cannot be ticked together with other answers.",
        ),
        ("public_link", "javascript:alert(1)", "is not a web address"),
        ("title", "a\0b", "U+0000"),
        ("title", "x" * 501, "the most is 500"),
        ("vendor_words", "x" * 5_001, "the most is 5,000"),
    ],
)
def test_a_bad_cell_names_its_row_and_column(cell: str, typed: str | list[str], message: str) -> None:
    label = next(str(column.label) for column in REGISTER.columns if column.id == cell)
    said = refusal(REGISTER, rows="2", **{"0-title": "fine", f"1-{cell}": typed})
    assert said.startswith(f"Row 2, {label}: ") and message in said


def test_a_table_has_only_so_many_rows() -> None:
    assert refusal(REGISTER, rows="201") == "The table has 201 rows; the most is 200."
    rows = [{"title": str(n)} for n in range(201)]
    with pytest.raises(InvalidAnswer, match="the most is 200"):
        question_types.from_plain(REGISTER, {"rows": rows})


def test_no_register_and_rows_cannot_both_be_said() -> None:
    register = asked("DS-02")
    assert read(register, code="none") == "none"
    assert refusal(register, rows="1", code="none", **{"0-name": "A"}) == (
        "Fill in rows or tick “No register”, not both."
    )
    assert refusal(register, code="full") == "'full' is not one of the answers offered."


def test_rows_from_elsewhere_are_checked_like_typed_ones() -> None:
    kept = question_types.from_plain(
        REGISTER, {"rows": [{"title": None}, {"title": "Lost laptop", "action": ["error"]}]}
    )
    assert isinstance(kept, Table)
    assert [(row["title"], row["action"]) for row in kept.rows] == [("Lost laptop", ("error",))]
    with pytest.raises(InvalidAnswer, match="Row 1: there is no column 'tilte'"):
        question_types.from_plain(REGISTER, {"rows": [{"tilte": "x"}]})
