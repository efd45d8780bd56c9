"""What a score hangs on: the questions with most to gain, and whether the band holds when a weight is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from vendorrisk.domain.bands import RiskBand, band_of
from vendorrisk.domain.marks import HUNDRED, ONE, Mark, place, risk_at
from vendorrisk.domain.scoring import Score, ThemeScore, final_band, residual_risk, weighted

FACTORS = (Decimal("0.5"), Decimal("1.5"))
"""Each weight alone is halved and raised by half (scoring step 10)."""


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much its theme's score would rise if this answer were perfect, verified and fresh: 100·w·(1 - k)/Σw."""

    question_id: str
    code: str
    questionnaire_id: str
    points: Decimal


@dataclass(frozen=True, slots=True)
class Change:
    """The band would be another if this question's weight were multiplied by `factor`."""

    question_id: str
    code: str
    factor: Decimal
    band: RiskBand


def gains(score: Score) -> tuple[Gain, ...]:
    """Every top-level question by what it could add, the weakest theme first, then the largest gain."""
    assessed = [theme for theme in score.themes if theme.score is not None]
    found: list[Gain] = []
    for theme in sorted(assessed, key=lambda theme: theme.score.assured if theme.score else HUNDRED):
        total = sum(mark.weight for mark in theme.counted)
        in_theme = [
            Gain(m.question_id, m.code, theme.questionnaire_id, HUNDRED * m.weight * (ONE - m.credit) / total)
            for m in theme.counted
        ]
        found += sorted(in_theme, key=lambda gain: (-gain.points, gain.code))
    return tuple(found)


def changes(score: Score) -> tuple[Change, ...]:
    """Every single change of a weight by half that would change the band; empty where the band holds."""
    found = []
    for theme in score.themes:
        others = [t.score.assured for t in score.themes if t is not theme and t.score is not None]
        for mark in theme.marks:
            for factor in FACTORS:
                band = _band_with(score, theme, others, mark, factor)
                if band is not score.band:
                    found.append(Change(mark.question_id, mark.code, factor, band))
    return tuple(found)


def _band_with(score: Score, theme: ThemeScore, others: Iterable[Decimal], mark: Mark, factor: Decimal) -> RiskBand:
    changed = weighted(_reweighted(theme, mark, factor), {mark.question_id: mark.weight * factor})
    scores = [*others, *([changed.assured] if changed else [])]
    if not scores or score.effectiveness is None:
        return score.band
    residual = residual_risk(score.inherent, replace(score.effectiveness, assured=min(scores)))
    assert residual is not None
    return final_band(band_of(residual.assured), score.floor)


def _reweighted(theme: ThemeScore, changed: Mark, factor: Decimal) -> tuple[Mark, ...]:
    """The theme's marks after a follow-up's weight was changed: its parents move within their ranges."""
    marks = {mark.question_id: mark for mark in theme.marks}
    parent = changed.parent
    while parent is not None and parent in marks:
        above = marks[parent]
        if above.position is not None:
            followers = [m for m in marks.values() if m.parent == parent and not m.left_out]
            weights = [
                (m.weight * (factor if m.question_id == changed.question_id else 1), ONE - m.credit) for m in followers
            ]
            raw = risk_at(above.low, above.high, place(weights))
            marks[parent] = replace(above, raw=raw, credit=above.credit_at(raw))
        parent = above.parent
    return tuple(marks.values())
