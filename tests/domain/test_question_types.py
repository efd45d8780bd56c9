"""Every type of question: what is typed is kept as it was meant, and what cannot be kept is refused in a sentence."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies as made
from tests.domain.make import TODAY, asked, form, themes
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import PartialDate, Signature, Table, Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import (
    Column,
    ColumnType,
    Limits,
    NumberKind,
    Option,
    Question,
    QuestionType,
    Text,
)

T = QuestionType
YES_NO = (Option("yes", Text("Yes")), Option("no", Text("No")))


def question(kind: QuestionType, **changes: object) -> Question:
    return replace(Question("q", "QQ-01", kind, Text("?")), **changes)  # type: ignore[arg-type]  # they vary


def read(asked_: Question, main: str | Sequence[str] = (), **fields: str | Sequence[str]) -> Value | None:
    return question_types.read(asked_, form(main, fields), on=TODAY)


def refusal(asked_: Question, main: str | Sequence[str] = (), **fields: str | Sequence[str]) -> str:
    with pytest.raises(InvalidAnswer) as refused:
        read(asked_, main, **fields)
    return str(refused.value)


# Whatever was kept comes back the same: from the form, from JSON, and it can be said in words.

texts = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
dates = st.builds(
    lambda day, parts: PartialDate(day.year, *(day.month, day.day)[:parts]),
    st.dates(date(1990, 1, 1), TODAY),
    st.integers(0, 2),
)


def number_for(limits: Limits) -> st.SearchStrategy[Decimal]:
    low = int(limits.minimum) if limits.minimum is not None else -1000
    high = int(limits.maximum) if limits.maximum is not None else 1000
    if limits.number is NumberKind.PERCENT:
        low, high = 0, 100
    places = 0 if limits.number is NumberKind.INTEGER else 3
    return st.integers(low * 10**places, high * 10**places).map(lambda n: Decimal(n).scaleb(-places))


def cell_for(column: Column) -> st.SearchStrategy[str | tuple[str, ...]]:
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
            return st.one_of(dates.map(str), *special)
        case ColumnType.URL:
            return st.sampled_from(["", "https://example.com/a?b=c"])
        case _:
            return st.one_of(st.just(""), texts)


def table_for(asked_: Question) -> st.SearchStrategy[Table]:
    rows = st.fixed_dictionaries({c.id: cell_for(c) for c in asked_.columns}).filter(lambda row: any(row.values()))
    return st.builds(Table, st.lists(rows, min_size=1, max_size=4).map(tuple), st.booleans())


def value_for(asked_: Question) -> st.SearchStrategy[Value]:
    codes = [o.code for o in asked_.options]
    special = [st.just(code) for code in asked_.special]
    match asked_.type:
        case T.YES_NO | T.CHOICE:
            return st.sampled_from(codes)
        case T.CHOICES:
            together = [o.code for o in asked_.options if not o.exclusive] or codes[:1]
            return st.sets(st.sampled_from(together), min_size=1).map(lambda s: tuple(c for c in codes if c in s))
        case T.TEXT | T.LONG_TEXT:
            if asked_.limits.pattern:
                return st.just("AB")
            return texts.map(lambda text: text[: asked_.limits.max_length])
        case T.NUMBER:
            return st.one_of(number_for(asked_.limits), *special)
        case T.DATE:
            return st.one_of(dates, *special)
        case T.TABLE:
            return st.one_of(table_for(asked_), st.just(asked_.grading.none if asked_.grading else "none"))
        case T.FILE:
            return st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple)
        case T.DECLARATION:
            signed: st.SearchStrategy[Value] = st.builds(Signature, texts, texts, st.just(TODAY))
            return st.one_of(signed, st.just("no"))


SHIPPED = [q for each in themes() for q in each]
fits = st.sampled_from(SHIPPED).flatmap(lambda q: st.tuples(st.just(q), value_for(q)))
made_up = made.questionnaires(max_questions=3).flatmap(
    lambda m: st.sampled_from(m.questions).flatmap(lambda q: st.tuples(st.just(q), value_for(q)))
)


@settings(max_examples=300)
@given(fits)
def test_what_fields_fills_in_read_takes_back(pair: tuple[Question, Value]) -> None:
    asked_, value = pair
    filled = question_types.fields(asked_, value)
    assert question_types.read(asked_, lambda name: filled.get(name, []), on=TODAY) == value


@settings(max_examples=200)
@given(st.one_of(fits, made_up))
def test_what_is_kept_as_json_comes_back_the_same(pair: tuple[Question, Value]) -> None:
    asked_, value = pair
    if asked_.limits.pattern or asked_.limits.max_length == 1:
        return
    plain = json.loads(json.dumps(question_types.to_plain(asked_, value)))
    assert question_types.from_plain(asked_, plain) == value


@settings(max_examples=200)
@given(fits)
def test_every_answer_can_be_said_in_words(pair: tuple[Question, Value]) -> None:
    assert question_types.words(*pair).strip()


@pytest.mark.parametrize("kind", list(QuestionType))
def test_the_shipped_questionnaires_or_their_intake_use_every_type(kind: QuestionType) -> None:
    # Else the properties above would leave a type out unseen; texts are in the intake only.
    assert kind in {q.type for q in SHIPPED} or kind in (T.TEXT, T.LONG_TEXT)


@pytest.mark.parametrize("kind", list(QuestionType))
def test_an_untouched_form_is_no_answer(kind: QuestionType) -> None:
    blank = question(kind, options=YES_NO, columns=(Column("a", Text("A"), ColumnType.TEXT),))
    assert read(blank) is None
    assert read(blank, "") is None
    assert question_types.fields(blank, None) == {}
    assert question_types.words(blank, None) == ""


# Ticked options.


@pytest.mark.parametrize("code", ["DS-04", "DS-14", "DS-01", "BH-35"])
def test_an_option_that_is_not_offered_is_refused(code: str) -> None:
    assert refusal(asked(code), "nonsense") == "'nonsense' is not one of the answers offered."


def test_codes_mind_capitals() -> None:
    assert "'YES' is not one" in refusal(asked("DS-04"), "YES")


def test_ticks_are_kept_once_and_in_the_order_of_the_question() -> None:
    assert read(asked("DS-01"), ["social", "web", "web", ""]) == ("web", "social")


def test_an_exclusive_option_stands_alone() -> None:
    assert refusal(asked("DS-01"), ["unk", "web"]) == "“Unknown” cannot be ticked together with other answers."
    assert read(asked("DS-01"), ["unk", "unk"]) == ("unk",)


# Numbers.


@pytest.mark.parametrize(
    ("typed", "value"),
    [("12.5", "12.5"), (" 1 200 ", "1200"), ("1 200", "1200"), ("-0", "0"), ("0.10", "0.1"), ("1e3", "1000")],
)
def test_a_number_is_understood(typed: str, value: str) -> None:
    assert read(question(T.NUMBER), typed) == Decimal(value)


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
    percent = question(T.NUMBER, limits=Limits(NumberKind.PERCENT))
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


# Dates.


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
    assert read(question(T.DATE), "2031-01") == PartialDate(2031, 1)


# Typed text.


def test_a_text_keeps_its_lines_and_loses_the_spaces_around_it() -> None:
    assert read(question(T.LONG_TEXT), "  one\r\ntwo\rthree\tfour \n") == "one\ntwo\nthree\tfour"
    assert read(question(T.LONG_TEXT), " \n ") is None


@pytest.mark.parametrize("kind", [T.TEXT, T.LONG_TEXT])
@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_character_that_cannot_be_kept_is_named(kind: QuestionType, character: str) -> None:
    assert f"(U+{ord(character):04X}); remove it." in refusal(question(kind), f"a{character}b")


@given(st.text(max_size=40))
def test_a_text_that_is_taken_can_be_stored_anywhere(typed: str) -> None:
    try:
        kept = read(question(T.LONG_TEXT), typed)
    except InvalidAnswer:
        return
    assert kept is None or (isinstance(kept, str) and kept.encode("utf-8") and "\0" not in kept)
    assert not any(unicodedata.category(c) == "Cs" for c in kept or "")


@pytest.mark.parametrize(("kind", "most"), [(T.TEXT, 500), (T.LONG_TEXT, 20_000)])
def test_a_text_has_a_longest_length(kind: QuestionType, most: int) -> None:
    assert read(question(kind), "x" * most) == "x" * most
    assert refusal(question(kind), "x" * (most + 1)) == f"The text has {most + 1:,} characters; the most is {most:,}."


def test_the_author_may_set_the_length_and_the_pattern() -> None:
    country = question(T.TEXT, limits=Limits(max_length=2, pattern="^[A-Z]{2}$", pattern_hint=Text("two capitals")))
    assert read(country, "DE") == "DE"
    assert "the most is 2" in refusal(country, "DEU")
    assert refusal(country, "de") == "The text has not the form that is asked for: two capitals."
    assert "[A-Z]+" in refusal(question(T.TEXT, limits=Limits(pattern="[A-Z]+")), "x")


def test_a_pattern_that_backtracks_elsewhere_takes_no_time() -> None:
    greedy = question(T.LONG_TEXT, limits=Limits(pattern="(a+)+$"))
    assert "has not the form" in refusal(greedy, "a" * 15_000 + "!")


# Tables.

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


# Declarations and files.


def test_a_declaration_is_signed_with_name_and_role_on_the_day() -> None:
    signed = read(asked("BH-35"), "yes", name=" Dana Ruiz ", role="Counsel")
    assert signed == Signature("Dana Ruiz", "Counsel", TODAY)
    assert question_types.words(asked("BH-35"), signed) == "Signed: Dana Ruiz, Counsel, 2026-06-30"


@pytest.mark.parametrize("given_", [{}, {"name": "Dana"}, {"name": " ", "role": "Counsel"}])
def test_a_declaration_without_name_or_role_is_refused(given_: dict[str, str]) -> None:
    assert refusal(asked("BH-35"), "yes", **given_) == "Whoever signs gives their name and their role."


def test_declining_to_sign_needs_no_name() -> None:
    assert read(asked("BH-35"), "no") == "no"


def test_a_file_question_is_answered_by_the_names_of_its_files() -> None:
    assert read(asked("DS-31"), ["a.pdf", "", "b.pdf"]) == ("a.pdf", "b.pdf")
    assert question_types.words(asked("DS-31"), ("a.pdf", "b.pdf")) == "a.pdf, b.pdf"


# What was kept by somebody else.


@pytest.mark.parametrize(
    ("code", "plain"),
    [
        ("DS-04", "nonsense"), ("DS-04", True), ("DS-04", ["no"]), ("DS-04", 5), ("DS-01", "web"),
        ("DS-01", ["web", "unk"]), ("DS-01", [["web"]]), ("BH-14", "NaN"), ("BH-14", "abc"), ("BH-14", 1.5),
        ("BH-14", True), ("BH-14", "-1"), ("BH-14", "1e-999999999"), ("BH-29", 2024), ("BH-29", "31 June 2025"),
        ("BH-13", []), ("BH-13", {}), ("BH-13", {"rows": [5]}), ("BH-13", "full"), ("DS-31", "a.pdf"), ("DS-31", 5),
        ("BH-35", {"name": "Dana"}), ("BH-35", {"name": "Dana", "role": "Counsel", "on": "soon"}), ("BH-35", "maybe"),
        ("IN-01", 5), ("IN-01", "a\0b"), ("IN-19", "x" * 501),
    ],
)  # fmt: skip
def test_what_is_not_an_answer_is_refused_and_never_bent(code: str, plain: object) -> None:
    with pytest.raises(InvalidAnswer):
        question_types.from_plain(asked(code), plain)


@settings(max_examples=200)
@given(
    st.sampled_from(SHIPPED),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=6,
    ),
)
def test_any_json_is_an_answer_or_refused(asked_: Question, plain: object) -> None:
    try:
        value = question_types.from_plain(asked_, plain)
    except InvalidAnswer:
        return
    json.dumps(question_types.to_plain(asked_, value))


@settings(max_examples=200)
@given(st.sampled_from(SHIPPED), st.integers(0, 2**32))
def test_any_form_is_read_or_refused(asked_: Question, seed: int) -> None:
    chance = Random(seed)
    bits = ["", "yes", "no", "none", "1", "-5", "2024", "2024-02-31", "NaN", "1e400", "\0", "x" * 30_000, "unk", "９"]
    suffixes = [
        "",
        "code",
        "rows",
        "complete",
        "name",
        "role",
        *(f"{n}-{c.id}" for n in (0, 1) for c in asked_.columns),
    ]
    typed = {suffix: chance.sample(bits, chance.randint(0, 2)) for suffix in suffixes}
    try:
        question_types.read(asked_, lambda name: typed.get(name, []), on=TODAY - timedelta(days=1))
    except InvalidAnswer as refused:
        assert str(refused).endswith((".", "”.", "more.")) or "Write" in str(refused)
