"""What must hold between the parts of a questionnaire, once each has its shape; for `schema.parse`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vendorrisk.domain import expressions, question_rules, schema_keys
from vendorrisk.domain.errors import Path, Problem
from vendorrisk.domain.question_rules import Found
from vendorrisk.domain.questionnaire import FollowUp, Option, Question, Questionnaire, QuestionType
from vendorrisk.domain.reading import unknown

_T = QuestionType
_FOLLOWABLE = frozenset({_T.YES_NO, _T.CHOICE, _T.CHOICES, _T.DECLARATION})


@dataclass(frozen=True, slots=True)
class Check:
    """A check of one question, with the keys that it reads: it is left out where one of them has no shape."""

    reads: tuple[str, ...]
    find: Callable[[Question, Questionnaire], Found]


def problems(questionnaire: Questionnaire, shape: Iterable[Problem]) -> Iterator[Problem]:
    """What does not fit together, given the problems of shape that were already found."""
    if len(questionnaire.questions) > schema_keys.MAX_QUESTIONS:
        yield Problem(("sections",), f"more than {schema_keys.MAX_QUESTIONS} questions")
        return
    yield from _used_twice(questionnaire)
    broken = _broken(shape)
    for path, question in places(questionnaire):
        for check in CHECKS:
            if not _touches(broken.get(path, set()), check.reads):
                for inside in check.find(question, questionnaire):
                    yield Problem((*path, *inside.path), inside.message, inside.at_key)


def places(questionnaire: Questionnaire) -> Iterator[tuple[Path, Question]]:
    """Every question with its path in the document."""
    for s, section in enumerate(questionnaire.sections):
        for q, question in enumerate(section.questions):
            yield ("sections", s, "questions", q), question


def _broken(shape: Iterable[Problem]) -> dict[Path, set[str]]:
    """For each question, what has no shape: `options.risk` for its third option's risk, "" for all of it."""
    broken: dict[Path, set[str]] = {}
    for problem in shape:
        if not problem.at_key:
            inside = ".".join(part for part in problem.path[4:] if isinstance(part, str))
            broken.setdefault(problem.path[:4], set()).add(inside)
    return broken


def _touches(broken: set[str], reads: tuple[str, ...]) -> bool:
    return any(b == "" or f"{read}.".startswith(f"{b}.") for b in broken for read in reads)


def _used_twice(questionnaire: Questionnaire) -> Found:
    sections = enumerate(questionnaire.sections)
    questions = list(places(questionnaire))
    yield from question_rules.repeats((("sections", n, "id"), section.id) for n, section in sections)
    yield from question_rules.repeats(((*path, "id"), question.id) for path, question in questions)
    yield from question_rules.repeats(((*path, "code"), question.code) for path, question in questions)


# Identity and visibility.


def _reserved(question: Question, _q: Questionnaire) -> Found:
    if question.id in expressions.RESERVED:
        yield Problem(("id",), f"{question.id!r} has a meaning in conditions; choose another id")


def _follow_up(question: Question, questionnaire: Questionnaire) -> Found:
    rule = question.follow_up
    if rule is None:
        return
    parent = questionnaire.by_id.get(rule.of)
    if parent is None:
        yield Problem(("follow_up", "of"), unknown("question", rule.of, list(questionnaire.by_id)))
    elif parent.type not in _FOLLOWABLE:
        message = f"{rule.of!r} is of type {parent.type.value!r}: only a question with options to tick"
        yield Problem(("follow_up", "of"), f"{message} can have follow-ups")
    else:
        yield from _follow_up_codes(rule, parent.options)


def _follow_up_codes(rule: FollowUp, options: tuple[Option, ...]) -> Found:
    codes = [option.code for option in options]
    for key, named in (("when", rule.when), ("unless", rule.unless)):
        for n, code in enumerate(named):
            if code and code not in codes:
                yield Problem(("follow_up", key, n), unknown(f"option of {rule.of!r}", code, codes))


def _show_if(question: Question, questionnaire: Questionnaire) -> Found:
    if question.show_if is None:
        return
    for message in expressions.problems(question.show_if, questionnaire.by_id):
        yield Problem(("show_if",), message)
    if question.is_scored and question.follow_up is None:
        # Else an answer could hide a question that the vendor would lose by, and raise the score.
        for name in sorted(_all_needed(question, questionnaire)):
            if questionnaire.by_id[name].is_scored and name != question.id:
                message = f"a scored question cannot be shown because of a scored one ({name!r})"
                yield Problem(("show_if",), message)


def _cycle(question: Question, questionnaire: Questionnaire) -> Found:
    if question.id in _all_needed(question, questionnaire):
        key = "follow_up" if question.follow_up else "show_if"
        yield Problem((key,), f"whether {question.id!r} is shown depends on itself, in a circle")


def _all_needed(question: Question, questionnaire: Questionnaire) -> set[str]:
    """Ids of all questions that decide, directly or through others, whether this one is shown."""
    found: set[str] = set()
    waiting = [question]
    while waiting:
        for name in _needed(waiting.pop()) - found:
            if name in questionnaire.by_id:
                found.add(name)
                waiting.append(questionnaire.by_id[name])
    return found


def _needed(question: Question) -> set[str]:
    of = {question.follow_up.of} if question.follow_up else set()
    return of | expressions.names(question.show_if) if question.show_if else of


CHECKS: tuple[Check, ...] = (
    Check(("id",), _reserved),
    Check(("options.code",), question_rules.option_codes),
    Check(("type", "options.code", "options.unknown", "grading", "bands"), question_rules.options_of_type),
    Check(("type", "options.exclusive", "options.flag", "options.non_waivable"), question_rules.option_marks),
    Check(("type", "weight", "options.risk", "bands"), question_rules.risks),
    Check(("factor", "options.points"), question_rules.points),
    Check(("type", "unit", "bands"), question_rules.unit),
    Check(("type", "number", "min", "max", "max_length", "pattern"), question_rules.limits),
    Check(("pattern",), question_rules.pattern),
    Check(("type", "options.code", "bands", "special"), question_rules.bands),
    Check(("type", "bands", "number", "min", "max"), question_rules.gaps),
    Check(("type", "columns.id", "columns.type", "columns.options", "columns.special"), question_rules.columns),
    Check(("options.code", "grading.full", "grading.part", "grading.none"), question_rules.grades),
    Check(("type", "columns.id", "columns.type", "grading", "max_rows"), question_rules.grading_of_rows),
    Check(("follow_up",), _follow_up),
    Check(("show_if",), _show_if),
    Check(("id", "follow_up", "show_if"), _cycle),
)
