"""The score: from answers to themes, control effectiveness, residual risk and band, with all the working kept.

The method is docs/reference/scoring.md, step by step; step numbers stand in the comments. The score is a review
priority index, not a probability. Called by services/scores.py and the score command.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from vendorrisk.domain import flags as flagging
from vendorrisk.domain.answers import UNANSWERED, Answer, Answers, EvidenceLevel
from vendorrisk.domain.bands import RiskBand, band_of, tier_of, worse
from vendorrisk.domain.conditions import visible
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.flags import Control, Flag, FlagKind
from vendorrisk.domain.grading import chosen
from vendorrisk.domain.progress import AnswerState, state_of
from vendorrisk.domain.questionnaire import FlagLevel, Option, Question, Questionnaire

METHOD = "1.0"
ZERO, HALF, ONE, HUNDRED = Decimal(0), Decimal("0.5"), Decimal(1), Decimal(100)
MOST_REMOVED = Decimal("0.9")
"""Controls never remove more than 90 % of the inherent risk."""

EVIDENCE_FACTORS = {
    EvidenceLevel.CLAIMED: Decimal("0.70"),
    EvidenceLevel.EVIDENCED: Decimal("0.85"),
    EvidenceLevel.VERIFIED: ONE,
}
FRESH_DAYS, STALE_DAYS = 365, 730


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
class Mark:
    """What one visible scored question contributed, so that the working can be printed.

    `low`, `high` and `position` (m) place the raw risk r; credit k = (1 - r)·e·f; a question left out has neither.
    """

    question_id: str
    code: str
    parent: str | None
    weight: int
    state: AnswerState
    contradicted: bool
    left_out: bool
    chosen: tuple[str, ...]
    low: Decimal
    high: Decimal
    position: Decimal | None
    raw: Decimal
    evidence: EvidenceLevel
    evidence_factor: Decimal
    age_days: int
    freshness: Decimal
    credit: Decimal
    declared_raw: Decimal

    @property
    def declared_credit(self) -> Decimal:
        """The credit if every word were proven and fresh."""
        return ONE - self.declared_raw


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
    themes = tuple(theme_score(questionnaire, case, shown) for questionnaire in case.questionnaires)
    tier = tier_of(case.inherent)
    flags = tuple(_flags(case, shown))
    effectiveness = _weakest(theme.score for theme in themes)
    residual = residual_risk(case.inherent, effectiveness)
    number_band = band_of(residual.assured) if residual else RiskBand.NOT_ASSESSED
    floor = flagging.floor(flags, tier)
    unsettled, dealt_with = _counts(case, shown)
    return Score(
        METHOD, case.as_of, case.inherent, tier, themes, effectiveness, residual, number_band, floor,
        final_band(number_band, floor), dealt_with, len(shown), case.draft or unsettled, flags,
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


def theme_score(questionnaire: Questionnaire, case: Case, shown: frozenset[str]) -> ThemeScore:
    """Step 4: assured credit over the visible top-level questions; silence is the worst answer."""
    marks = _Marker(case, shown).marks(questionnaire)
    return ThemeScore(questionnaire.id, weighted(marks.values()), tuple(marks.values()))


def weighted(marks: Iterable[Mark], weight: Mapping[str, Decimal] | None = None) -> Pair | None:
    """100·Σ(w·k)/Σw over the top-level marks not left out; None without weight. `weight` replaces weights."""
    weight = weight or {}
    total = assured = declared = ZERO
    for mark in marks:
        if mark.parent is not None or mark.left_out:
            continue
        w = weight.get(mark.question_id, Decimal(mark.weight))
        total += w
        assured += w * mark.credit
        declared += w * mark.declared_credit
    return Pair(HUNDRED * assured / total, HUNDRED * declared / total) if total else None


def freshness(age_days: int) -> Decimal:
    """Step 3: f is 1 up to 365 days, falls to 0.5 at 730, and is 0 after that."""
    if age_days <= FRESH_DAYS:
        return ONE
    if age_days <= STALE_DAYS:
        return ONE - HALF * (age_days - FRESH_DAYS) / FRESH_DAYS
    return ZERO


@lru_cache(maxsize=256)
def _scored(questionnaire: Questionnaire) -> tuple[Question, ...]:
    """The scored questions, follow-ups before their parents, whose place in the range they decide."""
    found: list[Question] = []

    def add(question: Question) -> None:
        for child in questionnaire.children.get(question.id, ()):
            add(child)
        if question.is_scored:
            found.append(question)

    for question in questionnaire:
        if question.follow_up is None:
            add(question)
    return tuple(found)


class _Marker:
    """Makes the marks of one case; holds what every question needs."""

    def __init__(self, case: Case, shown: frozenset[str]) -> None:
        self.case = case
        self.shown = shown

    def marks(self, questionnaire: Questionnaire) -> dict[str, Mark]:
        """Marks by question id, in the order of the questionnaire."""
        found: dict[str, Mark] = {}
        for question in _scored(questionnaire):
            if question.id in self.shown:
                children = questionnaire.children.get(question.id, ())
                found[question.id] = self._mark(question, [found[c.id] for c in children if c.id in found])
        return {question.id: found[question.id] for question in questionnaire if question.id in found}

    def _mark(self, question: Question, followers: Sequence[Mark]) -> Mark:
        answer = self.case.answers.get(question.id, UNANSWERED)
        state = state_of(question, answer, self.shown)
        low = high = raw = declared = ONE
        position: Decimal | None = None
        codes: tuple[str, ...] = ()
        if state is AnswerState.ANSWERED and not answer.contradicted:
            ticked = options(question, answer, self.case)
            codes = tuple(option.code for option in ticked)
            low, high = (max(bound or ZERO for bound in bounds) for bounds in _bounds(ticked))
            position = place([(f.weight, ONE - f.credit) for f in followers if not f.left_out], bool(followers))
            told = place([(f.weight, f.declared_raw) for f in followers if not f.left_out], bool(followers))
            raw, declared = low + (high - low) * position, low + (high - low) * told
        age = self._age(question, answer)
        fresh, backed = (
            freshness(age),
            ONE if not question.needs_evidence else EVIDENCE_FACTORS[answer.evidence],
        )
        return Mark(
            question.id, question.code, question.follow_up.of if question.follow_up else None, question.weight, state,
            answer.contradicted, state is AnswerState.NA_APPROVED and not answer.contradicted, codes, low, high,
            position, raw, answer.evidence, backed, age, fresh, (ONE - raw) * backed * fresh, declared,
        )  # fmt: skip

    def _age(self, question: Question, answer: Answer) -> int:
        days = (self.case.as_of - (answer.answered_on or self.case.as_of)).days
        if days < 0:
            raise InvalidAnswer(f"{question.code}: answered on {answer.answered_on}, after {self.case.as_of}")
        return days


def _bounds(ticked: Sequence[Option]) -> tuple[list[Decimal | None], list[Decimal | None]]:
    return [option.low for option in ticked], [option.high for option in ticked]


def place(followers: Sequence[tuple[int | Decimal, Decimal]], any_visible: bool) -> Decimal:
    """Step 1: m, the weighted mean risk of the visible follow-ups that count: where in its range an answer stands.

    1 where there is none; 0.5 where there are some and every one is "not applicable" with approval.
    """
    total = sum(weight for weight, _ in followers)
    if total:
        return sum((weight * risk for weight, risk in followers), ZERO) / total
    return HALF if any_visible and not followers else ONE


def options(question: Question, answer: Answer, case: Case) -> tuple[Option, ...]:
    """The options that an answer chooses, in the question's order. Raises InvalidAnswer for a code it does not have."""
    codes = chosen(question, answer, case.answers, case.as_of)
    for code in codes:
        if question.option(code) is None:
            raise InvalidAnswer(f"{question.code}: there is no option {code!r}")
    return tuple(option for option in question.options if option.code in codes)


