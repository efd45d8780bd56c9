"""Every shipped contradiction rule: what it finds, what it leaves alone, and that silence never fires one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.domain.contradicting import RULES, THEMES, keys
from tests.domain.contradiction_cases import CASES, FIRING, TOLD
from tests.domain.make import TODAY, by_code
from vendorrisk.cli.demo import cases as told_cases
from vendorrisk.domain import contradictions
from vendorrisk.domain.answers import Answer


def rule_of(key: str) -> str:
    return key.split("/")[0]


def test_every_shipped_rule_has_a_case() -> None:
    assert {rule.id for rule in RULES.rules} == set(FIRING)


@pytest.mark.parametrize(("rule", "firing", "quiet"), CASES)
def test_a_rule_fires_on_what_it_is_for_and_not_on_what_is_nearly_that(
    rule: str, firing: dict[str, object], quiet: dict[str, object]
) -> None:
    assert rule in {rule_of(key) for key in keys(firing)}
    assert rule not in {rule_of(key) for key in keys(quiet)}


@pytest.mark.parametrize(("rule", "firing", "_quiet"), CASES)
def test_silence_fires_no_rule(rule: str, firing: dict[str, object], _quiet: dict[str, object]) -> None:
    (found,) = (one for one in RULES.rules if one.id == rule)
    assert not keys({})
    for needed in found.needs:
        for silence in (Answer(), Answer(unknown=True), Answer(not_applicable="not part of it")):
            answers = {**by_code(firing), needed: silence}
            found_keys = {rule_of(hit.key) for hit in contradictions.find(RULES, THEMES, answers, on=TODAY)}
            assert rule not in found_keys, needed


def test_hidden_answers_fire_no_rule() -> None:
    register_without_rows = {"BH-02": "no", "BH-13": "none", "BH-14": Decimal("1")}
    assert keys(register_without_rows) == set()
    assert "C-08a" not in keys({**TOLD, "BH-02": "no", "BH-14": Decimal("1")})


@pytest.mark.parametrize(("name", "on"), [("clearview", date(2020, 3, 1)), ("larkfield", TODAY)])
def test_the_two_known_vendors_contradict_themselves_nowhere(name: str, on: date) -> None:
    told = told_cases.told(name, THEMES, today=on)
    answers = {one.question.id: Answer(one.value or one.files or None) for one in told}
    assert contradictions.find(RULES, THEMES, answers, on=on) == ()
