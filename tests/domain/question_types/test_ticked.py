"""Ticked options: those that are offered, each once, in the order of the question."""

from __future__ import annotations

import pytest

from tests.domain.make import asked
from tests.domain.question_types.asking import read, refusal


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
