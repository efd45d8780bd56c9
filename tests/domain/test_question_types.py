"""All types of question alike: what is kept comes back the same, and what cannot be kept is refused in a sentence."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.make import TODAY, asked
from tests.domain.question_types.asking import YES_NO, question, read
from tests.domain.question_types.values import SHIPPED, fits, made_up
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Column, ColumnType, Question, QuestionType, Text


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
    assert kind in {q.type for q in SHIPPED} or kind in (QuestionType.TEXT, QuestionType.LONG_TEXT)


@pytest.mark.parametrize("kind", list(QuestionType))
def test_an_untouched_form_is_no_answer(kind: QuestionType) -> None:
    blank = question(kind, options=YES_NO, columns=(Column("a", Text("A"), ColumnType.TEXT),))
    assert read(blank) is None
    assert read(blank, "") is None
    assert question_types.fields(blank, None) == {}
    assert question_types.words(blank, None) == ""


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
