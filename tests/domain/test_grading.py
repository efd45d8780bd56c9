"""Which option a figure, a date, a table or a file counts as, at the exact edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.make import TODAY, asked, questionnaire, said, themes
from vendorrisk.domain import grading
from vendorrisk.domain.answers import Answer, Answers, PartialDate, Row, Signature, Table
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Band, Question, QuestionType, Unit
from vendorrisk.domain.scoring import Case, score

BANDED = [q for each in themes() for q in each if q.bands]


def grade(code: str, answer: Answer, others: Answers | None = None, *, on: date = TODAY) -> str:
    (found,) = grading.chosen(asked(code), answer, others or {}, on)
    return found


def test_all_banded_shipped_questions_have_their_edges_below() -> None:
    assert {q.code for q in BANDED} == {code for code, _, _ in NUMBERS} | {"BH-29", "CL-36"}


NUMBERS = [
    ("DS-03", "100", "a"), ("DS-03", "99", "a"), ("DS-03", "98.999999999", "b"), ("DS-03", "90", "b"),
    ("DS-03", "89.999999999", "c"), ("DS-03", "50", "c"), ("DS-03", "49.999999999", "d"), ("DS-03", "0", "d"),
    ("BH-14", "0", "a"), ("BH-14", "1", "a"), ("BH-14", "2", "b"), ("BH-14", "3", "b"), ("BH-14", "4", "c"),
    ("BH-14", "10", "c"), ("BH-14", "11", "d"), ("BH-14", "30", "d"), ("BH-14", "31", "e"), ("BH-14", "60", "e"),
    ("BH-14", "61", "f"),
    ("BH-15", "1", "a"), ("BH-15", "2", "b"), ("BH-15", "7", "b"), ("BH-15", "8", "c"), ("BH-15", "30", "c"),
    ("BH-15", "31", "d"), ("BH-15", "180", "d"), ("BH-15", "181", "e"),
    ("BH-16", "1", "a"), ("BH-16", "2", "b"), ("BH-16", "7", "b"), ("BH-16", "8", "c"), ("BH-16", "30", "c"),
    ("BH-16", "31", "d"),
    ("BH-26", "24", "a"), ("BH-26", "25", "b"), ("BH-26", "72", "b"), ("BH-26", "73", "c"), ("BH-26", "168", "c"),
    ("BH-26", "169", "d"),
    ("BH-30", "12", "a"), ("BH-30", "11.999999999", "b"), ("BH-30", "6", "b"), ("BH-30", "5.999999999", "c"),
    ("BH-30", "1", "c"), ("BH-30", "0.999999999", "d"), ("BH-30", "0", "d"),
    ("CL-06", "5", "a"), ("CL-06", "5.000000001", "b"), ("CL-06", "15", "b"), ("CL-06", "15.000000001", "c"),
    ("CL-06", "50", "c"), ("CL-06", "50.000000001", "d"),
    ("CL-22", "90", "a"), ("CL-22", "91", "b"), ("CL-22", "365", "b"), ("CL-22", "366", "c"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "number", "option"), NUMBERS)
def test_a_figure_counts_as_its_band_to_the_last_digit(code: str, number: str, option: str) -> None:
    assert grade(code, said(Decimal(number))) == option


@pytest.mark.parametrize("asked_", BANDED, ids=lambda q: q.code)
def test_a_code_instead_of_the_figure_counts_as_itself(asked_: Question) -> None:
    for special in asked_.special:
        assert grade(asked_.code, said(special)) == special


def test_a_figure_outside_all_bands_is_refused_and_never_bent() -> None:
    half = replace(asked("BH-30"), bands=(Band("a", ">=", Decimal(12)),))
    with pytest.raises(InvalidAnswer, match="BH-30: 3 falls into no band"):
        grading.chosen(half, said(Decimal(3)), {}, TODAY)


# Ages. BH-29: up to 12 months a, up to 24 b, then c. CL-36: up to 90 days a, up to 365 b, then c.


@pytest.mark.parametrize(
    ("day", "on", "option"),
    [
        (date(2025, 6, 30), date(2026, 6, 30), "a"),
        (date(2025, 6, 29), date(2026, 6, 30), "b"),
        (date(2024, 6, 30), date(2026, 6, 30), "b"),
        (date(2024, 6, 29), date(2026, 6, 30), "c"),
        (date(2024, 2, 29), date(2025, 2, 28), "a"),  # twelve months after a leap day end on the 28th
        (date(2024, 2, 28), date(2025, 2, 28), "a"),
        (date(2024, 2, 29), date(2025, 3, 1), "b"),
        (date(2023, 2, 28), date(2024, 2, 29), "b"),
        (date(2022, 2, 28), date(2024, 2, 28), "b"),
        (date(2022, 2, 28), date(2024, 2, 29), "c"),
        (date(2026, 6, 30), date(2026, 6, 30), "a"),
    ],
)
def test_months_are_calendar_months(day: date, on: date, option: str) -> None:
    assert grade("BH-29", said(PartialDate(day.year, day.month, day.day)), on=on) == option


@pytest.mark.parametrize(
    ("day", "on", "months"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), "1"),
        (date(2024, 1, 31), date(2024, 2, 29), "1"),
        (date(2026, 1, 30), date(2026, 2, 27), f"{28 / 31}"),
        (date(2026, 1, 31), date(2026, 3, 31), "2"),
        (date(2025, 12, 31), date(2026, 6, 30), "6"),
        (date(2025, 12, 31), date(2026, 6, 29), f"{5 + 29 / 31}"),
    ],
)
def test_a_month_ends_with_the_month_where_it_has_fewer_days(day: date, on: date, months: str) -> None:
    assert abs(grading.age(Unit.MONTHS_AGO, day, on) - Decimal(months)) < Decimal("1e-12")


@given(st.dates(date(2000, 1, 1), TODAY), st.dates(date(2000, 1, 1), TODAY), st.sampled_from(list(Unit)))
def test_what_lies_longer_back_is_never_younger(one: date, other: date, unit: Unit) -> None:
    older, newer = sorted([one, other])
    assert grading.age(unit, older, TODAY) >= grading.age(unit, newer, TODAY) >= 0


@pytest.mark.parametrize(("days", "option"), [(0, "a"), (90, "a"), (91, "b"), (365, "b"), (366, "c")])
def test_days_are_counted(days: int, option: str) -> None:
    day = TODAY - timedelta(days=days)
    assert grade("CL-36", said(PartialDate(day.year, day.month, day.day))) == option


@pytest.mark.parametrize(
    ("value", "on", "option"),
    [
        (PartialDate(2025, 6), date(2026, 6, 1), "a"),  # 1 June is twelve months ago to the day
        (PartialDate(2025, 6), date(2026, 6, 2), "b"),
        (PartialDate(2025, 7), date(2026, 6, 30), "a"),
        (PartialDate(2025), date(2025, 12, 31), "a"),
        (PartialDate(2025), date(2026, 1, 1), "a"),
        (PartialDate(2025), date(2026, 1, 2), "b"),
        (PartialDate(2026), date(2026, 6, 30), "a"),
        (PartialDate(2026, 6), date(2026, 6, 30), "a"),
    ],
)
def test_a_month_or_a_year_counts_at_its_worst_end(value: PartialDate, on: date, option: str) -> None:
    assert grade("BH-29", said(value), on=on) == option


def test_the_worst_end_is_the_worse_option_not_the_older_day() -> None:
    # Here a recent date is the bad answer.
    moved = replace(
        asked("BH-29"),
        bands=(Band("c", "<", Decimal(6)), Band("b", "<", Decimal("8.5")), Band("a", ">=", Decimal("8.5"))),
    )
    assert grading.chosen(moved, said(PartialDate(2025, 10)), {}, TODAY) == ("b",)
    assert grading.chosen(moved, said(PartialDate(2026, 1)), {}, TODAY) == ("c",)


def test_a_date_in_the_future_is_refused() -> None:
    with pytest.raises(InvalidAnswer, match="BH-29: 2026-07 lies in the future of 2026-06-30"):
        grade("BH-29", said(PartialDate(2026, 7)))


def test_a_date_without_bands_chooses_no_option() -> None:
    plain = replace(asked("BH-29"), bands=(), options=())
    assert grading.chosen(plain, said(PartialDate(2031)), {}, TODAY) == ()


# Tables.

FILLED: dict[str, str | tuple[str, ...]] = {
    "title": "Mailbox read", "security_incident": "confirmed", "discovered_on": "2025-05-10",
    "contained_on": "2025-05-11", "customers_told_on": "not_told", "action": ("social",), "actor": ("external",),
    "data_disclosure": "yes", "relationship_data": ("none",),
}  # fmt: skip
SOURCE: dict[str, str] = {column.id: "x" for column in asked("DS-02").columns} | {
    "first_collected": "2021", "last_collected": "2026",
}  # fmt: skip
SYSTEM: dict[str, str] = {column.id: "x" for column in asked("CL-05").columns}


def table(*rows: Row, complete: bool = False) -> Answer:
    return said(Table(rows, complete))


def test_a_table_is_full_when_every_required_cell_is_filled() -> None:
    assert grade("BH-13", table(FILLED)) == "full"
    for column in asked("BH-13").columns:
        without = {**FILLED, column.id: () if column.type.value == "choices" else ""}
        assert grade("BH-13", table(FILLED, without)) == ("part" if column.required else "full"), column.id


def test_a_table_without_rows_or_said_not_to_exist_is_none() -> None:
    assert grade("DS-02", said("none")) == "none"
    assert grade("DS-02", said(Table(()))) == "none"


def test_there_is_a_row_for_each_origin_ticked_elsewhere() -> None:
    origins = {"data_origins": said(("web", "lic"))}
    assert grade("DS-02", table(SOURCE, SOURCE), origins) == "full"
    assert grade("DS-02", table(SOURCE), origins) == "part"
    assert grade("DS-02", table(SOURCE, complete=True), origins) == "part"
    assert grade("DS-02", table(SOURCE), {}) == "part"  # nobody can tell how many there should be


def test_too_few_rows_are_enough_if_the_vendor_says_that_there_are_no_more() -> None:
    assert grade("CL-05", table(SYSTEM, SYSTEM, SYSTEM)) == "full"
    assert grade("CL-05", table(SYSTEM, SYSTEM)) == "part"
    assert grade("CL-05", table(SYSTEM, SYSTEM, complete=True)) == "full"


@pytest.mark.parametrize(
    ("compromised", "discovered", "contained", "option"),
    [
        ("2025-05-01", "2025-05-10", "2025-05-11", "full"),
        ("2025-05-10", "2025-05-10", "2025-05-10", "full"),
        ("2025-05-11", "2025-05-10", "2025-05-11", "part"),
        ("2025-05-01", "2025-05-10", "2025-05-09", "part"),
        ("2025-05", "2025-05-01", "2025-05", "full"),  # possible, so not held against the vendor
        ("2025-06", "2025-05-31", "not_yet", "part"),
        ("unknown", "2025-05-10", "not_yet", "full"),
        ("", "2025-05-10", "2025", "full"),
        ("2025-05", "unknown", "2025-04", "part"),
        ("2025-05-10", "2025", "2025-02-01", "part"),  # the first and the last cannot both be right
    ],
)
def test_dates_of_a_row_must_not_certainly_run_backwards(
    compromised: str, discovered: str, contained: str, option: str
) -> None:
    row = {**FILLED, "compromised_on": compromised, "discovered_on": discovered, "contained_on": contained}
    assert grade("BH-13", table(row)) == option


def test_a_file_is_part_until_somebody_has_looked_at_it() -> None:
    assert grade("DS-31", said(("a.pdf",))) == "part"


def test_the_grade_that_a_reviewer_gives_wins() -> None:
    assert grade("DS-31", replace(said(("a.pdf",)), grade="ok")) == "ok"
    assert grade("BH-13", replace(table(FILLED), grade="part")) == "part"
    assert grade("BH-13", replace(table({**FILLED, "title": ""}), grade="full")) == "full"


def test_a_grade_that_is_no_option_is_refused_by_the_score() -> None:
    graded = {"provenance_sample": replace(said(("a.pdf",)), grade="splendid")}
    with pytest.raises(InvalidAnswer, match="DS-31: there is no option 'splendid'"):
        score(Case((questionnaire(asked("DS-31")),), graded, Decimal(50), TODAY))


def test_ticks_signatures_and_texts_choose_what_they_say() -> None:
    assert grading.chosen(asked("DS-01"), said(("web", "lic")), {}, TODAY) == ("web", "lic")
    assert grade("BH-35", said(Signature("Dana", "Counsel", TODAY))) == "yes"
    assert grade("BH-35", said("no")) == "no"
    text = Question("t", "QQ-01", QuestionType.TEXT, asked("BH-35").text)
    assert grading.chosen(text, said("free words"), {}, TODAY) == ()
    assert grading.chosen(text, Answer(), {}, TODAY) == ()
