"""Flags: what an answer sets off in itself, the lowest band that open flags allow, and compensating controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

from vendorrisk.domain.bands import RiskBand
from vendorrisk.domain.errors import InvalidAnswer
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

    for question in questionnaire:
        worst(question)
    return found


def answered(question: Question, ticked: Iterable[Option]) -> list[Flag]:
    """The flags of the ticked options."""
    return [
        Flag(question.id, question.code, option.code, option.flag, FlagKind.ANSWER)
        for option in ticked
        if option.flag is not None
    ]


def assumed(question: Question, level: FlagLevel | None, kind: FlagKind, option: str | None = None) -> list[Flag]:
    """The worst flag that an answer could be hiding."""
    return [] if level is None else [Flag(question.id, question.code, option, level, kind)]


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


def lower(
    flags: Iterable[Flag], controls: Iterable[Control], waivable: Iterable[tuple[str, str]], *, on: date
) -> list[Flag]:
    """Lower each flag of kind "answer" that a control still in force names; one level, once."""
    allowed = set(waivable)
    in_force = {(c.question_id, c.option) for c in controls if c.ends_on >= on} & allowed
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
    worst = max((flag.level for flag in flags), key=lambda level: level.severity, default=FlagLevel.MEDIUM)
    return _FLOORS[worst][tier <= 2]
