"""Outcomes: what every answer comes to, but for its age and follow-ups; worked out once per questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from vendorrisk.domain import flags as flagging
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.flags import Flag
from vendorrisk.domain.marks import Begun, begun
from vendorrisk.domain.progress import AnswerState
from vendorrisk.domain.questionnaire import FlagLevel, Option, Question, Questionnaire


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer comes to by what it says alone; many answers share one.

    `marks` is empty where the question is not scored. An answer `is_given` where its value counts as it stands. It
    `is_settled` where nothing about it can still change the score, `is_dealt_with` where it counts as answered.
    """

    question: Question
    flags: tuple[Flag, ...]
    marks: Mapping[EvidenceLevel, Begun]
    is_given: bool
    is_settled: bool
    is_dealt_with: bool


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question with what its answers come to: an option by its code, silence by its state, and so a contradiction.

    `hidden` is the worst flag that silence could hide.
    """

    question: Question
    hidden: FlagLevel | None
    is_gate: bool
    by_code: dict[str, Outcome] = field(default_factory=dict)
    silent: dict[AnswerState, Outcome] = field(default_factory=dict)
    contradicted: dict[AnswerState, Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for option in self.question.options:
            self.by_code[option.code] = self.outcome(AnswerState.ANSWERED, (option,))
        for state in AnswerState:
            self.contradicted[state] = self.outcome(state, contradicted=True)
            if state is not AnswerState.ANSWERED:
                self.silent[state] = self.outcome(state)

    def outcome(self, state: AnswerState, ticked: tuple[Option, ...] = (), *, contradicted: bool = False) -> Outcome:
        """What an answer comes to that ticks these options."""
        is_given = state is AnswerState.ANSWERED and not contradicted
        left_out = state is AnswerState.NA_APPROVED and not contradicted
        return Outcome(
            self.question,
            flagging.of_question(self.question, state, ticked, contradicted, hidden=self.hidden, is_gate=self.is_gate),
            begun(self.question, state, ticked, contradicted, left_out),
            is_given,
            is_settled=is_given or left_out,
            is_dealt_with=state not in (AnswerState.UNANSWERED, AnswerState.UNKNOWN),
        )


@lru_cache(maxsize=32)  # a megabyte each
def asked(questionnaire: Questionnaire) -> Mapping[str, Asked]:
    """The questions of a questionnaire by id."""
    worst = flagging.worst_flags(questionnaire)
    return {q.id: Asked(q, worst[q.id], q.id in questionnaire.children) for q in questionnaire}


@lru_cache(maxsize=4096)
def of_codes(one: Asked, codes: tuple[str, ...]) -> Outcome:
    """What ticking any number of options comes to. Raises InvalidAnswer for one that the question does not have."""
    if unknown := set(codes) - one.by_code.keys():
        raise InvalidAnswer(f"{one.question.code}: there is no option {min(unknown)!r}")
    ticked = tuple([option for option in one.question.options if option.code in codes])
    return one.outcome(AnswerState.ANSWERED, ticked)
