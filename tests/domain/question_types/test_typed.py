"""Typed text: kept as it was meant, and refused where it could not be kept or has not the form."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.question_types.asking import question, read, refusal
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Limits, QuestionType, Text


def test_a_text_keeps_its_lines_and_loses_the_spaces_around_it() -> None:
    assert read(question(QuestionType.LONG_TEXT), "  one\r\ntwo\rthree\tfour \n") == "one\ntwo\nthree\tfour"
    assert read(question(QuestionType.LONG_TEXT), " \n ") is None


@pytest.mark.parametrize("kind", [QuestionType.TEXT, QuestionType.LONG_TEXT])
@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_character_that_cannot_be_kept_is_named(kind: QuestionType, character: str) -> None:
    assert f"(U+{ord(character):04X}); remove it." in refusal(question(kind), f"a{character}b")


@given(st.text(max_size=40))
def test_a_text_that_is_taken_can_be_stored_anywhere(typed: str) -> None:
    try:
        kept = read(question(QuestionType.LONG_TEXT), typed)
    except InvalidAnswer:
        return
    assert kept is None or (isinstance(kept, str) and kept.encode("utf-8") and "\0" not in kept)
    assert not any(unicodedata.category(c) == "Cs" for c in kept or "")


@pytest.mark.parametrize(("kind", "most"), [(QuestionType.TEXT, 500), (QuestionType.LONG_TEXT, 20_000)])
def test_a_text_has_a_longest_length(kind: QuestionType, most: int) -> None:
    assert read(question(kind), "x" * most) == "x" * most
    assert refusal(question(kind), "x" * (most + 1)) == f"The text has {most + 1:,} characters; the most is {most:,}."


def test_the_author_may_set_the_length_and_the_pattern() -> None:
    country = question(
        QuestionType.TEXT, limits=Limits(max_length=2, pattern="^[A-Z]{2}$", pattern_hint=Text("two capitals"))
    )
    assert read(country, "DE") == "DE"
    assert "the most is 2" in refusal(country, "DEU")
    assert refusal(country, "de") == "The text has not the form that is asked for: two capitals."
    assert "[A-Z]+" in refusal(question(QuestionType.TEXT, limits=Limits(pattern="[A-Z]+")), "x")


def test_a_pattern_that_backtracks_elsewhere_takes_no_time() -> None:
    greedy = question(QuestionType.LONG_TEXT, limits=Limits(pattern="(a+)+$"))
    assert "has not the form" in refusal(greedy, "a" * 15_000 + "!")
