"""Numbers and dates: understood as people write them, refused with the reason, or a code stands instead."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.domain.make import TODAY, asked
from tests.domain.question_types.asking import question, read, refusal
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import PartialDate
from vendorrisk.domain.questionnaire import Limits, NumberKind, QuestionType


@pytest.mark.parametrize(
    ("typed", "value"),
    [("12.5", "12.5"), (" 1 200 ", "1200"), ("1 200", "1200"), ("-0", "0"), ("0.10", "0.1"), ("1e3", "1000")],
)
def test_a_number_is_understood(typed: str, value: str) -> None:
    assert read(question(QuestionType.NUMBER), typed) == Decimal(value)


def test_a_percent_may_carry_its_sign() -> None:
    assert read(asked("DS-03"), "97.5 %") == Decimal("97.5")
    assert question_types.words(asked("DS-03"), Decimal("97.50")) == "97.5 %"


@pytest.mark.parametrize(
    ("code", "typed", "message"),
    [
        ("BH-14", "1,5", "Write '1,5' without a comma: a point marks decimals, and thousands need no mark."),
        ("BH-14", "two", "'two' is not a number."),
        ("BH-14", "2 %", "'2 %' is not a number."),
        ("BH-14", "NaN", "The number must be finite and of a usual size."),
        ("BH-14", "sNaN", "The number must be finite and of a usual size."),
        ("BH-14", "inf", "The number must be finite and of a usual size."),
        ("BH-14", "-Infinity", "The number must be finite and of a usual size."),
        ("BH-14", "1e15", "The number must be finite and of a usual size."),
        ("BH-30", "1e-999999999", "The number must be finite and of a usual size."),
        ("BH-30", "0e999999999", "The number must be finite and of a usual size."),
        ("BH-30", "0." + "1" * 26, "The number must be finite and of a usual size."),
        ("BH-14", "2.5", "A whole number is asked for."),
        ("BH-14", "-1", "The number must be 0 or more."),
        ("DS-03", "100.01", "The number must be 100 or less."),
        ("DS-03", "-0.1", "The number must be 0 or more."),
    ],
)
def test_a_number_is_refused_with_the_reason(code: str, typed: str, message: str) -> None:
    assert refusal(asked(code), typed) == message


def test_a_percent_lies_between_0_and_100_without_being_told() -> None:
    percent = question(QuestionType.NUMBER, limits=Limits(NumberKind.PERCENT))
    assert "100 or less" in refusal(percent, "101")
    assert "0 or more" in refusal(percent, "-1")


def test_a_number_says_its_unit_in_words() -> None:
    assert question_types.words(asked("BH-26"), Decimal(48)) == "48 hours"
    assert question_types.words(asked("BH-26"), "e") == "No promise in the contract"


@pytest.mark.parametrize("code", ["BH-14", "BH-29"])
def test_a_code_stands_instead_of_a_value_not_beside_it(code: str) -> None:
    special = asked(code).special_options[0]
    assert read(asked(code), "", code=special.code) == special.code
    assert refusal(asked(code), "2024", code=special.code) == f"Give a value or tick “{special.label}”, not both."
    assert refusal(asked(code), "", code="a") == "'a' is not one of the answers offered."


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2024-05-17", PartialDate(2024, 5, 17)), ("2024-5-7", PartialDate(2024, 5, 7)),
        ("17 May 2024", PartialDate(2024, 5, 17)), ("  7  sept.  2024 ", PartialDate(2024, 9, 7)),
        ("29 February 2024", PartialDate(2024, 2, 29)), ("2024-05", PartialDate(2024, 5)),
        ("May 2024", PartialDate(2024, 5)), ("DEC 2024", PartialDate(2024, 12)), ("2024", PartialDate(2024)),
    ],
)  # fmt: skip
def test_a_date_is_understood_as_day_month_or_year(typed: str, value: PartialDate) -> None:
    assert read(asked("BH-29"), typed) == value
    assert question_types.words(asked("BH-29"), value) == str(value)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("yesterday", "'yesterday' is not a date. Write 2024-05-17 or 17 May 2024"),
        ("17.05.2024", "is not a date"),
        ("05/17/2024", "is not a date"),
        ("17 Mai 2024", "is not a date"),
        ("2023-02-29", "There is no such day: 2023-02-29."),
        ("31 June 2025", "There is no such day: 2025-06-31."),
        ("0 May 2024", "There is no such day: 2024-05-00."),
        ("2024-13", "There is no month 13."),
        ("2024-00-10", "There is no month 0."),
        ("1899", "The year 1899 is out of range."),
        ("9999", "The year 9999 is out of range."),
        ("2026-07-01", "2026-07-01 lies in the future."),
        ("2027", "2027 lies in the future."),
    ],
)
def test_a_date_is_refused_with_the_reason(typed: str, reason: str) -> None:
    assert reason in refusal(asked("BH-29"), typed)


def test_the_current_month_is_not_yet_the_future() -> None:
    assert read(asked("BH-29"), "2026-06") == PartialDate(2026, 6)
    assert read(asked("BH-29"), "2026") == PartialDate(2026)
    assert read(asked("BH-29"), TODAY.isoformat()) == PartialDate(2026, 6, 30)


def test_a_date_that_is_not_graded_may_lie_ahead() -> None:
    assert read(question(QuestionType.DATE), "2031-01") == PartialDate(2031, 1)
