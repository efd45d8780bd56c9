"""Flags: what an answer sets off in itself, the lowest band that open flags allow, and compensating controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

from vendorrisk.domain.bands import RiskBand
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.progress import AnswerState
from vendorrisk.domain.questionnaire import FlagLevel, Question, Questionnaire
from vendorrisk.domain.standing import Standing

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


@lru_cache(maxsize=256)
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


def of_question(one: Standing, worst: FlagLevel | None, is_inconsistent: bool, has_followers: bool) -> list[Flag]:
    """Step 8: the flags of the ticked options; where one could be hidden, the worst it could hide (`worst`)."""
    question = one.question
    if one.answer.contradicted:
        return _assumed(question, worst, FlagKind.CONTRADICTED)
    if one.state is AnswerState.NA_APPROVED:
        return []
    if one.state is not AnswerState.ANSWERED:
        return _assumed(question, worst, _KINDS[one.state])
    unknown = [option for option in one.ticked if option.unknown] if has_followers else []
    if unknown:
        found = _assumed(question, worst, FlagKind.ANSWER, unknown[0].code)
    else:
        found = [
            _flag(question.id, question.code, o.flag, FlagKind.ANSWER, o.code) for o in one.ticked if o.flag is not None
        ]
    if is_inconsistent:
        found += _assumed(question, FlagLevel.MEDIUM, FlagKind.INCONSISTENT)
    return found


_KINDS = {
    AnswerState.UNANSWERED: FlagKind.UNANSWERED,
    AnswerState.UNKNOWN: FlagKind.UNANSWERED,
    AnswerState.NA_PENDING: FlagKind.NOT_APPLICABLE,
}


@lru_cache(maxsize=4096)
def _flag(question_id: str, code: str, level: FlagLevel, kind: FlagKind, option: str | None) -> Flag:
    # Every submission sets off some fifty, and all of them out of the same few hundred.
    return Flag(question_id, code, option, level, kind)


def _assumed(question: Question, level: FlagLevel | None, kind: FlagKind, option: str | None = None) -> list[Flag]:
    return [] if level is None else [_flag(question.id, question.code, level, kind, option)]


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


def lower(flags: Iterable[Flag], controls: Iterable[Control], standings: Iterable[Standing], *, on: date) -> list[Flag]:
    """Step 9: lower each flag of kind "answer" that a control still in force names; by one level, once."""
    in_force = {(control.question_id, control.option) for control in controls if control.ends_on >= on}
    in_force -= {(s.question.id, option.code) for s in standings for option in s.ticked if option.non_waivable}
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
