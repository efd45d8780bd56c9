"""The whole report as frozen plain values: all that its templates see. `compose` makes it, `snapshots` keeps it.

Figures are text, already rounded as they are printed; days are "2026-11-23", moments "2026-11-23T05:26:00Z". Nothing is
looked up later, so the same snapshot gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure twice: on what is backed today, and as the vendor declares it."""

    assured: str
    declared: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Over the questions that were asked; `assumed` are the flags that silence brings, `overridden` the
    rules set aside and flags lowered by a person.
    """

    asked: int
    answered: int
    unanswered: int
    unknown: int
    not_applicable: int
    not_applicable_pending: int
    not_asked: int
    critical: int
    high: int
    medium: int
    assumed: int
    overridden: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One band on the line from 0 to 100."""

    band: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of the method, with the sentences that say how it came about."""

    band: str
    number_band: str
    floor: str
    because: str
    residual: Pair | None
    effectiveness: Pair | None
    inherent: str
    tier: int
    tier_reasons: tuple[str, ...]
    provisional: str
    counts: Counts
    scale: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to be done, by whom and until when."""

    what: str
    owner: str
    due: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on this score."""

    outcome: str
    reason: str
    by: str
    at: str
    valid_until: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Risk:
    """One of the top risks, in words for a director."""

    level: str
    code: str
    question: str
    said: str
    matters: str


@dataclass(frozen=True, slots=True)
class Gain:
    """How many points a theme's score would rise if this answer were perfect and proven."""

    code: str
    question: str
    points: str


@dataclass(frozen=True, slots=True)
class Theme:
    """One questionnaire and its score, 0 to 100; None where nothing was left to assess."""

    id: str
    title: str
    version: str
    digest: str
    score: Pair | None
    weakest: bool
    answered: int
    asked: int
    working: str
    critical: int
    high: int
    medium: int
    gains: tuple[Gain, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """One open flag and the sentence why. `assumed` where silence, or an N/A not approved, brings it."""

    level: str
    code: str
    question: str
    said: str
    because: str
    matters: str
    theme: str
    assumed: bool


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Answers that cannot all be true. `set_aside` is the reviewer's reason where the rule no longer counts."""

    key: str
    level: str
    title: str
    message: str
    effect: str
    codes: tuple[str, ...]
    set_aside: str
    set_aside_by: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One filled cell of a table answer."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with everything that was said to it, and what it came to."""

    anchor: str
    code: str
    question: str
    is_follow_up: bool
    state: str
    text: str
    rows: tuple[tuple[Cell, ...], ...]
    comment: str
    origin: str
    by: str
    on: str
    source: str
    evidence: str
    files: tuple[str, ...]
    flags: tuple[str, ...]
    contradicted_by: tuple[str, ...]
    working: str


@dataclass(frozen=True, slots=True)
class Section:
    """The answers of one page of a questionnaire."""

    title: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """All answers to one questionnaire; `not_asked` are codes of questions that other answers made needless."""

    id: str
    title: str
    sections: tuple[Section, ...]
    not_asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One line of the evidence register."""

    name: str
    kind: str
    size: int
    sha256: str
    uploaded_at: str
    uploaded_by: str
    removed_at: str
    scan: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The band would be another if one weight were changed."""

    code: str
    question: str
    factor: str
    band: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """One line of a table of the method: a name and from where to where it holds."""

    name: str
    reach: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the method: what is worked out, the formula, and what it means."""

    name: str
    formula: str
    text: str


@dataclass(frozen=True, slots=True)
class Method:
    """The method as it was when the score was computed."""

    version: str
    inputs_hash: str
    rules_version: str
    rules_digest: str
    steps: tuple[Step, ...]
    bands: tuple[Threshold, ...]
    tiers: tuple[Threshold, ...]
    evidence: tuple[Threshold, ...]
    freshness: tuple[Threshold, ...]
    floors: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the trail."""

    number: int
    at: str
    kind: str
    by: str
    about: str


@dataclass(frozen=True, slots=True)
class Trail:
    """The last events of the case, the oldest first; no readings, no reports. `head` is the HMAC of the last one."""

    total: int
    events: tuple[Event, ...]
    counts: tuple[tuple[str, int], ...]
    head: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the whole trail's chain when the report was asked for."""

    position: int
    chain: str
    sealed_at: str

    @property
    def short(self) -> str:
        """As much of it as people copy by hand, and as `trail verify --head` needs."""
        return f"{self.position}:{self.chain[:16]}"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is printed."""

    reference: str
    asked_at: str
    asked_by: str
    language: str
    organisation: str
    vendor: str
    vendor_reference: str
    service: str
    assessment: str
    request: str
    sent_at: str
    submitted_at: str
    as_of: str
    owner: str
    result: Result
    decision: Decision | None
    risks: tuple[Risk, ...]
    not_looked_at: tuple[str, ...]
    themes: tuple[Theme, ...]
    flags: tuple[Flag, ...]
    contradictions: tuple[Contradiction, ...]
    answers: tuple[Chapter, ...]
    evidence: tuple[File, ...]
    changes: tuple[Change, ...]
    method: Method
    trail: Trail
    head: Head | None = None
