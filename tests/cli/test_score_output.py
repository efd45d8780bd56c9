"""`python -m vendorrisk score`: what comes out of a submission."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.cli.scoring import BASE, error, outcome, with_answers
from vendorrisk.cli import score as command
from vendorrisk.library import loader, shipped


def test_the_output_has_the_documented_keys() -> None:
    found = outcome(with_answers(DS_04={"value": "no"}))
    assert list(found) == [
        "themes", "control_effectiveness", "inherent", "tier", "residual", "number_band", "floor", "band", "answered",
        "visible", "provisional", "flags",
    ]  # fmt: skip
    assert (found["inherent"], found["tier"], found["answered"], found["provisional"]) == (50, 2, 1, True)
    assert set(found["themes"]["data-sourcing"]) == {"assured", "declared"}
    assert found["flags"][0] == {"question": "DS-01", "option": None, "level": "critical", "kind": "unanswered"}


def test_one_flag_for_each_ticked_option_that_has_one_in_the_order_of_the_question() -> None:
    found = outcome(with_answers(DS_01={"value": ["social", "web", "lic"]}))
    assert [(f["option"], f["level"]) for f in found["flags"] if f["question"] == "DS-01"] == [
        ("web", "high"), ("social", "high"),
    ]  # fmt: skip


def test_figures_are_not_rounded_and_exact_decimals_stay_exact() -> None:
    # 0.1 + 0.2 of binary floats would tip 70.0 to 69.99…; Decimal does not.
    text = '{"questionnaires": ["data-sourcing"], "inherent": 70.0, "as_of": "2026-06-30"}'
    ((_, plain),) = command.submissions(text)
    assert isinstance(plain, dict) and isinstance(plain["inherent"], Decimal)
    assert outcome(plain)["tier"] == 1
    ((_, below),) = command.submissions(text.replace("70.0", "69.9999999999999999999"))
    assert outcome(below)["tier"] == 2  # a float would have made 70 of it


def test_a_figure_at_the_edge_of_its_band_is_read_exactly() -> None:
    ((_, plain),) = command.submissions(
        json.dumps(with_answers(DS_03={"value": 0})).replace('"value": 0', '"value": 98.99999999999999999999')
    )
    below = outcome(plain)
    assert below == outcome(with_answers(DS_03={"value": Decimal("98.9")}))
    assert below != outcome(with_answers(DS_03={"value": 99}))


def test_a_question_may_be_named_by_id() -> None:
    by_id = {**BASE, "answers": {"bulk_collection": {"value": "no"}}}
    assert outcome(by_id) == outcome(with_answers(DS_04={"value": "no"}))


def test_real_values_are_banded_and_codes_are_taken() -> None:
    breach = {**BASE, "questionnaires": ["breach-history"]}
    figures = {**breach, "answers": {"BH-26": {"value": 48}, "BH-29": {"value": "2025-09"}, "BH-30": {"value": "d"}}}
    coded = {**breach, "answers": {"BH-26": {"value": "b"}, "BH-29": {"value": "a"}, "BH-30": {"value": "d"}}}
    assert outcome(figures) == outcome(coded)
    assert "error" not in outcome(figures)


def test_a_table_and_a_file_take_a_grade_code() -> None:
    full = outcome(with_answers(DS_02={"value": "full"}, DS_31={"value": "ok"}))
    none = outcome(with_answers(DS_02={"value": "none"}, DS_31={"value": "none"}))
    assert full["answered"] == none["answered"] == 2
    assert full["themes"]["data-sourcing"]["assured"] > none["themes"]["data-sourcing"]["assured"]


@pytest.mark.parametrize("nothing", [{}, {"value": None}, {"value": ""}, {"value": []}, {"value": {"rows": [{}]}}])
def test_an_empty_value_is_no_answer(nothing: dict[str, Any]) -> None:
    assert outcome(with_answers(DS_02=nothing))["answered"] == 0


def test_an_approved_not_applicable_leaves_the_sums_and_counts_as_answered() -> None:
    pending, approved = (
        outcome(with_answers(DS_24={"not_applicable": "No personal data", "approved": is_approved}))
        for is_approved in (False, True)
    )
    assert pending["answered"] == approved["answered"] == 1
    assert [f["kind"] for f in pending["flags"] if f["question"] == "DS-24"] == ["not_applicable"]
    assert not [f for f in approved["flags"] if f["question"] == "DS-24"]


def test_answers_to_hidden_questions_are_ignored() -> None:
    assert outcome(with_answers(DS_04={"value": "no"}, DS_06={"value": "cont"})) == outcome(
        with_answers(DS_04={"value": "no"})
    )


def test_a_theme_without_anything_to_assess_has_no_figures() -> None:
    library = {"choice": loader.load(shipped.FOLDER / "examples" / "choice.yaml")}
    gone = {"EX-02": {"not_applicable": "we hold nothing", "approved": True}}
    found = command.score_one({"questionnaires": ["choice"], "inherent": 50, "answers": gone}, library, None)
    assert found["themes"] == {"choice": {"assured": None, "declared": None}}
    assert (found["control_effectiveness"], found["residual"]) == (None, None)
    assert (found["number_band"], found["floor"], found["band"]) == ("Not assessed", "Low", "Not assessed")


def test_nothing_answered_scores_nothing_and_has_the_worst_floor() -> None:
    found = outcome(BASE)
    assert found["themes"]["data-sourcing"] == {"assured": 0, "declared": 0}
    assert (found["residual"]["assured"], found["floor"]) == (50, "Critical")


def test_the_day_of_scoring_is_today_unless_said() -> None:
    old = {"questionnaires": ["data-sourcing"], "inherent": 50,
           "answers": {"DS-04": {"value": "no", "answered_on": "2024-06-30"}}}  # fmt: skip
    today, earlier = outcome(old), outcome({**old, "as_of": "2024-06-30"})
    assert today["themes"]["data-sourcing"]["assured"] < earlier["themes"]["data-sourcing"]["assured"]


def test_the_intake_may_be_given_instead_of_the_inherent_score() -> None:
    found = outcome({"questionnaires": ["data-sourcing"], "intake": {"IN-02": ["none"], "IN-04": "none"}})
    assert (found["inherent"], found["tier"]) == (100, 1)  # all the rest is unanswered
    bare = {"questionnaires": ["data-sourcing"]}
    assert error({**bare, "intake": {"IN-02": "none"}}) == "IN-02: a list of option codes is needed"
    assert error({**bare, "intake": {"IN-04": "nope"}}).startswith("IN-04: there is no option 'nope'")
    assert error({**bare, "intake": {"IN-44": "none"}}).startswith("unknown question 'IN-44' (did you mean")
