"""The worked example of docs/reference/scoring.md, figure by figure, and the rules that it does not show."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.domain.make import TODAY, case, choice, option, questionnaire, said
from vendorrisk.domain import flags, sensitivity
from vendorrisk.domain.answers import Answer, EvidenceLevel
from vendorrisk.domain.bands import RiskBand
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.flags import Control, FlagKind
from vendorrisk.domain.marks import freshness
from vendorrisk.domain.questionnaire import FlagLevel, Questionnaire
from vendorrisk.domain.scoring import Pair, Score, score

EVIDENCED, VERIFIED = EvidenceLevel.EVIDENCED, EvidenceLevel.VERIFIED

BREACHES = questionnaire(
    choice("event", option("no"), option("yes", "0.1", "0.9"), weight=20),
    choice("told", option("b", "0.1"), weight=4, of="event", when=["yes"]),
    choice("cause", option("int", "0.3"), weight=4, of="event", when=["yes"]),
    choice("actions", option("open", "0.5"), weight=2, of="event", when=["yes"]),
    choice("register", option("int", "0.3"), weight=4),
    choice("hours", option("b", "0.15"), weight=4),
    choice("clock", option("susp"), option("disc", "1", flag=FlagLevel.HIGH), weight=4),
    choice("signed", option("yes"), option("no", "1", flag=FlagLevel.MEDIUM), weight=1, evidence=False),
    name="breach-history",
)
ANSWERS = {
    "event": said("yes", EVIDENCED, age=100),
    "told": said("b", VERIFIED),
    "cause": said("int", EVIDENCED),
    "actions": said("open"),
    "register": said("int", age=500),
    "hours": said("b", VERIFIED),
    "signed": said("yes"),
}


def theme_of(name: str, credit: str) -> Questionnaire:
    """A theme of one verified question with the given score."""
    return questionnaire(choice(f"{name}_only", option("a", str(1 - Decimal(credit) / 100))), name=name)


OTHERS = (theme_of("sourcing", "72"), theme_of("customers", "66"))
THREE = (BREACHES, *OTHERS)
OTHER_ANSWERS = {"sourcing_only": said("a", VERIFIED), "customers_only": said("a", VERIFIED)}


def scored(**changed: Answer) -> Score:
    return score(case(THREE, {**ANSWERS, **OTHER_ANSWERS, **changed}))


def test_the_gate_is_placed_in_its_range_by_its_follow_ups() -> None:
    gate = next(mark for mark in scored().themes[0].marks if mark.question_id == "event")
    assert gate.position == Decimal("0.332")
    assert gate.raw == Decimal("0.3656")
    assert gate.credit == Decimal("0.539240")
    assert gate.declared_raw == Decimal("0.308")


def test_the_theme_and_residual_of_the_worked_example() -> None:
    result = scored()
    theme = result.themes[0].score
    assert theme is not None and result.residual is not None
    assert (round(theme.assured, 1), round(theme.declared, 1)) == (Decimal("50.9"), Decimal("63.8"))
    assert round(result.residual.assured, 1) == Decimal("34.7")
    assert result.tier == 2
    assert result.number_band is RiskBand.MODERATE
    assert (result.band, result.provisional) == (RiskBand.HIGH, True)
    assert [(f.level, f.kind) for f in result.flags] == [(FlagLevel.HIGH, FlagKind.UNANSWERED)]


def test_answered_well_and_evidenced_the_band_falls() -> None:
    result = scored(clock=said("susp", EVIDENCED))
    assert result.themes[0].score is not None and result.residual is not None
    assert round(result.themes[0].score.assured, 1) == Decimal("61.2")
    assert round(result.residual.assured, 1) == Decimal("28.8")
    assert (result.band, result.provisional) == (RiskBand.MODERATE, False)


def test_most_to_gain_starts_with_the_weakest_theme() -> None:
    first, second = sensitivity.gains(scored())[:2]
    assert (first.question_id, round(first.points, 1)) == ("event", Decimal("27.9"))
    assert (second.question_id, round(second.points, 1)) == ("clock", Decimal("12.1"))


def test_sensitivity_names_the_weights_that_move_the_band() -> None:
    asked = questionnaire(choice("good", option("a"), weight=5), choice("bad", option("z", "1"), weight=5))
    result = score(case(asked, {"good": said("a", VERIFIED), "bad": said("z", VERIFIED)}, "64"))
    # R = 64·(1 - 0.9·0.5) = 35.2: High, and a little less weight on the bad answer makes it Moderate.
    assert result.band is RiskBand.HIGH
    assert [(c.question_id, c.factor, c.band) for c in sensitivity.changes(result)] == [
        ("good", Decimal("1.5"), RiskBand.MODERATE),
        ("bad", Decimal("0.5"), RiskBand.MODERATE),
    ]


@pytest.mark.parametrize(
    ("days", "factor"), [(0, "1"), (365, "1"), (366, "0.99863"), (547, "0.75068"), (730, "0.5"), (731, "0")]
)
def test_freshness_falls_after_a_year_and_ends_after_two(days: int, factor: str) -> None:
    assert round(freshness(days), 5) == Decimal(factor)


def test_an_answer_from_the_future_is_refused() -> None:
    with pytest.raises(InvalidAnswer, match="after"):
        scored(hours=replace(said("b"), answered_on=TODAY + timedelta(days=1)))


def test_an_unknown_option_is_refused_and_never_coerced() -> None:
    with pytest.raises(InvalidAnswer, match="no option"):
        score(case(questionnaire(choice("one", option("a"))), {"one": said(("b",))}))


def test_a_hidden_question_counts_for_nothing() -> None:
    gate = choice("cloud", option("yes", "0", "1"), option("no"))
    asked = questionnaire(gate, choice("region", option("eu"), of="cloud", when=["yes"]))
    answers = {"cloud": said("no"), "region": said("eu")}
    assert [mark.question_id for mark in score(case(asked, answers)).themes[0].marks] == ["cloud"]


def test_with_every_follow_up_not_applicable_the_gate_stands_in_the_middle() -> None:
    gate = choice("cloud", option("yes", "0.2", "1"))
    asked = questionnaire(gate, choice("region", option("eu"), of="cloud", when=["yes"]))
    answers = {"cloud": said("yes"), "region": Answer(not_applicable="one region only", approved=True)}
    assert score(case(asked, answers)).themes[0].marks[0].raw == Decimal("0.6")


def test_a_theme_without_anything_to_assess_is_left_out() -> None:
    empty = questionnaire(choice("gone", option("a")), name="empty")
    answers = {**ANSWERS, "gone": Answer(not_applicable="not part of the service", approved=True)}
    both = score(case((BREACHES, empty), answers))
    alone = score(case(BREACHES, answers))
    assert both.themes[1].score is None
    assert both.effectiveness == alone.effectiveness


def test_with_nothing_to_assess_the_band_says_so() -> None:
    asked = questionnaire(choice("gone", option("a")))
    result = score(case(asked, {"gone": Answer(not_applicable="not part of the service", approved=True)}))
    assert (result.band, result.effectiveness, result.residual) == (RiskBand.NOT_ASSESSED, None, None)


def test_do_not_know_scores_as_unanswered_and_is_provisional() -> None:
    asked = questionnaire(choice("one", option("a"), option("z", "1", flag=FlagLevel.CRITICAL)))
    result = score(case(asked, {"one": Answer(unknown=True)}))
    assert result.themes[0].score == Pair(Decimal(0), Decimal(0))
    assert [flag.kind for flag in result.flags] == [FlagKind.UNANSWERED]
    assert result.provisional


def control(**changes: object) -> Control:
    whole = Control("one", "z", "Second system in front", "Li", TODAY + timedelta(days=90), "petra", "li")
    return replace(whole, **changes)  # type: ignore[arg-type]  # the fields vary with the test


def test_a_compensating_control_lowers_one_flag_by_one_level_and_no_risk() -> None:
    question = choice("one", option("a"), option("z", "1", flag=FlagLevel.CRITICAL))
    plain = case(questionnaire(question), {"one": said("z")})
    without, within = score(plain), score(replace(plain, controls=(control(),)))
    assert [flag.level for flag in within.flags] == [FlagLevel.HIGH]
    assert within.residual == without.residual


def test_a_control_that_has_run_out_lowers_nothing() -> None:
    question = choice("one", option("z", "1", flag=FlagLevel.CRITICAL))
    old = control(ends_on=TODAY - timedelta(days=1))
    result = score(replace(case(questionnaire(question), {"one": said("z")}), controls=(old,)))
    assert [flag.level for flag in result.flags] == [FlagLevel.CRITICAL]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"approved_by": "petra"}, "second person"),
        ({"evidence": " "}, "evidence"),
        ({"owner": ""}, "owner"),
        ({"ends_on": TODAY + timedelta(days=400)}, "twelve months"),
        ({"option": "a"}, "no flag"),
    ],
)
def test_a_control_is_refused_without_what_it_needs(changes: dict[str, object], reason: str) -> None:
    question = choice("one", option("a"), option("z", "1", flag=FlagLevel.CRITICAL))
    with pytest.raises(InvalidAnswer, match=reason):
        flags.check_control(question, control(**changes), on=TODAY)


def test_a_flag_that_cannot_be_waived_stays() -> None:
    hard = replace(option("z", "1", flag=FlagLevel.CRITICAL), non_waivable=True)
    question = choice("one", hard)
    with pytest.raises(InvalidAnswer, match="cannot be lowered"):
        flags.check_control(question, control(), on=TODAY)
    result = score(replace(case(questionnaire(question), {"one": said("z")}), controls=(control(),)))
    assert [flag.level for flag in result.flags] == [FlagLevel.CRITICAL]
