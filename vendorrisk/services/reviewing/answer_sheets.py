"""The answer sheet: every visible question with its answer, its review and what it does to the score.

Called by the staff's answers page. The number of queries does not depend on the number of questions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db.models import Request, Review, User
from vendorrisk.domain import progress, question_types
from vendorrisk.domain.answers import Answers, Table, Value
from vendorrisk.domain.conditions import visible
from vendorrisk.domain.contradictions import Hit
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.domain.flags import Flag
from vendorrisk.domain.marks import Mark
from vendorrisk.domain.progress import AnswerState
from vendorrisk.domain.question_types import tables
from vendorrisk.domain.questionnaire import Question, Questionnaire, Section
from vendorrisk.services.answering import answers, evidence, scores
from vendorrisk.services.answering.answers import StoredAnswer
from vendorrisk.services.answering.evidence import FileView
from vendorrisk.services.answering.scores import Scored
from vendorrisk.services.casework.dossiers import Dossier

WIDE = 5
"""A table of more columns than this is shown row by row."""


class Standing(StrEnum):
    """Where the review of one question stands."""

    TO_REVIEW = "To review"
    CHANGED = "Changed since"
    NA_TO_DECIDE = "N/A to decide"
    NA_APPROVED = "N/A approved"
    NA_REFUSED = "N/A refused"
    REVIEWED = "Reviewed"
    UNANSWERED = "Unanswered"


_LEFT = (Standing.TO_REVIEW, Standing.CHANGED, Standing.NA_TO_DECIDE)


@dataclass(frozen=True, slots=True)
class TableView:
    """A table answer in words. `is_wide` tables do not fit beside a list."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    complete: bool

    @property
    def is_wide(self) -> bool:
        """Whether to show it row by row."""
        return len(self.headers) > WIDE


@dataclass(frozen=True, slots=True)
class Line:
    """One visible question with all that is known of it. `depth` counts the questions that it follows."""

    question: Question
    questionnaire_id: str
    section_id: str
    depth: int
    state: AnswerState
    standing: Standing
    stored: StoredAnswer | None
    files: tuple[FileView, ...]
    mark: Mark | None
    flags: tuple[Flag, ...]
    hits: tuple[Hit, ...]
    reviewed_by: str

    @property
    def is_left(self) -> bool:
        """Whether a reviewer still has to look at it."""
        return self.standing in _LEFT

    @property
    def version(self) -> int:
        """The answer's version; 0 where nobody has answered."""
        return self.stored.version if self.stored else 0

    @property
    def is_contradicted(self) -> bool:
        """Whether another answer speaks against this one, so that it counts as the worst."""
        return any(hit.contradicts for hit in self.hits)

    @property
    def words(self) -> str:
        """The answer in words; empty for tables that are shown as such."""
        value = self.stored.value if self.stored else None
        return "" if isinstance(value, Table) else question_types.words(self.question, value)

    @property
    def table(self) -> TableView | None:
        """The answer as a table, where it is one."""
        return table_view(self.question, self.stored.value if self.stored else None)

    @property
    def has_something_to_look_at(self) -> bool:
        """Whether a file or a source backs the answer."""
        return bool(self.files or (self.stored and self.stored.said.source))


@dataclass(frozen=True, slots=True)
class Sheet:
    """All visible questions of a request, in order, and the score that they make."""

    lines: tuple[Line, ...]
    scored: Scored

    @property
    def left(self) -> int:
        """How many answers wait for a look."""
        return sum(line.is_left for line in self.lines)

    @property
    def reviewable(self) -> int:
        """How many answers there are to look at."""
        return sum(line.standing is not Standing.UNANSWERED for line in self.lines)

    def line(self, code: str) -> Line:
        """The line of the question with this code. Raises NotFound where there is none or it is not asked."""
        for line in self.lines:
            if line.question.code == code:
                return line
        raise NotFound("There is no such question, or it is not asked.")

    def chosen(self, show: str) -> tuple[Line, ...]:
        """The lines that a filter keeps."""
        return tuple(line for line in self.lines if SHOWN[show](line))

    def counts(self) -> dict[str, int]:
        """How many lines each filter keeps."""
        return {show: len(self.chosen(show)) for show in SHOWN}

    def neighbours(self, code: str, show: str) -> tuple[str, str]:
        """The codes before and after a question among those that a filter keeps; "" at the ends."""
        place = [line.question.code for line in self.lines].index(code)
        before = [line.question.code for line in self.lines[:place] if SHOWN[show](line)]
        after = [line.question.code for line in self.lines[place + 1 :] if SHOWN[show](line)]
        return before[-1] if before else "", after[0] if after else ""

    def start(self, show: str) -> str:
        """The question to begin with: the first that waits for a look, else the first; "" for none."""
        kept = self.chosen(show)
        return next((line.question.code for line in (*(k for k in kept if k.is_left), *kept)), "")

    def sections(self, lines: Sequence[Line]) -> list[tuple[Questionnaire, Section, list[Line]]]:
        """Lines under their sections, in order."""
        grouped: dict[tuple[str, str], list[Line]] = {}
        for line in lines:
            grouped.setdefault((line.questionnaire_id, line.section_id), []).append(line)
        return [
            (questionnaire, section, grouped[questionnaire.id, section.id])
            for questionnaire in self.scored.questionnaires
            for section in questionnaire.sections
            if (questionnaire.id, section.id) in grouped
        ]


