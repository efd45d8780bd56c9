"""The inherent risk of buying a service, from our own intake; which questionnaires it asks for, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from vendorrisk.domain.answers import UNANSWERED, Answer, Answers
from vendorrisk.domain.bands import TIER_LIMITS, tier_of
from vendorrisk.domain.conditions import ticked
from vendorrisk.domain.questionnaire import Factor, Question, Questionnaire

MOST_POINTS = 4
SHORT_TIER, SHORT_WEIGHT = 4, 4
"""Tier 4 is asked only the top-level questions of weight 4 or more, gates included, and their follow-ups."""

DATA_SOURCING = "data-sourcing"
PEOPLE_DATA, DATA_GIVEN = "people_data_in_product", "data_given"


@dataclass(frozen=True, slots=True)
class Item:
    """One intake item as it counted: 0 (best) to 4 points; unanswered counts 4, unknown what its option says."""

    question_id: str
    code: str
    points: int
    assumed: bool


@dataclass(frozen=True, slots=True)
class Inherent:
    """The inherent score I = 25·M·(0.5 + 0.5·X), 0 to 100, and its tier, 1 (most) to 4.

    M is the largest impact item, X the mean of the exposure items divided by 4.
    """

    value: Decimal
    tier: int
    impact: int
    exposure: Decimal
    impacts: tuple[Item, ...]
    exposures: tuple[Item, ...]

    @property
    def leading(self) -> tuple[Item, ...]:
        """The impact items that reach M: they decide."""
        return tuple(item for item in self.impacts if item.points == self.impact)

    @property
    def assumed(self) -> tuple[Item, ...]:
        """Items that count high because nobody knew."""
        return tuple(item for item in (*self.impacts, *self.exposures) if item.assumed)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Which questionnaires to send; `short` where the tier asks only the weightiest questions."""

    questionnaires: tuple[str, ...]
    short: bool
    reasons: tuple[str, ...]


def points(question: Question, answer: Answer) -> tuple[int, bool]:
    """An item's points, and whether they are assumed (answer unknown or missing). The worst tick counts."""
    options = [option for code in ticked(answer) if (option := question.option(code)) is not None]
    if not options:
        return MOST_POINTS, True
    worst = max(MOST_POINTS if option.points is None else option.points for option in options)
    return worst, any(option.unknown for option in options)


def inherent(intake: Questionnaire, answers: Answers) -> Inherent:
    """The inherent score of an intake, complete or not."""
    items = {
        factor: tuple(
            Item(q.id, q.code, *points(q, answers.get(q.id, UNANSWERED))) for q in intake if q.factor is factor
        )
        for factor in Factor
    }
    impacts, exposures = items[Factor.IMPACT], items[Factor.EXPOSURE]
    impact = max((item.points for item in impacts), default=MOST_POINTS)
    exposure = (
        Decimal(sum(item.points for item in exposures)) / (MOST_POINTS * len(exposures)) if exposures else Decimal(1)
    )
    value = 25 * impact * (Decimal("0.5") + Decimal("0.5") * exposure)
    return Inherent(value, tier_of(value), impact, exposure, impacts, exposures)


def reasons(result: Inherent, intake: Questionnaire, answers: Answers) -> tuple[str, ...]:
    """Why this tier, in sentences: what decides first, what nobody knew last."""
    lines = [_tier_sentence(result)]
    for item in result.leading:
        question = intake.by_id[item.question_id]
        lines.append(f"{question.code}: {question.text} – {_said(question, answers.get(question.id, UNANSWERED))}")
    if result.assumed:
        codes = ", ".join(item.code for item in result.assumed)
        lines.append(f"Counted as high because it is not known: {codes}.")
    return tuple(lines)


def _tier_sentence(result: Inherent) -> str:
    limits = [f"{limit}" for limit, tier in TIER_LIMITS if tier == result.tier]
    reach = f"{limits[0]} or more" if limits else f"less than {TIER_LIMITS[-1][0]}"
    return (
        f"Tier {result.tier} because the inherent score is {result.value:.1f} ({reach}): the worst impact counts "
        f"{result.impact} of {MOST_POINTS} points and exposure is {result.exposure:.0%} of the most possible."
    )


def _said(question: Question, answer: Answer) -> str:
    labels = [str(option.label) for code in ticked(answer) if (option := question.option(code)) is not None]
    return "; ".join(labels) or "not answered"


def proposal(result: Inherent, intake: Questionnaire, answers: Answers, available: Sequence[str]) -> Proposal:
    """Which of the available questionnaires to send: data sourcing only where data about people is in play."""
    lines = []
    people, given = (
        points(intake.by_id[name], answers.get(name, UNANSWERED))[0] if name in intake.by_id else MOST_POINTS
        for name in (PEOPLE_DATA, DATA_GIVEN)
    )
    ask_sourcing = people >= 1 or given >= 2
    if DATA_SOURCING in available and ask_sourcing:
        lines.append("Data sourcing is asked because the product holds data about people, or we give internal data.")
    elif DATA_SOURCING in available:
        lines.append("Data sourcing is left out: no data about other people, and nothing but contacts is given.")
    short = result.tier >= SHORT_TIER
    if short:
        lines.append(
            f"Tier {SHORT_TIER}: only questions of weight {SHORT_WEIGHT} or more and their follow-ups are asked."
        )
    return Proposal(tuple(n for n in available if ask_sourcing or n != DATA_SOURCING), short, tuple(lines))


def shortened(questionnaire: Questionnaire) -> Questionnaire:
    """The short form for tier 4: the weighty top-level questions with all follow-ups. Empty sections fall away."""
    kept: set[str] = set()
    for question in questionnaire:
        if question.follow_up is None and question.weight >= SHORT_WEIGHT:
            kept |= {question.id, *_descendants(questionnaire, question.id)}
    sections = tuple(
        replace(section, questions=tuple(q for q in section.questions if q.id in kept))
        for section in questionnaire.sections
    )
    return replace(
        questionnaire,
        version=f"{questionnaire.version}-short",
        sections=tuple(s for s in sections if s.questions),
    )


def _descendants(questionnaire: Questionnaire, parent: str) -> set[str]:
    found: set[str] = set()
    for child in questionnaire.children.get(parent, ()):
        found |= {child.id, *_descendants(questionnaire, child.id)}
    return found
