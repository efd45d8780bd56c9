"""Marks: what each scored question contributes, from its place in its range to its assured credit (steps 1 to 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.progress import AnswerState
from vendorrisk.domain.questionnaire import Option, Question, Questionnaire
from vendorrisk.domain.standing import Standing

ZERO, HALF, ONE, HUNDRED = Decimal(0), Decimal("0.5"), Decimal(1), Decimal(100)

EVIDENCE_FACTORS = {
    EvidenceLevel.CLAIMED: Decimal("0.70"),
    EvidenceLevel.EVIDENCED: Decimal("0.85"),
    EvidenceLevel.VERIFIED: ONE,
}
FRESH_DAYS, STALE_DAYS = 365, 730


@dataclass(slots=True)
class Mark:
    """What one visible scored question contributed, so that the working can be printed. Nobody changes one.

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


@lru_cache(maxsize=1024)
def freshness(age_days: int) -> Decimal:
    """Step 3: f is 1 up to 365 days, falls to 0.5 at 730, and is 0 after that."""
    if age_days <= FRESH_DAYS:
        return ONE
    if age_days <= STALE_DAYS:
        return ONE - HALF * (age_days - FRESH_DAYS) / FRESH_DAYS
    return ZERO


@dataclass(frozen=True, slots=True)
class _Plan:
    """A questionnaire's scored questions with their follow-ups: these before their parents, whose place they decide."""

    steps: tuple[tuple[str, tuple[str, ...]], ...]
    order: tuple[str, ...]


@lru_cache(maxsize=256)
def _plan(questionnaire: Questionnaire) -> _Plan:
    steps: list[tuple[str, tuple[str, ...]]] = []

    def add(question: Question) -> None:
        children = questionnaire.children.get(question.id, ())
        for child in children:
            add(child)
        if question.is_scored:
            steps.append((question.id, tuple(child.id for child in children)))

    for question in questionnaire:
        if question.follow_up is None:
            add(question)
    return _Plan(tuple(steps), tuple(question.id for question in questionnaire if question.is_scored))


def marks_of(questionnaire: Questionnaire, standings: Mapping[str, Standing], as_of: date) -> tuple[Mark, ...]:
    """The marks of the visible scored questions, in the order of the questionnaire."""
    plan, found = _plan(questionnaire), dict[str, Mark]()
    for name, children in plan.steps:
        if (one := standings.get(name)) is not None:
            found[name] = _mark(one, [found[child] for child in children if child in found] if children else (), as_of)
    return tuple([found[name] for name in plan.order if name in found])


def _mark(one: Standing, followers: Sequence[Mark], as_of: date) -> Mark:
    question, answer, state, ticked = one.question, one.answer, one.state, one.ticked
    low = high = raw = declared = ONE
    position: Decimal | None = None
    chosen: tuple[str, ...] = ()
    if ticked:
        low, high = _range(ticked)
        chosen = (ticked[0].code,) if len(ticked) == 1 else tuple([option.code for option in ticked])
        position = ONE
        raw = declared = _at(low, high, ONE)
        if followers:
            counted = [mark for mark in followers if not mark.left_out]
            position = place([(mark.weight, ONE - mark.credit) for mark in counted])
            told = place([(mark.weight, mark.declared_raw) for mark in counted])
            raw, declared = _at(low, high, position), _at(low, high, told)
    age = _age(one, as_of)
    fresh = freshness(age)
    backed = EVIDENCE_FACTORS[answer.evidence] if question.needs_evidence else ONE
    return Mark(
        question.id, question.code, question.follow_up.of if question.follow_up else None, question.weight, state,
        answer.contradicted, state is AnswerState.NA_APPROVED and not answer.contradicted, chosen, low, high, position,
        raw, answer.evidence, backed, age, fresh, (ONE - raw) * backed * fresh, declared,
    )  # fmt: skip


def _at(low: Decimal, high: Decimal, position: Decimal) -> Decimal:
    return low + (high - low) * position


def _range(ticked: Sequence[Option]) -> tuple[Decimal, Decimal]:
    """Several ticked options: the largest lower and the largest upper bound."""
    low, high = ticked[0].low, ticked[0].high
    for option in ticked[1:]:
        low, high = max(low or ZERO, option.low or ZERO), max(high or ZERO, option.high or ZERO)
    return low or ZERO, high or ZERO


def place(followers: Sequence[tuple[int | Decimal, Decimal]]) -> Decimal:
    """Step 1: m, the weighted mean risk of the visible follow-ups that are not left out.

    It says where in its range an answer stands: in the middle where every visible follow-up is left out, at the upper
    end where none has a weight.
    """
    if not followers:
        return HALF
    total = sum(weight for weight, _ in followers)
    return sum((weight * risk for weight, risk in followers), ZERO) / total if total else ONE


def _age(one: Standing, as_of: date) -> int:
    days = (as_of - (one.answer.answered_on or as_of)).days
    if days < 0:
        raise InvalidAnswer(f"{one.question.code}: answered on {one.answer.answered_on}, after {as_of}")
    return days
