"""Plain data to contradiction rules, or all that is wrong with them; and back, as the copy that is kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import fields
from itertools import islice
from typing import Any

from vendorrisk.domain import expressions, reading, schema_keys
from vendorrisk.domain.contradictions import ROUND, Rule, RuleSet
from vendorrisk.domain.errors import CannotLoad, Path, Problem
from vendorrisk.domain.incident_facts import IncidentFacts
from vendorrisk.domain.questionnaire import FlagLevel
from vendorrisk.domain.reading import MAX_PROBLEMS, Keys, Node, TooMany

RULE_KEYS = ("id", "title", "needs", "each", "when", "affects", "severity", "message")
COMPUTED = frozenset({"number", "grade", "incident_facts"})
"""What a condition may name besides questions and the question of the round."""
MAX_RULES = 500

_FACTS = frozenset(fact.name for fact in fields(IncidentFacts))
_rule_id = reading.matching("[A-Z]{1,4}-[0-9]{1,3}[a-z]?(-[A-Z0-9]{1,8})*", "an id such as C-02 or C-04-BH-06")
_version = reading.matching(schema_keys.VERSION, 'a version such as "1.0"')
_ids = reading.listed(reading.snake, "", at_least=1)


def parse_rules(plain: object, known_ids: Collection[str] | None) -> RuleSet:
    """The rules in plain data; `known_ids` are the questions that they may name.

    For a kept copy, whose questions were checked when it was kept, `known_ids` is None. Raises CannotLoad
    with every problem and its path. `parse_rules(rules_to_plain(r), None) == r`.
    """
    problems: list[Problem] = []
    try:
        rules = _read(Node(plain, (), problems))
    except TooMany:
        raise CannotLoad(problems) from None
    broken = {problem.path[:2] for problem in problems}
    problems += islice(_problems(rules, broken, known_ids), MAX_PROBLEMS)
    if problems:
        raise CannotLoad(problems)
    return rules


def rules_to_plain(rules: RuleSet) -> dict[str, Any]:
    """The rules as JSON, in the shape of the YAML file."""
    return {"version": rules.version, "rules": [_rule_to_plain(rule) for rule in rules.rules]}


def _rule_to_plain(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "needs": list(rule.needs),
        **({"each": list(rule.each)} if rule.each else {}),
        "when": rule.when,
        "affects": list(rule.affects),
        "severity": rule.severity.value,
        "message": rule.message,
    }


def _read(node: Node) -> RuleSet:
    keys = node.read(lambda top: top.keys(("version", "rules"), ("version", "rules")), Keys(node, {}))
    nothing = Rule("", "", (), (), "", (), FlagLevel.MEDIUM, "")
    rules = reading.listed(_rule, nothing, at_most=MAX_RULES)
    return RuleSet(keys.read("version", _version, ""), keys.read("rules", rules, ()))


def _rule(node: Node) -> Rule:
    keys = node.keys(RULE_KEYS, [key for key in RULE_KEYS if key != "each"])
    return Rule(
        id=keys.read("id", _rule_id, ""),
        title=keys.read("title", reading.string, ""),
        needs=keys.read("needs", _ids, ()),
        each=keys.read("each", _ids, ()),
        when=keys.read("when", reading.string, ""),
        affects=keys.read("affects", _ids, ()),
        severity=keys.read("severity", reading.word(FlagLevel, "severity"), FlagLevel.MEDIUM),
        message=keys.read("message", reading.string, ""),
    )


def _problems(rules: RuleSet, broken: Collection[Path], known: Collection[str] | None) -> Iterator[Problem]:
    seen: set[str] = set()
    for n, rule in enumerate(rules.rules):
        path: Path = ("rules", n)
        if rule.id and rule.id in seen:
            yield Problem((*path, "id"), f"{rule.id!r} is used twice")
        seen.add(rule.id)
        if path not in broken and ("rules",) not in broken:
            inside = [*_round(rule), *_message(rule), *(_names(rule, known) if known is not None else ())]
            yield from (Problem((*path, *p.path), p.message, p.at_key) for p in inside)


def _round(rule: Rule) -> Iterator[Problem]:
    uses = {"when": ROUND in expressions.names(rule.when), "affects": ROUND in rule.affects}
    for key, is_used in (*uses.items(), ("message", "{it}" in rule.message)):
        if is_used and not rule.each:
            yield Problem((key,), "'it' has a meaning only in a rule with 'each'")


def _message(rule: Rule) -> Iterator[Problem]:
    for braces in re.findall(r"\{[^}]*\}?|\}", rule.message):
        if braces != "{it}":
            yield Problem(("message",), f"{braces[:40]!r} is never filled in; only {{it}} is")


def _names(rule: Rule, known: Collection[str]) -> Iterator[Problem]:
    for key, named in (("needs", rule.needs), ("each", rule.each), ("affects", rule.affects)):
        for n, name in enumerate(named):
            if name not in known and (key, name) != ("affects", ROUND):
                yield Problem((key, n), reading.unknown("question", name, known))
    for message in expressions.problems(rule.when, {*known, *COMPUTED, ROUND}):
        yield Problem(("when",), message)
    for variable, members in (("number", known), ("grade", known), ("incident_facts", _FACTS)):
        for name in sorted(expressions.members(rule.when, variable) - set(members)):
            yield Problem(("when",), reading.unknown(f"{variable} of", name, members))