_KINDS = {
    AnswerState.UNANSWERED: FlagKind.UNANSWERED,
    AnswerState.UNKNOWN: FlagKind.UNANSWERED,
    AnswerState.NA_PENDING: FlagKind.NOT_APPLICABLE,
}


def _flags(case: Case, shown: frozenset[str]) -> list[Flag]:
    found: list[Flag] = []
    waivable: list[tuple[str, str]] = []
    for questionnaire in case.questionnaires:
        for question in questionnaire:
            if question.id in shown:
                found += _question_flags(questionnaire, question, case, shown)
                waivable += [(question.id, o.code) for o in question.options if not o.non_waivable]
    return flagging.lower(found, case.controls, waivable, on=case.as_of) if case.controls else found


def _question_flags(questionnaire: Questionnaire, question: Question, case: Case, shown: frozenset[str]) -> list[Flag]:
    """Step 8, for one visible question."""
    answer = case.answers.get(question.id, UNANSWERED)
    state = state_of(question, answer, shown)
    worst = flagging.worst_flags(questionnaire)[question.id]
    if answer.contradicted:
        return flagging.assumed(question, worst, FlagKind.CONTRADICTED)
    if state is AnswerState.NA_APPROVED:
        return []
    if state is not AnswerState.ANSWERED:
        return flagging.assumed(question, worst, _KINDS[state])
    ticked = options(question, answer, case)
    unknown = next((option for option in ticked if option.unknown), None)
    if unknown is not None and question.id in questionnaire.children:
        found = flagging.assumed(question, worst, FlagKind.ANSWER, unknown.code)
    else:
        found = flagging.answered(question, ticked)
    if question.id in case.inconsistent:
        found += flagging.assumed(question, FlagLevel.MEDIUM, FlagKind.INCONSISTENT)
    return found


def _counts(case: Case, shown: frozenset[str]) -> tuple[bool, int]:
    """Whether anything is unsettled (step "provisional"), and how many visible questions are answered or N/A."""
    settled, dealt_with = True, 0
    for questionnaire in case.questionnaires:
        for question in questionnaire:
            if question.id not in shown:
                continue
            answer = case.answers.get(question.id, UNANSWERED)
            state = state_of(question, answer, shown)
            settled &= state in (AnswerState.ANSWERED, AnswerState.NA_APPROVED) and not answer.contradicted
            dealt_with += state not in (AnswerState.UNANSWERED, AnswerState.UNKNOWN)
    return not settled, dealt_with
