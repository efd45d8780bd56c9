"""Submissions for the score command, and what comes of them."""

from __future__ import annotations

from datetime import date
from typing import Any

from vendorrisk.cli import score as command
from vendorrisk.library import shipped

ON = date(2026, 6, 30)
BASE: dict[str, Any] = {"questionnaires": ["data-sourcing"], "inherent": 50, "as_of": "2026-06-30"}


def outcome(plain: object, *, rules: bool = False) -> dict[str, Any]:
    """What the command prints for a submission."""
    library = shipped.load()
    return command.score_one(plain, library.questionnaires, library.rules if rules else None, today=ON)


def with_answers(**answers: Any) -> dict[str, Any]:
    """A submission with these answers, by code with an underscore."""
    return {**BASE, "answers": {code.replace("_", "-"): given for code, given in answers.items()}}


def error(plain: object) -> str:
    """Why a submission is refused."""
    found = outcome(plain)
    assert set(found) == {"error"}, found
    return str(found["error"])
