"""Which questions are visible: follow-ups by look-up, `show_if` in CEL; compiled once per questionnaire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vendorrisk.domain.answers import Answer, Answers, PartialDate, Signature, Table, Value
from vendorrisk.domain.cel_library import cel
from vendorrisk.domain.questionnaire import FollowUp, Question, Questionnaire

Step = Callable[[Answers, set[str]], frozenset[str]]
"""Given the answers and what is shown so far: ids of questions that are visible too."""
NOTHING: frozenset[str] = frozenset()

CEL_FAILURES = (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError)
"""What CEL raises where a condition cannot be worked out: null compared, a list too short, a division by zero."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What decides over a questionnaire's questions: `always` are asked of everybody, `steps` decide over the others.

    Each question is decided over before what depends on it. `gates` are the questions whose answers the steps read.
    """

    always: frozenset[str]
    steps: tuple[Step, ...]
    gates: frozenset[str]


def visible(questionnaires: Sequence[Questionnaire], answers: Answers) -> frozenset[str]:
    """Ids of the visible questions of all the questionnaires.

    A follow-up is visible while its parent is visible and has a value ("not applicable" and "do not know" are none, a
    contradicted value is one).
    """
    shown: set[str] = set()
    for questionnaire in questionnaires:
        compiled = plan(questionnaire)
        shown |= compiled.always
        for step in compiled.steps:
            shown |= step(answers, shown)
    return frozenset(shown)


def gates(questionnaires: Sequence[Questionnaire]) -> frozenset[str]:
    """Ids of the questions whose answers decide over others: `visible` needs no more answers than these."""
    return frozenset().union(*(plan(questionnaire).gates for questionnaire in questionnaires))


@lru_cache(maxsize=256)
def plan(questionnaire: Questionnaire) -> Plan:
    """What decides over the questions, compiled."""
    needs = {question.id: depends_on(question) for question in questionnaire}
    return Plan(
        frozenset(name for name, needed in needs.items() if not needed),
        tuple(step for question in in_order(questionnaire) for step in _steps(question, questionnaire)),
        frozenset().union(*needs.values()),
    )


def in_order(questionnaire: Questionnaire) -> tuple[Question, ...]:
    """The questions with every parent, and every question that a `show_if` reads, before what depends on it."""
    done: dict[str, Question] = {}

    def add(question: Question) -> None:
        if question.id in done:
            return
        for needed in depends_on(question):
            if needed in questionnaire.by_id:
                add(questionnaire.by_id[needed])
        done[question.id] = question

    for question in questionnaire:
        add(question)
    return tuple(done.values())


def depends_on(question: Question) -> frozenset[str]:
    """Ids of the questions that decide whether this one is visible."""
    needed = {question.follow_up.of} if question.follow_up else set()
    if question.show_if:
        needed |= set(cel.compile(question.show_if).variables())
    return frozenset(needed)


def _steps(question: Question, questionnaire: Questionnaire) -> Iterator[Step]:
    """Deciding over one question by its `show_if`, then over all its follow-ups that have none."""
    if question.show_if:
        yield _cel_step(question, question.show_if)
    if followers := [each for each in questionnaire.children.get(question.id, ()) if not each.show_if]:
        yield _gate_step(question.id, followers)


def _gate_step(gate: str, followers: Iterable[Question]) -> Step:
    rules = {each.id: each.follow_up for each in followers if each.follow_up}
    codes = {code for rule in rules.values() for code in (*rule.when, *rule.unless)}
    shown_by = {code: frozenset(name for name, rule in rules.items() if _shows(rule, code)) for code in codes}
    otherwise = frozenset(name for name, rule in rules.items() if not rule.when)

    def step(answers: Answers, shown: set[str]) -> frozenset[str]:
        answer = answers.get(gate)
        if answer is None or gate not in shown:
            return NOTHING
        return NOTHING.union(*[shown_by.get(code, otherwise) for code in ticked(answer)])

    return step


def _shows(rule: FollowUp, code: str) -> bool:
    return code in rule.when if rule.when else code not in rule.unless


def ticked(answer: Answer) -> tuple[str, ...]:
    """The option codes of an answer as given, before any grading."""
    value = answer.value
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Signature):
        return ("yes",)
    return value if isinstance(value, tuple) else ()


def _cel_step(question: Question, expression: str) -> Step:
    program = cel.compile(expression)
    names = tuple(program.variables())
    mine = frozenset([question.id])
    follows = _gate_step(question.follow_up.of, [question]) if question.follow_up else None

    def step(answers: Answers, shown: set[str]) -> frozenset[str]:
        if follows and not follows(answers, shown):
            return NOTHING
        given = {name: cel_value(answers[name].value) if name in shown and name in answers else None for name in names}
        try:
            return mine if program.execute(given) is True else NOTHING
        except CEL_FAILURES:  # CEL cannot compare null: a condition on a question without an answer is not met
            return NOTHING

    return step


def cel_value(value: Value | None) -> Any:
    """A value as CEL sees it: codes and texts as strings, several as a list, numbers as doubles, tables as rows."""
    if isinstance(value, Table):
        return [
            {key: list(cell) if isinstance(cell, tuple) else cell for key, cell in row.items()} for row in value.rows
        ]
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Signature):
        return "yes"
    if isinstance(value, PartialDate):
        return str(value)
    return value if value is None or isinstance(value, str) else float(value)
