"""Flags: what an answer sets off in itself, the lowest band that open flags allow, and compensating controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from vendorrisk.domain.bands import RiskBand
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.progress import AnswerState
from vendorrisk.domain.questionnaire import FlagLevel, Option, Question, Questionnaire

CONTROL_DAYS = 366
"""A compensating control ends within twelve months."""


class FlagKind(StrEnum):
    """Why a flag is up."""

    ANSWER = "answer"
    UNANSWERED = "unanswered"
    CONTRADICTED = "contradicted"
    NOT_APPLICABLE = "not_applicable"
    INCONSISTENT = "inconsistent"

    __hash__ = str.__hash__  # Enum's own is written in Python


@dataclass(frozen=True, slots=True)
class Flag:
    """One open flag. `option` is the ticked option that carries it, None where the worst possible one is assumed.

    `lowered` tells that a compensating control has brought it down by one level.
    """

    question_id: str
    question: str
    option: str | None
    level: FlagLevel
    kind: FlagKind
    lowered: bool = False


@dataclass(frozen=True, slots=True)
class Control:
    """A compensating control: lowers one flag by one level until `ends_on`; `approved_by` is a second person."""

    question_id: str
    option: str
    evidence: str
    owner: str
    ends_on: date
    by: str
    approved_by: str


def worst_flags(questionnaire: Questionnaire) -> Mapping[str, FlagLevel | None]:
    """For each question id the worst flag among its own options and those of all its descendants."""
    found: dict[str, FlagLevel | None] = {}

    def worst(question: Question) -> FlagLevel | None:
        if question.id not in found:
            own = [option.flag for option in question.options]
            below = [worst(child) for child in questionnaire.children.get(question.id, ())]
            levels = [level for level in (*own, *below) if level is not None]
            found[question.id] = max(levels, key=lambda level: level.severity, default=None)
        return found[question.id]

    return {question.id: worst(question) for question in questionnaire}


def of_question(
    question: Question,
    state: AnswerState,
    ticked: Sequence[Option],
    contradicted: bool,
    *,
    hidden: FlagLevel | None,
    is_gate: bool,
) -> tuple[Flag, ...]:
    """Step 8: the flags of the ticked options; where silence could hide one, the worst (`hidden`)."""
    if contradicted:
        return _assumed(question, hidden, FlagKind.CONTRADICTED)
    if state in _KINDS:
        return _assumed(question, hidden, _KINDS[state])
    unknown = next((option for option in ticked if option.unknown), None)
    if is_gate and unknown is not None:
        return _assumed(question, hidden, FlagKind.ANSWER, unknown.code)
    flagged = [(option.code, option.flag) for option in ticked if option.flag is not None]
    return tuple(Flag(question.id, question.code, code, level, FlagKind.ANSWER) for code, level in flagged)


_KINDS = {
    AnswerState.UNANSWERED: FlagKind.UNANSWERED,
    AnswerState.UNKNOWN: FlagKind.UNANSWERED,
    AnswerState.NA_PENDING: FlagKind.NOT_APPLICABLE,
}
"""The states in which the worst is assumed."""


def _assumed(
    question: Question, level: FlagLevel | None, kind: FlagKind, option: str | None = None
) -> tuple[Flag, ...]:
    return () if level is None else (Flag(question.id, question.code, option, level, kind),)


def inconsistent(question: Question) -> Flag:
    """The flag of a question that a contradiction rule of severity medium names."""
    return Flag(question.id, question.code, None, FlagLevel.MEDIUM, FlagKind.INCONSISTENT)


_LOWER = {FlagLevel.CRITICAL: FlagLevel.HIGH, FlagLevel.HIGH: FlagLevel.MEDIUM, FlagLevel.MEDIUM: None}


def check_control(question: Question, control: Control, *, on: date) -> None:
    """Raise InvalidAnswer unless the control may lower a flag of this question's option (scoring step 9)."""
    option = question.option(control.option)
    if option is None or option.flag is None:
        raise InvalidAnswer(f"{question.code}: {control.option!r} carries no flag.")
    if option.non_waivable:
        raise InvalidAnswer(f"{question.code}: the flag on “{option.label}” cannot be lowered.")
    if not control.evidence.strip() or not control.owner.strip():
        raise InvalidAnswer("A compensating control needs evidence and an owner.")
    if control.by == control.approved_by:
        raise InvalidAnswer("A second person has to approve a compensating control.")
    if not 0 < (control.ends_on - on).days <= CONTROL_DAYS:
        raise InvalidAnswer("A compensating control ends within twelve months.")


def lower(flags: Iterable[Flag], controls: Iterable[Control], questions: Iterable[Question], *, on: date) -> list[Flag]:
    """Step 9: lower each flag of kind "answer" that a control still in force names; by one level, once."""
    in_force = {(control.question_id, control.option) for control in controls if control.ends_on >= on}
    in_force -= {(q.id, option.code) for q in questions for option in q.options if option.non_waivable}
    result = []
    for flag in flags:
        if flag.kind is not FlagKind.ANSWER or (flag.question_id, flag.option) not in in_force:
            result.append(flag)
        elif (level := _LOWER[flag.level]) is not None:
            result.append(replace(flag, level=level, lowered=True))
    return result


_FLOORS = {
    FlagLevel.CRITICAL: {True: RiskBand.CRITICAL, False: RiskBand.HIGH},
    FlagLevel.HIGH: {True: RiskBand.HIGH, False: RiskBand.MODERATE},
    FlagLevel.MEDIUM: {True: RiskBand.LOW, False: RiskBand.LOW},
}
"""The lowest band that an open flag allows, in tiers 1 and 2 (True) and in tiers 3 and 4."""


def floor(flags: Iterable[Flag], tier: int) -> RiskBand:
    """The lowest band that the open flags allow; Low where none sets a floor."""
    worst = max({flag.level for flag in flags}, key=lambda level: level.severity, default=FlagLevel.MEDIUM)
    return _FLOORS[worst][tier <= 2]
