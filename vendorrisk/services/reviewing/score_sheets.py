"""The score sheet: a case's score with everything that explains it, live during the review, frozen after the decision.

Called by the score and decision pages of staff, and by the auditor's page of one assessment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Dismissal, Request, User
from vendorrisk.domain import progress, sensitivity
from vendorrisk.domain.answers import Answers
from vendorrisk.domain.conditions import visible
from vendorrisk.domain.contradictions import Hit
from vendorrisk.domain.errors import WrongState
from vendorrisk.domain.flags import Flag, FlagKind
from vendorrisk.domain.marks import Mark
from vendorrisk.domain.progress import AnswerState
from vendorrisk.domain.questionnaire import FlagLevel, Question, Questionnaire
from vendorrisk.domain.scoring import Score, ThemeScore
from vendorrisk.domain.sensitivity import Change, Gain
from vendorrisk.services import actors, copies
from vendorrisk.services.answering import answers, scores
from vendorrisk.services.answering.scores import Working
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.services.reviewing import decisions
from vendorrisk.services.reviewing.decisions import DecisionView

MOST_GAINS = 5
_SAID = (FlagKind.ANSWER, FlagKind.INCONSISTENT)


@dataclass(frozen=True, slots=True)
class Aside:
    """A contradiction that a reviewer has set aside."""

    hit: Hit
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ThemeSheet:
    """One theme with its working. `is_weakest` where it rules the result."""

    questionnaire: Questionnaire
    theme: ThemeScore
    is_weakest: bool

    @property
    def weight(self) -> int:
        """Σw over what counts."""
        return sum(mark.weight for mark in self.theme.counted)

    @property
    def weighted(self) -> Decimal:
        """Σ(w·k) over what counts."""
        return sum((mark.weight * mark.credit for mark in self.theme.counted), Decimal(0))

    @property
    def left_out(self) -> tuple[Mark, ...]:
        """The marks of questions that do not apply."""
        return tuple(mark for mark in self.theme.marks if mark.left_out)


@dataclass(frozen=True)
class ScoreSheet:
    """A score and what explains it. `decision` is set where the score is frozen with it."""

    working: Working
    questionnaires: tuple[Questionnaire, ...]
    digests: tuple[str, ...]
    answers: Answers
    inputs_hash: str
    asides: tuple[Aside, ...]
    decision: DecisionView | None

    @property
    def score(self) -> Score:
        """The result."""
        return self.working.score

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """All questions by id."""
        return copies.questions_by_id(self.questionnaires)

    @cached_property
    def themes(self) -> tuple[ThemeSheet, ...]:
        """The themes in order."""
        by_id = {questionnaire.id: questionnaire for questionnaire in self.questionnaires}
        assessed = [theme.score.assured for theme in self.score.themes if theme.score is not None]
        lowest = min(assessed, default=None)
        return tuple(
            ThemeSheet(by_id[t.questionnaire_id], t, t.score is not None and t.score.assured == lowest)
            for t in self.score.themes
        )

    @property
    def mean(self) -> Decimal | None:
        """The mean of the assured theme scores: for sorting only, it decides nothing."""
        found = [theme.score.assured for theme in self.score.themes if theme.score is not None]
        return sum(found, Decimal(0)) / len(found) if found else None

    @property
    def evidence_gap(self) -> Decimal | None:
        """How many points of effectiveness are said, but not backed."""
        pair = self.score.effectiveness
        return None if pair is None else pair.declared - pair.assured

    @cached_property
    def gains(self) -> tuple[Gain, ...]:
        """The questions with most to gain."""
        return tuple(gain for gain in sensitivity.gains(self.score) if gain.points > 0)[:MOST_GAINS]

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The changes of one weight by half that would change the band."""
        return sensitivity.changes(self.score)

    @cached_property
    def unsettled(self) -> dict[AnswerState, list[Question]]:
        """What makes the score provisional, by state; contradicted answers stand with the contradictions."""
        shown = visible(self.questionnaires, self.answers)
        found: dict[AnswerState, list[Question]] = {}
        for question in self.questions.values():
            state = progress.state_of(question, self.answers.get(question.id), shown)
            if state in (AnswerState.UNANSWERED, AnswerState.UNKNOWN, AnswerState.NA_PENDING):
                found.setdefault(state, []).append(question)
        return found

    @cached_property
    def contradicted(self) -> tuple[Question, ...]:
        """The questions whose answers count as the worst because others speak against them."""
        ids = {name for hit in self.working.hits if hit.contradicts for name in hit.affects}
        return tuple(question for name, question in self.questions.items() if name in ids)

    def flags(self, level: FlagLevel) -> tuple[list[Flag], list[Flag]]:
        """The open flags of one level: those that an answer sets off, and those that are assumed."""
        mine = [flag for flag in self.score.flags if flag.level is level]
        return [f for f in mine if f.kind in _SAID], [f for f in mine if f.kind not in _SAID]

    def flag_counts(self) -> dict[FlagLevel, int]:
        """How many flags of each level are open, the worst first."""
        counts = scores.count_flags(self.score)
        return {level: counts[level] for level in reversed(FlagLevel)}

    def label(self, flag: Flag) -> str:
        """The ticked option that carries a flag, in words; "" where none was ticked."""
        option = self.questions[flag.question_id].option(flag.option) if flag.option else None
        return str(option.label) if option else ""


def open_score(session: Session, dossier: Dossier, *, now: datetime) -> ScoreSheet:
    """The score of a case: frozen where it is decided, else as the answers stand. Raises WrongState before sending."""
    request, inherent = dossier.sent, dossier.case.inherent
    if inherent is None:
        raise WrongState("The intake has to be finished first.")
    decision = decisions.of(session, dossier)
    scored = scores.evaluate(session, request, inherent, now=now)
    working = decision.score.working if decision else scored.working
    return ScoreSheet(
        working=working, questionnaires=scored.questionnaires, digests=tuple(request.copies),
        answers=answers.as_domain(scored.answers), decision=decision,
        inputs_hash=decision.score.inputs_hash if decision else scored.inputs_hash,
        asides=_asides(session, request, working),
    )  # fmt: skip


def _asides(session: Session, request: Request, working: Working) -> tuple[Aside, ...]:
    if not working.dismissed:
        return ()
    query = select(Dismissal, User).outerjoin(User, User.id == Dismissal.by)
    rows = {row.rule_id: (row, user) for row, user in session.execute(query.where(Dismissal.request_id == request.id))}
    return tuple(
        Aside(hit, vault.open_text(session, row.reason, context="dismissal.reason"), actors.name(user), row.at)
        for hit in working.dismissed
        for row, user in (rows[hit.key],)
    )
