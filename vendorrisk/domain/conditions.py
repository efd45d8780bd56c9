"""Which questions are visible: follow-ups as closures, `show_if` in CEL; compiled once per questionnaire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vendorrisk.domain.answers import Answer, Answers, PartialDate, Signature, Table, Value
from vendorrisk.domain.cel_library import cel
from vendorrisk.domain.questionnaire import FollowUp, Question, Questionnaire

Test = Callable[[Answers, set[str]], bool]

CEL_FAILURES = (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError)
"""What CEL raises where a condition cannot be worked out: null compared, a list too short, a division by zero."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What decides over a questionnaire's questions: `always` are asked of everybody, `tests` decide over the others.

    Parents come before their follow-ups. `gates` are the questions whose answers the tests read.
    """

    always: frozenset[str]
    tests: tuple[tuple[str, Test], ...]
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
        for question_id, test in compiled.tests:
            if test(answers, shown):
                shown.add(question_id)
    return frozenset(shown)


def gates(questionnaires: Sequence[Questionnaire]) -> frozenset[str]:
    """Ids of the questions whose answers decide over others: `visible` needs no more answers than these."""
    return frozenset().union(*(plan(questionnaire).gates for questionnaire in questionnaires))


@lru_cache(maxsize=256)
def plan(questionnaire: Questionnaire) -> Plan:
    """The compiled visibility tests."""
    needs = {question.id: depends_on(question) for question in questionnaire}
    return Plan(
        frozenset(name for name, needed in needs.items() if not needed),
        tuple((question.id, _test(question)) for question in in_order(questionnaire) if needs[question.id]),
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


def _test(question: Question) -> Test:
    tests = [_follow_up_test(question.follow_up)] if question.follow_up else []
    if question.show_if:
        tests.append(_cel_test(question.show_if))
    if not tests:
        return _always
    if len(tests) == 1:
        return tests[0]
    return lambda answers, shown: all(test(answers, shown) for test in tests)


def _always(answers: Answers, shown: set[str]) -> bool:
    return True


def _follow_up_test(follow_up: FollowUp) -> Test:
    parent, codes, wanted = follow_up.of, frozenset(follow_up.when or follow_up.unless), bool(follow_up.when)

    def test(answers: Answers, shown: set[str]) -> bool:
        answer = answers.get(parent)
        if answer is None or answer.value is None or parent not in shown:
            return False
        return any((code in codes) is wanted for code in ticked(answer))

    return test


def ticked(answer: Answer) -> tuple[str, ...]:
    """The option codes of an answer as given, before any grading."""
    if isinstance(answer.value, Signature):
        return ("yes",)
    if isinstance(answer.value, str):
        return (answer.value,)
    return answer.value if isinstance(answer.value, tuple) else ()


def _cel_test(expression: str) -> Test:
    program = cel.compile(expression)
    names = tuple(program.variables())

    def test(answers: Answers, shown: set[str]) -> bool:
        given = {name: cel_value(answers[name].value) if name in shown and name in answers else None for name in names}
        try:
            return program.execute(given) is True
        except CEL_FAILURES:  # CEL cannot compare null: a condition on a question without an answer is not met
            return False

    return test


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
