"""The 48 submissions whose results were worked out beforehand, scored with the shipped questionnaires."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vendorrisk.domain import submission
from vendorrisk.library import shipped

LINES = (Path(__file__).parent / "score-golden.jsonl").read_text(encoding="utf-8").splitlines()
NAMED = [(json.loads(line)["name"], line) for line in LINES]
TOLERANCE = 1e-9


def assert_same(found: Any, expected: Any, place: str = "") -> None:
    """Equal, figures within the tolerance."""
    if isinstance(expected, dict):
        assert found is not None and found.keys() == expected.keys(), place
        for key in expected:
            assert_same(found[key], expected[key], f"{place}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{place}[{number}]")
    elif isinstance(expected, float):
        assert abs(found - expected) <= TOLERANCE, (place, found, expected)
    else:
        assert found == expected, (place, found, expected)


def test_there_are_48_lines() -> None:
    assert len(NAMED) == 48


@pytest.mark.parametrize("line", [line for _, line in NAMED], ids=[name for name, _ in NAMED])
def test_the_score_is_the_one_worked_out(line: str) -> None:
    given = json.loads(line, parse_float=Decimal)["input"]
    case = submission.read(given, shipped.load().questionnaires, today=date(2026, 6, 30))
    assert_same(submission.result(case), json.loads(line)["expect"])
