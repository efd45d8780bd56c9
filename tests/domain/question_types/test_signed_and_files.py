"""Declarations are signed with name and role; questions for files are answered by the names of files."""

from __future__ import annotations

import pytest

from tests.domain.make import TODAY, asked
from tests.domain.question_types.asking import read, refusal
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import Signature


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
