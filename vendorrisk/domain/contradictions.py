"""Contradiction rules: answers that cannot all be true, found by CEL; run before submitting and for scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from vendorrisk.domain import expressions, incident_facts, question_types
from vendorrisk.domain.answers import UNANSWERED, Answer, Answers, PartialDate, Table
from vendorrisk.domain.cel_library import cel
from vendorrisk.domain.conditions import CEL_FAILURES, cel_value, visible
from vendorrisk.domain.grading import chosen
from vendorrisk.domain.progress import has_value
from vendorrisk.domain.questionnaire import FlagLevel, Question, Questionnaire, QuestionType

ROUND = "it"
"""The name of the question of the round, in rules with `each`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `each` repeats it for every question named there; `needs` must be answered: silence fires nothing."""

    id: str
    title: str
    needs: tuple[str, ...]
    each: tuple[str, ...]
    when: str
    affects: tuple[str, ...]
    severity: FlagLevel
    message: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of one version."""

    version: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired. `key` is the rule's id, with the question's code where the rule has rounds.

    `inputs_hash` changes when any answer that the rule reads changes, so that a dismissal holds for these answers only.
    """

    key: str
    title: str
    severity: FlagLevel
    affects: tuple[str, ...]
    message: str
    inputs_hash: str

    @property
    def contradicts(self) -> bool:
        """Whether the affected answers count as contradicted; a medium rule is an inconsistency only."""
        return self.severity is not FlagLevel.MEDIUM


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> tuple[cel.Program, tuple[str, ...]]:
    program = cel.compile(expression)
    return program, tuple(program.variables())


def find(rules: RuleSet, questionnaires: Sequence[Questionnaire], answers: Answers, *, on: date) -> tuple[Hit, ...]:
    """The rules that fire on the visible answers, in the order of the file; `on` is today."""
    inputs = _Inputs(questionnaires, answers, on)
    return tuple(hit for rule in rules.rules for hit in _hits(rule, inputs))


def contradicted(hits: Iterable[Hit]) -> frozenset[str]:
    """Ids of the questions whose answers count as contradicted."""
    return frozenset(question for hit in hits if hit.contradicts for question in hit.affects)


def inconsistent(hits: Iterable[Hit]) -> frozenset[str]:
    """Ids of the questions that carry a medium flag for an inconsistency."""
    return frozenset(question for hit in hits if not hit.contradicts for question in hit.affects)


class _Inputs:
    """The visible answers, as rules see them."""

    def __init__(self, questionnaires: Sequence[Questionnaire], answers: Answers, on: date) -> None:
        self.on = on
        self.questions: dict[str, Question] = {q.id: q for questionnaire in questionnaires for q in questionnaire}
        shown = visible(questionnaires, answers)
        self.answers: dict[str, Answer] = {
            name: answer for name, answer in answers.items() if name in shown and has_value(answer)
        }

    def value(self, name: str) -> Any:
        """One question's answer: code, list of codes, text, rows; None where there is none."""
        question, answer = self.questions.get(name), self.answers.get(name, UNANSWERED)
        if question is None or answer.value is None:
            return None
        if question.type is QuestionType.TABLE and isinstance(answer.value, str):
            # A grade without rows (score command) says nothing about rows; only "none" does.
            return [] if question.grading and answer.value == question.grading.none else None
        if question.bands and isinstance(answer.value, Decimal | PartialDate):
            return next(iter(chosen(question, answer, self.answers, self.on)), None)
        return cel_value(answer.value)

    def numbers(self) -> dict[str, float | None]:
        """Every number question's figure, where a figure was given."""
        return {
            name: float(value) if isinstance(value := self.answers.get(name, UNANSWERED).value, Decimal) else None
            for name, question in self.questions.items()
            if question.type is QuestionType.NUMBER
        }

    def grades(self) -> dict[str, str | None]:
        """Every table's and file's grade."""
        return {
            name: next(iter(chosen(question, self.answers.get(name, UNANSWERED), self.answers, self.on)), None)
            for name, question in self.questions.items()
            if question.grading is not None
        }

    def incident_facts(self) -> dict[str, Any]:
        """Figures computed from the incident register."""
        value = self.answers.get(incident_facts.REGISTER, UNANSWERED).value
        return asdict(incident_facts.of(value if isinstance(value, Table) else Table(()), on=self.on))

    def digest(self, names: Iterable[str]) -> str:
        """SHA-256 over the answers to the named questions."""
        plain = {
            name: question_types.to_plain(self.questions[name], answer.value)
            for name in sorted(set(names))
            if (answer := self.answers.get(name)) is not None and answer.value is not None
        }
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


_COMPUTED = {"number": _Inputs.numbers, "grade": _Inputs.grades, "incident_facts": _Inputs.incident_facts}
"""What a rule may name besides questions."""


def _hits(rule: Rule, inputs: _Inputs) -> Iterable[Hit]:
    for current in rule.each or (None,):
        needed = (*rule.needs, current) if current else rule.needs
        if all(inputs.value(name) is not None for name in needed) and _fires(rule, inputs, current):
            yield _hit(rule, inputs, current)


@lru_cache(maxsize=1024)
def _reads(expression: str) -> frozenset[str]:
    """Ids of the questions that a condition reads, also through a figure, a grade or the incident register."""
    names = frozenset(_compiled(expression)[1])
    figures = expressions.members(expression, "number") | expressions.members(expression, "grade")
    register = {incident_facts.REGISTER} if "incident_facts" in names else set()
    return names | figures | register


def _fires(rule: Rule, inputs: _Inputs, current: str | None) -> bool:
    program, names = _compiled(rule.when)
    context = {
        name: _COMPUTED[name](inputs)
        if name in _COMPUTED
        else inputs.value(current if name == ROUND and current else name)
        for name in names
    }
    try:
        return program.execute(context) is True
    except CEL_FAILURES:
        # CEL cannot compare null: something that the rule reads was not answered, and silence fires nothing.
        return False


def _hit(rule: Rule, inputs: _Inputs, current: str | None) -> Hit:
    def named(name: str) -> str:
        return current if name == ROUND and current else name

    code = inputs.questions[current].code if current else ""
    read = {*rule.needs, *rule.affects, *_reads(rule.when)} - {ROUND}
    return Hit(
        key=f"{rule.id}/{code}" if code else rule.id,
        title=rule.title,
        severity=rule.severity,
        affects=tuple(named(name) for name in rule.affects if named(name) in inputs.answers),
        message=rule.message.replace("{it}", code),
        inputs_hash=inputs.digest([*read, *([current] if current else [])]),
    )
