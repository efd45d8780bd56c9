"""Contradiction rules are loaded, or refused with every mistake and its line."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest

from tests.library.files import GATE, with_questions
from vendorrisk.domain import rules_schema
from vendorrisk.domain.errors import CannotLoad
from vendorrisk.domain.questionnaire import FlagLevel
from vendorrisk.library import loader, rules
from vendorrisk.library.mistakes import BrokenFile

LIBRARY = loader.Library(
    MappingProxyType(
        {
            "broken": loader.load_text(
                with_questions(GATE, GATE.replace("gate", "door").replace("AB-01", "AB-02")), "broken.yaml"
            )
        }
    )
)
RULES = """\
version: "1.0"
rules:
  - id: C-02
    title: The gate and the door
    needs: [gate]
    each: [door]
    when: "gate == 'yes' && it == 'no'"
    affects: [gate, it]
    severity: high
    message: The gate does not fit {it}.
"""


def mistakes_in(text: str) -> list[str]:
    with pytest.raises(BrokenFile) as caught:
        rules.load_text(text, "r.yaml", LIBRARY)
    return [line.removeprefix("r.yaml:") for line in caught.value.lines]


def test_a_rule_is_read() -> None:
    (rule,) = rules.load_text(RULES, "r.yaml", LIBRARY).rules
    assert (rule.id, rule.needs, rule.each, rule.affects) == ("C-02", ("gate",), ("door",), ("gate", "it"))
    assert rule.severity is FlagLevel.HIGH


def test_what_is_kept_is_read_back_without_the_library() -> None:
    loaded = rules.load_text(RULES, "r.yaml", LIBRARY)
    assert rules_schema.parse_rules(rules_schema.rules_to_plain(loaded), None) == loaded


def test_a_folder_without_rules_has_none(tmp_path: Path) -> None:
    assert rules.load(tmp_path, LIBRARY).rules == ()


WHEN = "gate == 'yes' && it == 'no'"
BROKEN: dict[str, tuple[str, str, str]] = {
    "id": ("C-02", "C2", "3:9: 'C2' is not an id such as C-02"),
    "key": ("title:", "titel:", "4:5: unknown key 'titel' (did you mean 'title'?)"),
    "missing": ("    severity: high\n", "", "3:5: 'severity' is missing"),
    "severity": ("severity: high", "severity: hihg", "9:15: unknown severity 'hihg' (did you mean 'high'?)"),
    "needs a text": ("needs: [gate]", "needs: gate", "5:12: must be a list, not 'gate'"),
    "needs nothing": ("needs: [gate]", "needs: []", "5:12: has 0 entries; at least 1 are expected"),
    "needs the unknown": ("needs: [gate]", "needs: [gate, gaet]", "5:19: unknown question 'gaet' (did you mean"),
    "each unknown": ("each: [door]", "each: [doors]", "6:12: unknown question 'doors' (did you mean 'door'?)"),
    "affects unknown": ("[gate, it]", "[gates, it]", "8:15: unknown question 'gates' (did you mean 'gate'?)"),
    "needs it": ("needs: [gate]", "needs: [it]", "5:13: unknown question 'it'"),
    "not CEL": (WHEN, "gate ==", "7:11: the condition cannot be understood: mismatched input '<EOF>'"),
    "too long": (WHEN, f"gate == '{'x' * 500}'", "7:11: the condition has 510 characters; the most is 500"),
    "unknown name": (WHEN, "gaet == it", "7:11: unknown name 'gaet' (did you mean 'gate'?) in the condition"),
    "unknown function": (WHEN, "lower(gate) == it", "7:11: unknown function 'lower' in the condition"),
    "unknown number": (WHEN, "number.gaet == it", "7:11: unknown number of 'gaet' (did you mean 'gate'?)"),
    "unknown grade": (WHEN, "grade.gaet == it", "7:11: unknown grade of 'gaet' (did you mean 'gate'?)"),
    "unknown fact": (
        WHEN,
        "incident_facts.never_tolt && it == 'x'",
        "7:11: unknown incident_facts of 'never_tolt' (did you mean 'never_told'?)",
    ),
    "many loops": (WHEN, "gate" + ".all(i, true) && gate" * 4 + " == it", "7:11: the condition has 4 loops"),
    "it without each": ("    each: [door]\n", "", "6:11: 'it' has a meaning only in a rule with 'each'"),
    "it affected without each": ("    each: [door]\n", "", "7:14: 'it' has a meaning only in a rule with"),
    "it said without each": ("    each: [door]\n", "", "9:14: 'it' has a meaning only in a rule with 'each'"),
    "other braces": ("fit {it}", "fit {gate}", "10:14: '{gate}' is never filled in; only {it} is"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_said_with_its_line_and_column(name: str) -> None:
    line, instead, expected = BROKEN[name]
    assert line in RULES
    found = mistakes_in(RULES.replace(line, instead))
    assert any(mistake.startswith(expected) for mistake in found), found


def test_an_id_stands_for_one_rule() -> None:
    assert mistakes_in(RULES + RULES[RULES.index("  - id") :]) == ["11:9: 'C-02' is used twice"]


def test_all_mistakes_are_said_at_once() -> None:
    other = RULES[RULES.index("  - id") :].replace("C-02", "C-03").replace("[gate]", "[gaet]")
    assert len(mistakes_in(RULES.replace("severity: high", "severity: low") + other)) == 2


@pytest.mark.parametrize("plain", [None, [], {}, {"version": "1"}, {"version": "1", "rules": [None]}])
def test_any_plain_data_is_read_or_refused(plain: object) -> None:
    with pytest.raises(CannotLoad):
        rules_schema.parse_rules(plain, None)
