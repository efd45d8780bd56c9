"""Marks: what each scored question contributes, from its place in its range to its assured credit (steps 1 to 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial

from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.conditions import in_order
from vendorrisk.domain.progress import AnswerState
from vendorrisk.domain.questionnaire import Option, Question, Questionnaire

ZERO, HALF, ONE, HUNDRED = Decimal(0), Decimal("0.5"), Decimal(1), Decimal(100)

EVIDENCE_FACTORS = {
    EvidenceLevel.CLAIMED: Decimal("0.70"),
    EvidenceLevel.EVIDENCED: Decimal("0.85"),
    EvidenceLevel.VERIFIED: ONE,
}
FRESH_DAYS, STALE_DAYS = 365, 730


@dataclass(slots=True)
class Mark:
    """What one visible scored question contributed, so that the working can be printed. Nobody changes one once made.

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
    declared_raw: Decimal
    evidence: EvidenceLevel
    evidence_factor: Decimal
    age_days: int
    freshness: Decimal
    credit: Decimal

    def credit_at(self, raw: Decimal) -> Decimal:
        """Step 3: k at a raw risk."""
        return (ONE - raw) * self.evidence_factor * self.freshness


@lru_cache(maxsize=1024)
def aged(answered_on: date, as_of: date) -> tuple[int, Decimal]:
    """The age of an answer in days, below 0 for a day to come; and its freshness."""
    days = (as_of - answered_on).days
    return days, freshness(days)


def freshness(age_days: int) -> Decimal:
    """Step 3: f is 1 up to 365 days, falls to 0.5 at 730, and is 0 after that."""
    if age_days <= FRESH_DAYS:
        return ONE
    if age_days <= STALE_DAYS:
        return ONE - HALF * (age_days - FRESH_DAYS) / FRESH_DAYS
    return ZERO


Begun = tuple[partial[Mark], Decimal]
"""What makes a mark out of the age, its freshness and the credit; and the credit while it is fresh."""


def begun(
    question: Question, state: AnswerState, ticked: Sequence[Option], contradicted: bool, left_out: bool
) -> Mapping[EvidenceLevel, Begun]:
    """Marks without follow-ups that lack only the age, by evidence; none where the question is not scored.

    Of several ticked options the largest lower and the largest upper bound hold; silence is the worst answer.
    """
    low = max([option.low or ZERO for option in ticked], default=ONE)
    high = max([option.high or ZERO for option in ticked], default=ONE)
    raw = risk_at(low, high, ONE)
    found: dict[EvidenceLevel, Begun] = {}
    for evidence, factor in EVIDENCE_FACTORS.items() if question.is_scored else ():
        backed = factor if question.needs_evidence else ONE
        start = partial(
            Mark, question.id, question.code, question.follow_up.of if question.follow_up else None, question.weight,
            state, contradicted, left_out, tuple([option.code for option in ticked]), low, high,
            ONE if ticked else None, raw, raw, evidence, backed,
        )  # fmt: skip
        found[evidence] = start, (ONE - raw) * backed
    return found


def put_in_place(questionnaire: Questionnaire, marks: Sequence[Mark]) -> None:
    """Step 1: visible follow-ups say where in its range the answer stands that they follow."""
    followers = dict[str, list[Mark]]()
    for mark in marks:
        if mark.parent is not None:
            followers.setdefault(mark.parent, []).append(mark)
    if followers:
        found = {mark.question_id: mark for mark in marks}
        for gate in _gates(questionnaire):
            if gate in followers and gate in found:
                _put(found[gate], followers[gate])


@lru_cache(maxsize=64)
def _gates(questionnaire: Questionnaire) -> tuple[str, ...]:
    """The questions with follow-ups: each before the one that it follows itself, whose place it decides."""
    parents = [question.id for question in in_order(questionnaire) if question.id in questionnaire.children]
    return tuple(reversed(parents))


def _put(gate: Mark, followers: Iterable[Mark]) -> None:
    if gate.position is None:
        return
    counted = [mark for mark in followers if not mark.left_out]
    gate.position = place([(mark.weight, ONE - mark.credit) for mark in counted])
    gate.raw = risk_at(gate.low, gate.high, gate.position)
    gate.credit = gate.credit_at(gate.raw)
    gate.declared_raw = risk_at(gate.low, gate.high, place([(mark.weight, mark.declared_raw) for mark in counted]))


def risk_at(low: Decimal, high: Decimal, position: Decimal) -> Decimal:
    """Step 1: the raw risk at a place in its range, from 0 to 1."""
    return low + (high - low) * position


def place(followers: Sequence[tuple[int | Decimal, Decimal]]) -> Decimal:
    """Step 1: m, the weighted mean risk of the visible follow-ups that are not left out.

    It says where in its range an answer stands: in the middle where every visible follow-up is left out, at the upper
    end where none has a weight.
    """
    if not followers:
        return HALF
    total = sum(weight for weight, _ in followers)
    return sum((weight * risk for weight, risk in followers), ZERO) / total if total else ONE
