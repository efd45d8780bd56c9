"""The inherent score of our own intake, its tier, and which questionnaires it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.make import TODAY, by_code, intake, themes
from vendorrisk.cli.demo import cases as told_cases
from vendorrisk.domain import schema
from vendorrisk.domain.answers import Answer, Answers
from vendorrisk.domain.bands import tier_of
from vendorrisk.domain.inherent import Inherent, Proposal, inherent, proposal, reasons, shortened
from vendorrisk.domain.questionnaire import Factor, Question, QuestionType
from vendorrisk.domain.scoring import Case, score

INTAKE = intake()
COUNTED = [q for q in INTAKE if q.factor is not None]
ALL = ("data-sourcing", "breach-history", "customer-list-protection")


def best(*, points: int = 0) -> dict[str, Answer]:
    """Every counted item answered with the highest number of points up to `points`."""
    found = {}
    for question in COUNTED:
        able = [o for o in question.options if o.points is not None and o.points <= points and not o.unknown]
        code = max(able, key=lambda o: o.points or 0).code
        found[question.id] = Answer((code,) if question.type is QuestionType.CHOICES else code)
    return found


def judged(plain: Mapping[str, object] | None = None, *, base: Answers | None = None) -> Inherent:
    return inherent(INTAKE, {**(best() if base is None else base), **by_code(plain or {})})


def test_nine_items_measure_impact_and_ten_exposure_and_the_rest_is_information() -> None:
    impacts = [q.code for q in INTAKE if q.factor is Factor.IMPACT]
    exposures = [q.code for q in INTAKE if q.factor is Factor.EXPOSURE]
    assert sorted(impacts) == ["IN-02", "IN-04", "IN-05", "IN-06", "IN-07", "IN-08", "IN-09", "IN-17", "IN-22"]
    assert sorted(exposures) == ["IN-03", *(f"IN-{n}" for n in range(10, 17)), "IN-20"]
    assert len(INTAKE.questions) == 22


def test_clearviews_intake_is_tier_1() -> None:
    result = inherent(INTAKE, told_cases.intake("clearview", INTAKE))
    assert (result.impact, round(result.exposure, 3)) == (4, Decimal("0.694"))
    assert (round(result.value, 1), round(result.value, 2), result.tier) == (Decimal("84.7"), Decimal("84.72"), 1)
    assert [item.code for item in result.assumed] == ["IN-12"]


def test_larkfields_intake_is_tier_3() -> None:
    result = inherent(INTAKE, told_cases.intake("larkfield", INTAKE))
    assert (result.impact, round(result.value, 1), result.tier) == (2, Decimal("31.9"), 3)
    assert result.assumed == ()


def test_nothing_answered_counts_as_the_worst() -> None:
    result = judged(base={})
    assert (result.tier, result.impact) == (1, 4)
    assert result.value == 100 and result.exposure == 1
    assert len(result.assumed) == len(COUNTED)


def test_without_impact_nothing_is_at_stake_whatever_the_exposure() -> None:
    assert judged().value == 0
    assert judged({q.code: q.options[-2].code for q in COUNTED if q.factor is Factor.EXPOSURE}).value == 0


@pytest.mark.parametrize("question", COUNTED, ids=lambda q: q.code)
def test_an_item_that_nobody_answered_counts_4(question: Question) -> None:
    without = {name: answer for name, answer in best().items() if name != question.id}
    result = judged(base=without)
    assert [(item.code, item.points) for item in result.assumed] == [(question.code, 4)]


@pytest.mark.parametrize("question", COUNTED, ids=lambda q: q.code)
def test_do_not_know_counts_4_except_for_signing_up_alone(question: Question) -> None:
    (code,) = (o.code for o in question.options if o.unknown)
    (item,) = judged({question.code: [code] if question.type is QuestionType.CHOICES else code}).assumed
    assert (item.code, item.points) == (question.code, 3 if question.code == "IN-15" else 4)


def test_the_largest_impact_item_counts_and_the_mean_of_the_exposure_items() -> None:
    result = judged({"IN-04": "noticeable", "IN-05": "operational", "IN-10": "admin", "IN-03": "lt1m"})
    assert (result.impact, result.exposure) == (3, Decimal(7) / 36)
    assert result.value == 25 * 3 * (Decimal("0.5") + Decimal("0.5") * Decimal(7) / 36)
    assert [item.code for item in result.leading] == ["IN-05"]


def test_the_most_sensitive_tick_counts() -> None:
    assert judged({"IN-02": ["contacts", "health"]}).impact == 4
    assert judged({"IN-02": ["contacts", "casework"]}).impact == 3


def test_a_not_applicable_item_counts_as_unanswered() -> None:
    result = judged(base={**best(), "data_given": Answer(not_applicable="none", approved=True)})
    assert [item.code for item in result.assumed] == ["IN-02"]


@pytest.mark.parametrize(
    ("value", "tier"),
    [("100", 1), ("70", 1), ("69.9999999", 2), ("45", 2), ("44.9999999", 3), ("20", 3), ("19.9999999", 4), ("0", 4)],
)
def test_tiers_begin_at_70_45_and_20(value: str, tier: int) -> None:
    assert tier_of(Decimal(value)) == tier


def test_the_reasons_name_what_decided_and_what_nobody_knew() -> None:
    answers = {**best(), **by_code({"IN-05": "operational", "IN-15": "unk"})}
    said = reasons(inherent(INTAKE, answers), INTAKE, answers)
    assert said[0].startswith("Tier 3 because the inherent score is 40.6 (20 or more): the worst impact counts 3 of 4")
    assert said[1].startswith("IN-05: What harm would follow") and said[1].endswith(
        "Legal, political or operational harm"
    )
    assert said[2:] == ("Counted as high because it is not known: IN-15.",)


def test_the_reasons_of_a_small_risk_say_what_it_stays_below() -> None:
    assert "(less than 20)" in reasons(judged(), INTAKE, best())[0]


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_a_worse_item_never_lowers_the_score(seed: int) -> None:
    chance = Random(seed)
    answers = {q.id: Answer((o.code,) if q.type is QuestionType.CHOICES else o.code)
               for q in COUNTED for o in [chance.choice(q.options)]}  # fmt: skip
    question = chance.choice(COUNTED)
    worst = max(question.options, key=lambda o: o.points or 0)
    changed = Answer((worst.code,) if question.type is QuestionType.CHOICES else worst.code)
    before, after = inherent(INTAKE, answers), inherent(INTAKE, {**answers, question.id: changed})
    assert 0 <= before.value <= after.value <= 100
    assert after.tier <= before.tier


# What to send.


def proposed(plain: Mapping[str, object]) -> Proposal:
    answers = {**best(), **by_code(plain)}
    return proposal(inherent(INTAKE, answers), INTAKE, answers, ALL)


@pytest.mark.parametrize(
    ("plain", "is_asked"),
    [
        ({"IN-08": "none", "IN-02": ["none"]}, False),
        ({"IN-08": "none", "IN-02": ["contacts"]}, False),
        ({"IN-08": "licensed", "IN-02": ["none"]}, True),
        ({"IN-08": "none", "IN-02": ["internal"]}, True),
        ({"IN-08": "none", "IN-02": ["contacts", "personal"]}, True),
        ({"IN-08": "unk", "IN-02": ["none"]}, True),
        ({"IN-08": "none", "IN-02": ["unk"]}, True),
    ],
)
def test_data_sourcing_is_asked_where_data_about_people_is_in_play(plain: dict[str, object], is_asked: bool) -> None:
    found = proposed(plain)
    assert found.questionnaires == (ALL if is_asked else ALL[1:])
    assert found.reasons[0].startswith("Data sourcing is asked" if is_asked else "Data sourcing is left out")


def test_an_unanswered_intake_asks_for_everything_in_full() -> None:
    found = proposal(inherent(INTAKE, {}), INTAKE, {}, ALL)
    assert (found.questionnaires, found.short) == (ALL, False)


def test_only_tier_4_gets_the_short_form() -> None:
    short, full = proposed({}), proposed({"IN-05": "operational"})
    assert short.short and "weight 4 or more" in short.reasons[-1]
    assert not full.short


@pytest.mark.parametrize("whole", themes(), ids=lambda q: q.id)
def test_the_short_form_keeps_the_weighty_questions_gates_and_all_their_follow_ups(whole: object) -> None:
    full = next(each for each in themes() if each is whole)
    short = shortened(full)
    kept = {q.id for q in short}
    for question in full:
        top = question
        while top.follow_up is not None:
            top = full.by_id[top.follow_up.of]
        assert (question.id in kept) is (top.weight >= 4), question.code
    gates = set(full.children)
    assert gates and gates <= kept
    assert all(section.questions for section in short.sections)
    assert short.version == f"{full.version}-short"
    # It is frozen into the request like any other: it must be a valid questionnaire by itself.
    assert schema.parse(schema.to_plain(short)) == short


def test_a_short_form_can_be_scored() -> None:
    short = tuple(shortened(each) for each in themes())
    result = score(Case(short, by_code({"BH-02": "no", "DS-04": "no"}), Decimal(10), date(2026, 6, 30)))
    assert result.tier == 4 and result.visible < 60
    assert result.as_of == TODAY


def test_without_exposure_items_exposure_counts_as_the_worst() -> None:
    only_impact = replace(
        INTAKE,
        sections=tuple(
            replace(s, questions=tuple(q for q in s.questions if q.factor is not Factor.EXPOSURE))
            for s in INTAKE.sections
        ),
    )
    assert inherent(only_impact, best()).exposure == 1
