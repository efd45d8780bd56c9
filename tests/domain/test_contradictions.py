"""What a contradiction says, what it does to the score, and for how long it may be set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain import answer_strategies
from tests.domain.contradicting import RULES, THEMES, hits
from tests.domain.contradiction_cases import EVENT, TOLD, register
from tests.domain.make import TODAY, by_code
from vendorrisk.domain import contradictions, submission
from vendorrisk.domain.answers import Answer, Answers, PartialDate, Table
from vendorrisk.domain.contradictions import Hit, Rule, RuleSet
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.flags import FlagKind
from vendorrisk.domain.question_types import read
from vendorrisk.domain.questionnaire import FlagLevel, Question, QuestionType
from vendorrisk.domain.scoring import Case, score


def test_a_round_names_its_question_in_key_message_and_what_it_affects() -> None:
    first, second = hits({"BH-02": "no", "BH-03": "listed", "BH-07": "listed"})
    assert (first.key, second.key) == ("C-02/BH-03", "C-02/BH-07")
    assert first.affects == ("breach_event", "outsider_view")
    assert "BH-03 says that one did" in first.message and "{it}" not in first.message


def test_only_answers_that_were_given_are_affected() -> None:
    (hit,) = hits({"DS-10": ["none"], "DS-14": "yes"})
    assert hit.affects == ("special_classes",)


def scored(plain: Mapping[str, object]) -> tuple[set[str], set[tuple[str, str, str]]]:
    """Ids of the contradicted answers, and the flags that rules have set."""
    case, _ = submission.with_rules(Case(THEMES, by_code(plain), Decimal(50), TODAY), RULES)
    marked = {name for name, answer in case.answers.items() if answer.contradicted}
    kinds = (FlagKind.CONTRADICTED, FlagKind.INCONSISTENT)
    return marked, {(f.question, f.level.value, f.kind.value) for f in score(case).flags if f.kind in kinds}


def test_a_medium_rule_sets_a_medium_flag_and_nothing_else() -> None:
    marked, flags = scored({"DS-03": Decimal("99"), "DS-02": "none"})
    assert marked == set()
    assert flags == {("DS-03", "medium", "inconsistent")}
    case = Case(THEMES, by_code({"DS-03": Decimal("99"), "DS-02": "none"}), Decimal(50), TODAY)
    judged, _ = submission.with_rules(case, RULES)
    assert score(judged).residual == score(case).residual


def test_a_high_rule_makes_the_answers_contradicted_with_their_worst_flag() -> None:
    marked, flags = scored({"BH-05": "no", "CL-24": "yes"})
    assert marked == {"customer_list_exposed", "list_exposed"}
    # CL-24 hides CL-25, whose worst option is critical.
    assert flags == {("BH-05", "high", "contradicted"), ("CL-24", "critical", "contradicted")}


def test_a_rule_never_clears_a_contradiction_that_is_already_there() -> None:
    answers = {"list_exposed": replace(by_code({"CL-24": "no"})["list_exposed"], contradicted=True)}
    case, found = submission.with_rules(Case(THEMES, answers, Decimal(50), TODAY), RULES)
    assert not found and case.answers["list_exposed"].contradicted


def only(plain: Mapping[str, object], rule: str) -> Hit:
    (hit,) = (hit for hit in hits(plain) if hit.key == rule)
    return hit


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("C-12", {"DS-01": ["web"], "DS-04": "no"}, {"DS-01": ["web", "lic"], "DS-04": "no"}),
        ("C-06", {**EVENT, "BH-13": register({"data_disclosure": "no"})},
         {**EVENT, "BH-13": register({"data_disclosure": "no", "title": "Other"})}),
        ("C-06", {**EVENT, "BH-13": register({"data_disclosure": "no"}), "BH-18": "tp"},
         {**EVENT, "BH-13": register({"data_disclosure": "no"}), "BH-18": "int"}),
        ("C-08a", {**TOLD, "BH-14": Decimal("1")}, {**TOLD, "BH-14": Decimal("0")}),
        ("C-20", {"CL-18": "cust", "CL-06": Decimal("60")}, {"CL-18": "cust", "CL-06": Decimal("61")}),
        ("C-02/BH-03", {"BH-02": "no", "BH-03": "listed", "CL-24": "yes"}, {"BH-02": "no", "BH-03": "listed"}),
    ],
)  # fmt: skip
def test_the_hash_of_a_hit_follows_what_the_rule_reads(
    rule: str, before: dict[str, object], after: dict[str, object]
) -> None:
    changed = only(before, rule).inputs_hash != only(after, rule).inputs_hash
    assert changed is (rule != "C-02/BH-03")  # CL-24 is none of its inputs


@pytest.mark.parametrize(
    "when", ["incident_facts.never_told", "grade.incident_register == 'part'", "number.days_to_tell > 1.0"]
)
def test_a_rule_that_reads_a_computed_figure_hashes_what_it_is_computed_from(when: str) -> None:
    rule = Rule("X-1", "x", ("breach_event",), (), when, ("breach_event",), FlagLevel.HIGH, "x")
    answers = by_code(
        {**EVENT, "BH-13": register({"customers_told_on": "not_told", "title": ""}), "BH-14": Decimal("5")}
    )
    other = {
        **answers,
        **by_code({
            "BH-13": register({"customers_told_on": "not_told", "title": "", "action_variety": "Phishing"}),
            "BH-14": Decimal("6"),
        }),
    }  # fmt: skip
    one, two = (contradictions.find(RuleSet("1", (rule,)), THEMES, each, on=TODAY) for each in (answers, other))
    assert one[0].inputs_hash != two[0].inputs_hash


def typed_answers(seed: int) -> Answers:
    """Random answers as forms give them: rows, figures and dates besides codes."""
    chance = Random(seed)
    found: dict[str, Answer] = {}
    for each in THEMES:
        for question in each:
            if chance.random() < 0.15:
                continue
            found[question.id] = answer_strategies.answer(question, chance)
            value = typed_value(question, chance)
            if value is not None:
                found[question.id] = replace(found[question.id], value=value, not_applicable=None, unknown=False)
    return found


def typed_value(question: Question, chance: Random) -> Table | Decimal | PartialDate | None:
    match question.type:
        case QuestionType.TABLE if chance.random() < 0.8:
            return random_table(question, chance)
        case QuestionType.NUMBER if chance.random() < 0.8:
            return Decimal(chance.choice(["0", "1", "2", "13", "50", "99", "100"]))
        case QuestionType.DATE if chance.random() < 0.8:
            return chance.choice([PartialDate(2026), PartialDate(2026, 2), PartialDate(2025, 6, 30)])
    return None


def random_table(question: Question, chance: Random) -> Table | None:
    """A table as the form reads it; None where the random row was empty."""
    bits = ["", "", "2026-01-05", "2025", "unknown", "not_told", "4", "https://example.com/", "Open bucket", "2027-01"]
    typed = {"rows": ["2"]}
    for number_ in range(2):
        for column in question.columns:
            codes = [o.code for o in (*column.options, *column.special)]
            typed[f"{number_}-{column.id}"] = [chance.choice(codes if codes and chance.random() < 0.8 else bits)]
    for name in list(typed):  # leave out what the form would refuse
        try:
            read(question, lambda field, one=name: typed[one] if field in (one, "rows") else [], on=TODAY)  # type: ignore[misc]
        except InvalidAnswer:
            typed[name] = []
    found = read(question, lambda field: typed.get(field, []), on=TODAY)
    return found if isinstance(found, Table) else None


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_no_answers_make_the_rules_fall_over(seed: int) -> None:
    answers = typed_answers(seed)
    found = contradictions.find(RULES, THEMES, answers, on=TODAY)
    case, again = submission.with_rules(Case(THEMES, answers, Decimal(50), TODAY), RULES)
    assert found == again
    score(case)
    for hit in found:
        assert len(hit.inputs_hash) == 64
        assert all(name in answers for name in hit.affects)
