"""What a report is composed from: the domain's values, and what only the database knows, as plain values.

services/reporting fills it from the database; tests and benchmarks fill it from a questionnaire and some answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from vendorrisk.domain.answers import Answers
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.contradictions import Hit
from vendorrisk.domain.marks import Mark
from vendorrisk.domain.questionnaire import Question, Questionnaire
from vendorrisk.domain.scoring import Score
from vendorrisk.reports import view


@dataclass(frozen=True, slots=True)
class Told:
    """How an answer came about: who said it, when, from where, with which comment."""

    by: str
    origin: Origin
    on: date
    comment: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A contradiction that a reviewer set aside."""

    hit: Hit
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The names and days at the head of the report."""

    reference: str
    asked_at: str
    asked_by: str
    organisation: str
    vendor: str
    vendor_reference: str
    service: str
    assessment: str
    request: str
    sent_at: str
    submitted_at: str
    owner: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that `compose.report` needs. `answers` are those that `score` was computed from."""

    heading: Heading
    questionnaires: tuple[Questionnaire, ...]
    digests: Mapping[str, str]
    answers: Answers
    told: Mapping[str, Told]
    score: Score
    inputs_hash: str
    rules_version: str = ""
    rules_digest: str = ""
    hits: tuple[Hit, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    tier_reasons: tuple[str, ...] = ()
    decision: view.Decision | None = None
    files: tuple[view.File, ...] = ()
    trail: view.Trail = field(default_factory=lambda: view.Trail(0, (), (), ""))
    head: view.Head | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "questions", {q.id: q for asked in self.questionnaires for q in asked})
        object.__setattr__(self, "marks", {m.question_id: m for theme in self.score.themes for m in theme.marks})

    questions: Mapping[str, Question] = field(init=False)
    marks: Mapping[str, Mark] = field(init=False)

    def of_question(self, code: str) -> Iterator[view.File]:
        """The files that were attached to a question and are still there."""
        return (file for file in self.files if code in file.codes and not file.removed_at)
