"""Asks one question: what is kept of what was typed, or why it is refused; for the tests of each type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.domain.make import TODAY, form
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Option, Question, QuestionType, Text

YES_NO = (Option("yes", Text("Yes")), Option("no", Text("No")))


def question(kind: QuestionType, **changes: object) -> Question:
    """A bare question of this type."""
    return replace(Question("q", "QQ-01", kind, Text("?")), **changes)  # type: ignore[arg-type]  # they vary


def read(asked_: Question, main: str | Sequence[str] = (), **fields: str | Sequence[str]) -> Value | None:
    """What is kept of what was typed: into the main field, and into others by their suffix."""
    return question_types.read(asked_, form(main, fields), on=TODAY)


def refusal(asked_: Question, main: str | Sequence[str] = (), **fields: str | Sequence[str]) -> str:
    """Why it is refused."""
    with pytest.raises(InvalidAnswer) as refused:
        read(asked_, main, **fields)
    return str(refused.value)