SHOWN: dict[str, Callable[[Line], bool]] = {
    "all": lambda line: True,
    "review": lambda line: line.is_left,
    "na": lambda line: line.standing is Standing.NA_TO_DECIDE,
    "flagged": lambda line: bool(line.flags),
    "contradicted": lambda line: bool(line.hits),
    "unanswered": lambda line: line.standing is Standing.UNANSWERED,
}
"""The filters of the answers page, by the word that stands in the address."""


def open_answers(session: Session, dossier: Dossier, *, now: datetime) -> Sheet:
    """The answer sheet of a dossier. Raises WrongState where nothing was sent."""
    request, inherent = dossier.sent, dossier.case.inherent
    if inherent is None:
        raise WrongState("The intake has to be finished first.")
    scored = scores.evaluate(session, request, inherent, now=now)
    files = evidence.by_question(evidence.of_request(session, request))
    maker = _Maker(scored, answers.as_domain(scored.answers), files, _reviewers(session, request))
    return Sheet(maker.lines(), scored)


def _reviewers(session: Session, request: Request) -> dict[str, str]:
    query = select(Review.question_id, User.name, User.email).join(User, User.id == Review.by)
    return {row[0]: row[1] or row[2] for row in session.execute(query.where(Review.request_id == request.id))}


def table_view(question: Question, value: Value | None) -> TableView | None:
    """A table answer in words; None for any other."""
    if not isinstance(value, Table):
        return None
    columns = question.columns
    rows = tuple(tuple(tables.cell_words(c, row.get(c.id, "")) for c in columns) for row in value.rows)
    return TableView(tuple(str(column.label) for column in columns), rows, value.complete)


def standing_of(state: AnswerState, stored: StoredAnswer | None) -> Standing:
    """Where the review of one question stands."""
    if state is AnswerState.UNANSWERED or stored is None:
        return Standing.UNANSWERED
    review = stored.review
    if review is not None and not review.is_current:
        return Standing.CHANGED
    if state in (AnswerState.NA_PENDING, AnswerState.NA_APPROVED):
        decided = review.na_approved if review else None
        return {None: Standing.NA_TO_DECIDE, True: Standing.NA_APPROVED, False: Standing.NA_REFUSED}[decided]
    return Standing.TO_REVIEW if review is None else Standing.REVIEWED


class _Maker:
    """Makes the lines of one sheet; holds what every line needs."""

    def __init__(
        self, scored: Scored, given: Answers, files: Mapping[str, tuple[FileView, ...]], reviewers: Mapping[str, str]
    ) -> None:
        self.scored = scored
        self.given = given
        self.files = files
        self.reviewers = reviewers
        self.shown = visible(scored.questionnaires, given)
        self.marks = {mark.question_id: mark for theme in scored.score.themes for mark in theme.marks}

    def lines(self) -> tuple[Line, ...]:
        """The visible questions in order."""
        return tuple(
            self._line(questionnaire, section, question)
            for questionnaire in self.scored.questionnaires
            for section in questionnaire.sections
            for question in section.questions
            if question.id in self.shown
        )

    def _line(self, questionnaire: Questionnaire, section: Section, question: Question) -> Line:
        name, stored = question.id, self.scored.answers.get(question.id)
        state = progress.state_of(question, self.given.get(name), self.shown)
        return Line(
            question=question, questionnaire_id=questionnaire.id, section_id=section.id,
            depth=_depth(questionnaire, question), state=state, standing=standing_of(state, stored),
            stored=stored,
            files=self.files.get(name, ()), mark=self.marks.get(name),
            flags=tuple(flag for flag in self.scored.score.flags if flag.question_id == name),
            hits=tuple(hit for hit in self.scored.working.hits if name in hit.affects),
            reviewed_by=self.reviewers.get(name, ""),
        )  # fmt: skip


def _depth(questionnaire: Questionnaire, question: Question) -> int:
    depth = 0
    while question.follow_up is not None:
        question, depth = questionnaire.by_id[question.follow_up.of], depth + 1
    return depth
