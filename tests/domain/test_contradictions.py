"""The shipped contradiction rules: what each finds, what it leaves alone, and that silence never fires one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain import answer_strategies
from tests.domain.make import TODAY, asked, by_code, themes
from vendorrisk.cli.demo import cases as told_cases
from vendorrisk.domain import contradictions, submission
from vendorrisk.domain.answers import Answer, Answers, PartialDate, Row, Table
from vendorrisk.domain.contradictions import Hit, Rule, RuleSet
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.flags import FlagKind
from vendorrisk.domain.question_types import read
from vendorrisk.domain.questionnaire import FlagLevel, Question, QuestionType
from vendorrisk.domain.scoring import Case, score
from vendorrisk.library import shipped

RULES = shipped.load().rules
THEMES = themes()

EVENT: dict[str, object] = {"BH-02": "yes"}
ROW: Row = {
    "title": "Client list taken", "security_incident": "confirmed", "compromised_on": "2026-01-01",
    "discovered_on": "2026-01-10", "contained_on": "2026-01-11", "customers_told_on": "2026-01-12",
    "action": ("hacking",), "actor": ("external",), "data_disclosure": "yes",
    "relationship_data": ("relationship",), "customers_affected_share": "100",
}  # fmt: skip
SOURCES: Row = {"name": "Register", "owner": "public", "method": "api"}


def rows(code: str, usual: Row, changed: Sequence[Row]) -> Table:
    blank: Row = {c.id: () if c.type.value == "choices" else "" for c in asked(code).columns}
    return Table(tuple({**blank, **usual, **change} for change in changed))


def register(*changed: Row) -> Table:
    """An incident register with one row for each change of the usual row."""
    return rows("BH-13", ROW, changed)


def sources(*changed: Row) -> Table:
    return rows("DS-02", SOURCES, changed)


def hits(plain: Mapping[str, object]) -> tuple[Hit, ...]:
    return contradictions.find(RULES, THEMES, by_code(plain), on=TODAY)


def keys(plain: Mapping[str, object]) -> set[str]:
    return {hit.key for hit in hits(plain)}


def number(text: str) -> Decimal:
    return Decimal(text)


TOLD = {**EVENT, "BH-13": register({})}  # two days from discovery to telling
SOFT = register({"data_disclosure": "no", "relationship_data": ("none",), "customers_affected_share": "0"})

# For each rule answers on which it fires, and answers, as near to them as can be, on which it does not.
FIRING: dict[str, list[tuple[dict[str, object], dict[str, object]]]] = {
    "C-02": [
        ({"BH-02": "no", "BH-03": "listed"}, {"BH-02": "yes", "BH-03": "listed"}),
        ({"BH-02": "no", "BH-11": "listed"}, {"BH-02": "no", "BH-11": "unl"}),
        ({"BH-02": "no", "BH-10": "listed"}, {"BH-02": "unk", "BH-10": "listed"}),
    ],
    "C-03": [({**EVENT, "BH-13": "none"}, {**EVENT, "BH-13": register({})}), ({**EVENT, "BH-13": "none"}, EVENT)],
    "C-04-BH-03": [({**EVENT, "BH-03": "listed", "BH-13": SOFT}, {**TOLD, "BH-03": "listed"})],
    "C-04-BH-04": [
        ({**TOLD, "BH-04": "listed"}, {**EVENT, "BH-04": "listed", "BH-13": register({"hosting": "external"})}),
        ({**TOLD, "BH-04": "listed"}, {**EVENT, "BH-04": "listed", "BH-13": register({"actor": ("partner",)})}),
        ({**TOLD, "BH-04": "listed"}, {**EVENT, "BH-04": "listed", "BH-13": register({"subprocessor": "Postway"})}),
        ({**TOLD, "BH-04": "listed"}, {**TOLD, "BH-04": "no"}),
    ],
    "C-04-BH-05": [
        (
            {**EVENT, "BH-05": "listed", "BH-13": register({"relationship_data": ("none",)})},
            {**TOLD, "BH-05": "listed"},
        ),
        ({**EVENT, "BH-05": "listed", "BH-13": register({"relationship_data": ()})}, {**TOLD, "BH-05": "listed"}),
    ],
    "C-04-BH-06": [
        ({**TOLD, "BH-06": "listed"}, {**EVENT, "BH-06": "listed", "BH-13": register({"action": ("error",)})}),
        ({**TOLD, "BH-06": "listed"}, {**EVENT, "BH-06": "listed", "BH-13": register({"title": "Open bucket"})}),
    ],
    "C-04-BH-07": [({**EVENT, "BH-07": "listed", "BH-13": SOFT}, {**TOLD, "BH-07": "listed"})],
    "C-04-BH-08": [
        ({**TOLD, "BH-08": "listed"}, {**EVENT, "BH-08": "listed", "BH-13": register({"action": ("misuse",)})}),
        ({**TOLD, "BH-08": "listed"}, {**EVENT, "BH-08": "listed", "BH-13": register({"actor": ("internal",)})}),
    ],
    "C-04-BH-09": [
        (
            {**TOLD, "BH-09": "listed"},
            {**EVENT, "BH-09": "listed", "BH-13": register({"discovery_method": "security_researcher"})},
        )
    ],
    "C-04-BH-10": [
        (
            {**EVENT, "BH-10": "listed", "BH-13": register({"actor": ("internal",)})},
            {**TOLD, "BH-10": "listed"},
        )
    ],
    "C-04-BH-11": [
        ({**TOLD, "BH-11": "listed"}, {**EVENT, "BH-11": "listed", "BH-13": register({"action": ("physical",)})})
    ],
    "C-05": [
        ({"BH-05": "no", "CL-24": "yes"}, {"BH-05": "listed", "CL-24": "yes"}),
        ({"BH-05": "listed", "CL-24": "no"}, {"BH-05": "no", "CL-24": "no"}),
        ({"BH-05": "no", "CL-24": "yes"}, {"BH-05": "unk", "CL-24": "yes"}),
    ],
    "C-06": [
        (
            {**EVENT, "BH-13": register({"data_disclosure": "no", "relationship_data": ("none",)})},
            {**EVENT, "BH-13": SOFT},
        ),
        (
            {**EVENT, "BH-13": register({"data_disclosure": "no", "customers_affected_share": "0"})},
            {**EVENT, "BH-13": register({"data_disclosure": "potentially", "customers_affected_share": "0"})},
        ),
    ],
    "C-07": [
        ({**EVENT, "BH-13": register({"discovered_on": "2025-12-31"})}, TOLD),
        ({**EVENT, "BH-13": register({"contained_on": "2026-01-09"})}, TOLD),
        ({**EVENT, "BH-13": register({"customers_told_on": "2026-01-09"})}, TOLD),
        ({**EVENT, "BH-13": register({"customers_told_on": "2026-07"})}, TOLD),
        (
            {**EVENT, "BH-13": register({"discovered_on": "2025-12"})},
            {**EVENT, "BH-13": register({"discovered_on": "2026"})},
        ),
    ],
    "C-08a": [
        ({**TOLD, "BH-14": number("1")}, {**TOLD, "BH-14": number("2")}),
        (
            {**TOLD, "BH-14": number("1")},
            {**EVENT, "BH-13": register({"discovered_on": "2026-01"}), "BH-14": number("0")},  # the 12th, read kindly
        ),
        (
            {**EVENT, "BH-13": register({"customers_told_on": "not_told"}), "BH-14": number("2")},
            {**EVENT, "BH-13": register({"customers_told_on": "not_told"}), "BH-14": "never"},
        ),
        (
            {**EVENT, "BH-13": register({"customers_told_on": "not_told"}), "BH-14": number("2")},
            {
                **EVENT,
                "BH-13": register({}, {"customers_told_on": "not_told", "security_incident": "near_miss"}),
                "BH-14": number("2"),
            },
        ),
    ],
    "C-08b": [
        ({**TOLD, "BH-14": number("3")}, {**TOLD, "BH-14": number("2")}),
        ({**TOLD, "BH-14": "never"}, {**EVENT, "BH-13": register({"customers_told_on": "not_told"}), "BH-14": "never"}),
        (
            {**TOLD, "BH-14": number("30")},
            {**EVENT, "BH-13": register({}, {"discovered_on": "unknown"}), "BH-14": number("30")},
        ),
    ],
    "C-09a": [
        ({**EVENT, "BH-18": "tp", "BH-30": number("0.5")}, {**EVENT, "BH-18": "tp", "BH-30": number("1")}),
        ({**EVENT, "BH-18": "int", "BH-30": "d"}, {**EVENT, "BH-18": "assert", "BH-30": "d"}),
    ],
    "C-09b": [
        (
            {**EVENT, "BH-13": register({"compromised_on": "2025-01-01"}), "BH-18": "tp", "BH-30": number("12")},
            {**EVENT, "BH-13": register({"compromised_on": "2025-01-01"}), "BH-18": "tp", "BH-30": number("13")},
        )
    ],
    "C-10": [
        (
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "customer"})},
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-12", "discovery_method": "customer"})},
        ),
        (
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "customer"})},
            {**EVENT, "BH-20": "same", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "customer"})},
        ),
        (
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "customer"})},
            {**EVENT, "BH-20": "us", "BH-13": register({"public_on": "2026-01-11", "discovery_method": "internal"})},
        ),
    ],
    "C-12": [
        ({"DS-01": ["web"], "DS-04": "no"}, {"DS-01": ["web"], "DS-04": "yes"}),
        ({"DS-01": ["lic", "social"], "DS-04": "no"}, {"DS-01": ["lic", "broker"], "DS-04": "no"}),
    ],
    "C-13": [
        (
            {"DS-01": ["lic", "cust"], "DS-02": sources({}, {"method": "crawl"})},
            {"DS-01": ["lic", "web"], "DS-02": sources({}, {"method": "crawl"})},
        ),
        ({"DS-01": ["open"], "DS-02": sources({"method": "crawl"})}, {"DS-01": ["open"], "DS-02": sources({})}),
    ],
    "C-14": [
        ({"DS-10": ["none"], "DS-12": "cons"}, {"DS-10": ["none"], "DS-12": "no"}),
        ({"DS-10": ["none"], "DS-14": "yes"}, {"DS-10": ["bio"], "DS-14": "yes"}),
    ],
    "C-15": [
        (
            {"DS-14": "no", "DS-01": ["web"], "DS-12": "nocons", "DS-10": ["bio"]},
            {"DS-14": "no", "DS-01": ["lic"], "DS-12": "nocons", "DS-10": ["bio"]},
        ),
        (
            {"DS-14": "no", "DS-01": ["social"], "DS-12": "cons", "DS-10": ["bio", "kids"]},
            {"DS-14": "unk", "DS-01": ["social"], "DS-12": "cons", "DS-10": ["bio", "kids"]},
        ),
    ],
    "C-17": [
        (
            {"DS-03": number("99"), "DS-02": "none"},
            {"DS-03": number("98.9"), "DS-02": "none"},
        ),
        (
            {"DS-01": ["open"], "DS-03": number("100"), "DS-02": sources({})},
            {
                "DS-01": ["open"],
                "DS-03": number("100"),
                "DS-02": sources({c.id: "x" for c in asked("DS-02").columns}
                                 | {"first_collected": "2020", "last_collected": "2021"}),
            },
        ),
    ],
    "C-19": [
        ({"CL-02": ["none"], "CL-03": "optout"}, {"CL-02": ["none"], "CL-03": "cons"}),
        ({"CL-02": ["none"], "CL-23": "pd"}, {"CL-02": ["trial"], "CL-23": "pd"}),
        ({"CL-02": ["none"], "BH-28": ["rel"]}, {"CL-02": ["none"], "BH-28": ["sub"]}),
    ],
    "C-20": [
        ({"CL-18": "cust", "CL-19": "yes"}, {"CL-18": "cust", "CL-19": "abuse"}),
        ({"CL-18": "cust", "CL-06": number("50.1")}, {"CL-18": "cust", "CL-06": "d"}),
        ({"CL-18": "cust", "CL-06": number("50.1")}, {"CL-18": "bg", "CL-06": number("50.1")}),
    ],
}  # fmt: skip
CASES = [(rule, *pair) for rule, pairs in FIRING.items() for pair in pairs]


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
    register_without_rows = {"BH-02": "no", "BH-13": "none", "BH-14": number("1")}
    assert keys(register_without_rows) == set()
    assert "C-08a" not in keys({**TOLD, "BH-02": "no", "BH-14": number("1")})


def test_a_round_names_its_question_in_key_message_and_what_it_affects() -> None:
    first, second = hits({"BH-02": "no", "BH-03": "listed", "BH-07": "listed"})
    assert (first.key, second.key) == ("C-02/BH-03", "C-02/BH-07")
    assert first.affects == ("breach_event", "outsider_view")
    assert "BH-03 says that one did" in first.message and "{it}" not in first.message


def test_only_answers_that_were_given_are_affected() -> None:
    (hit,) = hits({"DS-10": ["none"], "DS-14": "yes"})
    assert hit.affects == ("special_classes",)


# What a hit does to the score.


def scored(plain: Mapping[str, object]) -> tuple[set[str], set[tuple[str, str, str]]]:
    """Ids of the contradicted answers, and the flags that rules have set."""
    case, _ = submission.with_rules(Case(THEMES, by_code(plain), Decimal(50), TODAY), RULES)
    marked = {name for name, answer in case.answers.items() if answer.contradicted}
    kinds = (FlagKind.CONTRADICTED, FlagKind.INCONSISTENT)
    return marked, {(f.question, f.level.value, f.kind.value) for f in score(case).flags if f.kind in kinds}


def test_a_medium_rule_sets_a_medium_flag_and_nothing_else() -> None:
    marked, flags = scored({"DS-03": number("99"), "DS-02": "none"})
    assert marked == set()
    assert flags == {("DS-03", "medium", "inconsistent")}
    case = Case(THEMES, by_code({"DS-03": number("99"), "DS-02": "none"}), Decimal(50), TODAY)
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


# A dismissal holds for these answers only.


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
        ("C-08a", {**TOLD, "BH-14": number("1")}, {**TOLD, "BH-14": number("0")}),
        ("C-20", {"CL-18": "cust", "CL-06": number("60")}, {"CL-18": "cust", "CL-06": number("61")}),
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
        {**EVENT, "BH-13": register({"customers_told_on": "not_told", "title": ""}), "BH-14": number("5")}
    )
    other = {
        **answers,
        **by_code({
            "BH-13": register({"customers_told_on": "not_told", "title": "", "action_variety": "Phishing"}),
            "BH-14": number("6"),
        }),
    }  # fmt: skip
    one, two = (contradictions.find(RuleSet("1", (rule,)), THEMES, each, on=TODAY) for each in (answers, other))
    assert one[0].inputs_hash != two[0].inputs_hash


# Nothing that a vendor may say makes the rules fall over.


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


# The two vendors of the demonstration tell no lies that the rules could see.


@pytest.mark.parametrize(("name", "on"), [("clearview", date(2020, 3, 1)), ("larkfield", TODAY)])
def test_the_two_known_vendors_contradict_themselves_nowhere(name: str, on: date) -> None:
    told = told_cases.told(name, THEMES, today=on)
    answers = {one.question.id: Answer(one.value or one.files or None) for one in told}
    assert contradictions.find(RULES, THEMES, answers, on=on) == ()
