"""What is kept of a questionnaire is read back as the same questionnaire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings

from tests import strategies
from vendorrisk.domain import schema
from vendorrisk.domain.errors import CannotLoad
from vendorrisk.domain.questionnaire import Purpose, Question, Questionnaire, QuestionType
from vendorrisk.library import shipped


@given(strategies.questionnaires())
def test_the_kept_copy_is_read_back_equal(questionnaire: Questionnaire) -> None:
    plain = schema.to_plain(questionnaire)
    assert schema.parse(plain) == questionnaire


def test_a_shipped_file_and_its_frozen_copy_are_one_object_however_many_were_read_since() -> None:
    questionnaires = shipped.load().questionnaires.values()
    for number in range(500):
        schema.parse({**_minimal(risk="0.5"), "version": str(number)})
    for questionnaire in questionnaires:
        kept = json.loads(json.dumps(schema.to_plain(questionnaire)))
        assert schema.parse(kept) is questionnaire


@given(strategies.questionnaires(purpose=Purpose.INTAKE))
@settings(max_examples=50)
def test_the_kept_copy_of_an_intake_is_read_back_equal(questionnaire: Questionnaire) -> None:
    assert schema.parse(schema.to_plain(questionnaire)) == questionnaire


@given(strategies.questionnaires(max_questions=4))
@settings(max_examples=50)
def test_json_changes_neither_the_questionnaire_nor_its_digest(questionnaire: Questionnaire) -> None:
    stored = json.loads(json.dumps(schema.to_plain(questionnaire), sort_keys=True), parse_float=_no_float)
    again = schema.parse(stored)
    assert again == questionnaire
    assert schema.digest(again) == schema.digest(questionnaire)


def _no_float(text: str) -> float:
    raise AssertionError(f"a float in the kept copy: {text}")


def _minimal(**option: object) -> dict[str, object]:
    question = {
        "id": "sound",
        "code": "AB-01",
        "type": "yes_no",
        "text": "Is it?",
        "weight": 1,
        "options": [{"code": "yes", "label": "Yes", "risk": 0}, {"code": "no", "label": "No", **option}],
    }
    section = {"id": "only", "title": "Only", "questions": [question]}
    return {"id": "minimal", "version": "1", "title": "Minimal", "sections": [section]}


@pytest.mark.parametrize("risk", ["0.5", Decimal("0.5"), Decimal("0.500"), ["0.50", Decimal("0.5")]])
def test_equal_risks_give_equal_digests(risk: object) -> None:
    digest = schema.digest(schema.parse(_minimal(risk="0.5")))
    assert schema.digest(schema.parse(_minimal(risk=risk))) == digest


def test_another_risk_gives_another_digest() -> None:
    one, other = (schema.digest(schema.parse(_minimal(risk=risk))) for risk in ("0.5", "0.51"))
    assert one != other


@pytest.mark.parametrize(
    "risk",
    [
        *(0.5, True, None, "", "half", "1e-1", ".5", "NaN", "٠", "0." + "1" * 50),
        *(Decimal("NaN"), Decimal("Infinity"), Decimal("1e-400"), pytest.param(10**5000, id="huge")),
        *(-1, 2, "1.01", [], {}, [0], [0, 1, 1], ["1", "0"], [0, "x"]),
    ],
)
def test_what_is_not_an_exact_risk_is_refused(risk: object) -> None:
    with pytest.raises(CannotLoad) as caught:
        schema.parse(_minimal(risk=risk))
    assert caught.value.problems[0].path[:7] == ("sections", 0, "questions", 0, "options", 1, "risk")


@pytest.mark.parametrize("plain", [None, [], "text", 5, {}, {"sections": 3}, {"sections": [None]}, {1: 2}])
def test_any_plain_data_is_read_or_refused(plain: object) -> None:
    with pytest.raises(CannotLoad):
        schema.parse(plain)


def test_the_strategy_asks_in_every_way() -> None:
    seen: set[str] = set()

    @settings(max_examples=200, phases=[Phase.generate], database=None, derandomize=True)
    @given(strategies.questionnaires())
    def look(questionnaire: Questionnaire) -> None:
        for question in questionnaire:
            seen.update(_ways(question))

    look()
    kinds = [kind.value for kind in QuestionType]
    scored = [f"scored {kind}" for kind in kinds if "text" not in kind]
    assert seen >= {*kinds, *scored, *(f"follow-up {kind}" for kind in kinds), "scored show_if", "exclusive"}


def _ways(question: Question) -> Iterator[str]:
    kind = question.type.value
    yield kind
    if question.is_scored:
        yield f"scored {kind}"
    if question.follow_up is not None:
        yield f"follow-up {kind}"
    if question.is_scored and question.show_if is not None:
        yield "scored show_if"
    if any(option.exclusive for option in question.options):
        yield "exclusive"
