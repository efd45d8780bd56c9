"""The score: from answers to themes, control effectiveness, residual risk and band, with all the working kept.

The method is docs/reference/scoring.md, step by step; step numbers stand in the comments. The score is a review
priority index, not a probability. Called by services/answering/scores.py and the score command.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vendorrisk.domain import flags as flagging
from vendorrisk.domain.answers import Answers
from vendorrisk.domain.bands import RiskBand, band_of, tier_of, worse
from vendorrisk.domain.conditions import visible
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.flags import Control, Flag
from vendorrisk.domain.marks import HUNDRED, ONE, ZERO, Mark
from vendorrisk.domain.outcomes import Outcome
from vendorrisk.domain.questionnaire import Questionnaire
from vendorrisk.domain.standing import Standing, marks_of, standing

METHOD = "1.0"
MOST_REMOVED = Decimal("0.9")
"""Controls never remove more than 90 % of the inherent risk."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a score rests on. `inconsistent` are ids named by contradiction rules of severity medium."""

    questionnaires: tuple[Questionnaire, ...]
    answers: Answers
    inherent: Decimal
    as_of: date
    inconsistent: frozenset[str] = frozenset()
    controls: tuple[Control, ...] = ()
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure twice: on what is backed today, and as declared."""

    assured: Decimal
    declared: Decimal


@dataclass(frozen=True, slots=True)
class ThemeScore:
    """One questionnaire's score, 0 to 100; None where nothing was left to assess."""

    questionnaire_id: str
    score: Pair | None
    marks: tuple[Mark, ...]

    @property
    def counted(self) -> tuple[Mark, ...]:
        """The top-level marks that make the score."""
        return tuple(mark for mark in self.marks if mark.parent is None and not mark.left_out)


@dataclass(frozen=True, slots=True)
class Score:
    """The result, with the working in the themes' marks."""

    method: str
    as_of: date
    inherent: Decimal
    tier: int
    themes: tuple[ThemeScore, ...]
    effectiveness: Pair | None
    residual: Pair | None
    number_band: RiskBand
    floor: RiskBand
    band: RiskBand
    answered: int
    visible: int
    provisional: bool
    flags: tuple[Flag, ...]


def score(case: Case) -> Score:
    """Score a case. Raises InvalidAnswer for unknown options, dates in the future and values outside all bands."""
    if not (case.inherent.is_finite() and ZERO <= case.inherent <= HUNDRED):
        raise InvalidAnswer(f"the inherent score {case.inherent} is not between 0 and 100")
    shown = visible(case.questionnaires, case.answers)
    standings = [standing(each, shown, case.answers, case.as_of) for each in case.questionnaires]
    themes = tuple(
        theme_score(each, found, case.as_of) for each, found in zip(case.questionnaires, standings, strict=True)
    )
    outcomes = [outcome for each in standings for _, outcome in each]
    tier = tier_of(case.inherent)
    flags = tuple(_flags(case, outcomes))
    effectiveness = _weakest(theme.score for theme in themes)
    residual = residual_risk(case.inherent, effectiveness)
    number_band = band_of(residual.assured) if residual else RiskBand.NOT_ASSESSED
    floor = flagging.floor(flags, tier)
    provisional = case.draft or not all(outcome.is_settled for outcome in outcomes)
    dealt_with = sum([outcome.is_dealt_with for outcome in outcomes])
    return Score(
        METHOD, case.as_of, case.inherent, tier, themes, effectiveness, residual, number_band, floor,
        final_band(number_band, floor), dealt_with, len(outcomes), provisional, flags,
    )  # fmt: skip


def final_band(number_band: RiskBand, floor: RiskBand) -> RiskBand:
    """Step 8: the worse of the two. Where nothing could be assessed, only a flag's floor can say anything."""
    if number_band is RiskBand.NOT_ASSESSED and floor is RiskBand.LOW:
        return number_band
    return worse(number_band, floor)


def _weakest(scores: Iterable[Pair | None]) -> Pair | None:
    """Step 5: the weakest theme rules."""
    found = [pair for pair in scores if pair is not None]
    if not found:
        return None
    return Pair(min(pair.assured for pair in found), min(pair.declared for pair in found))


def residual_risk(inherent: Decimal, effectiveness: Pair | None) -> Pair | None:
    """Step 6: R = I·(1 - 0.9·CE/100)."""
    if effectiveness is None:
        return None
    assured, declared = (
        inherent * (ONE - MOST_REMOVED * value / HUNDRED) for value in (effectiveness.assured, effectiveness.declared)
    )
    return Pair(assured, declared)


def theme_score(questionnaire: Questionnaire, standings: Iterable[Standing], as_of: date) -> ThemeScore:
    """Step 4: assured credit over the visible top-level questions; silence is the worst answer."""
    found = marks_of(questionnaire, standings, as_of)
    return ThemeScore(questionnaire.id, weighted(found), found)


def weighted(marks: Iterable[Mark], weight: Mapping[str, Decimal] | None = None) -> Pair | None:
    """100·Σ(w·k)/Σw over the top-level marks not left out; None without weight. `weight` replaces weights."""
    total: Decimal | int = 0
    assured = declared = ZERO
    for mark in marks:
        if mark.parent is not None or mark.left_out:
            continue
        w = weight.get(mark.question_id, mark.weight) if weight else mark.weight
        total += w
        assured += w * mark.credit
        declared += w * (ONE - mark.declared_raw)
    return Pair(HUNDRED * assured / total, HUNDRED * declared / total) if total else None


def _flags(case: Case, outcomes: Sequence[Outcome]) -> list[Flag]:
    found: list[Flag] = []
    for outcome in outcomes:
        found += outcome.flags
        if case.inconsistent and outcome.is_given and outcome.question.id in case.inconsistent:
            found.append(flagging.inconsistent(outcome.question))
    if not case.controls:
        return found
    return flagging.lower(found, case.controls, [outcome.question for outcome in outcomes], on=case.as_of)
