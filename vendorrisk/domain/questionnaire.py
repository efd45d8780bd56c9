"""The shape of a questionnaire: what an author writes in YAML, and what every other module reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType


class QuestionType(StrEnum):
    """How a question is answered. `domain/question_types/` knows how to read and check each."""

    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    TABLE = "table"
    FILE = "file"
    DECLARATION = "declaration"


class FlagLevel(StrEnum):
    """How bad an answer is in itself, whatever the averages say."""

    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    __hash__ = str.__hash__  # Enum's own is written in Python, and a score looks up 50 of these

    @property
    def severity(self) -> int:
        """1 (medium) to 3 (critical), for comparing."""
        return _SEVERITY[self]


_SEVERITY = {FlagLevel.MEDIUM: 1, FlagLevel.HIGH: 2, FlagLevel.CRITICAL: 3}


class Purpose(StrEnum):
    """Who fills a questionnaire in: a vendor (scored by risk), or our own staff before sending (scored by points)."""

    VENDOR = "vendor"
    INTAKE = "intake"


class Factor(StrEnum):
    """What an intake item measures. Items without a factor are information only."""

    IMPACT = "impact"
    EXPOSURE = "exposure"


class NumberKind(StrEnum):
    """What a number counts; a percent lies between 0 and 100."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    PERCENT = "percent"


class Unit(StrEnum):
    """What a number or the age of a date is measured in."""

    PERCENT = "percent"
    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"
    RECORDS = "records"
    DAYS_AGO = "days ago"
    MONTHS_AGO = "months ago"


class ColumnType(StrEnum):
    """How one cell of a table question is answered."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people, in the questionnaire's own language and, where given, in others (BCP 47 codes)."""

    default: str
    translations: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.default

    def __bool__(self) -> bool:
        return bool(self.default)

    def in_language(self, language: str) -> str:
        """The text in `language`, or in the questionnaire's own language where there is no translation."""
        return dict(self.translations).get(language, self.default)


NO_TEXT = Text("")


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to tick. `low` and `high` bound its risk (0 best, 1 worst); None where it is not scored."""

    code: str
    label: Text
    low: Decimal | None = None
    high: Decimal | None = None
    flag: FlagLevel | None = None
    non_waivable: bool = False
    exclusive: bool = False
    unknown: bool = False
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """One line of a banded question: values for which `value operator limit` holds are graded as `option`."""

    option: str
    operator: str
    limit: Decimal


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Asked only because of another question: some option ticked in `of` is in `when`, or is not in `unless`."""

    of: str
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table question. `special` are codes that may stand in a date or number cell ("not_told")."""

    id: str
    label: Text
    type: ColumnType
    required: bool = False
    help: Text = NO_TEXT
    options: tuple[Option, ...] = ()
    special: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Grading:
    """How a table or file is graded until a reviewer says otherwise; the three values are option codes.

    A table is `full` when every required cell of every row is filled, it has at least `min_rows` rows (or the vendor
    states that there are no more), at least one row for each option ticked in `row_for_each`, and the dates named in
    `in_order` do not run backwards; `part` with at least one row; else `none`. A file is `part` once one is there.
    """

    full: str
    part: str
    none: str
    min_rows: int = 1
    row_for_each: str | None = None
    in_order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a typed answer must keep to; None means the type's own limit."""

    number: NumberKind = NumberKind.DECIMAL
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    max_length: int | None = None
    pattern: str | None = None
    pattern_hint: Text = NO_TEXT
    max_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `id` is what conditions and rules say, `code` (`DS-04`) what people and files from outside say."""

    id: str
    code: str
    type: QuestionType
    text: Text
    why: Text = NO_TEXT
    help: Text = NO_TEXT
    example: Text = NO_TEXT
    required: bool = True
    weight: int = 0
    options: tuple[Option, ...] = ()
    unit: Unit | None = None
    bands: tuple[Band, ...] = ()
    special: tuple[str, ...] = ()
    evidence: Text = NO_TEXT
    needs_evidence: bool = False
    na_allowed: bool = True
    maps: tuple[str, ...] = ()
    factor: Factor | None = None
    follow_up: FollowUp | None = None
    show_if: str | None = None
    columns: tuple[Column, ...] = ()
    grading: Grading | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def is_scored(self) -> bool:
        """Whether the answer moves a theme score: it has a weight and options with a risk."""
        return self.weight > 0 and any(option.high is not None for option in self.options)

    def option(self, code: str) -> Option | None:
        """The option with this code, or None."""
        return next((option for option in self.options if option.code == code), None)

    @property
    def special_options(self) -> tuple[Option, ...]:
        """The options that may be chosen instead of a number or date ("never measured", "unknown")."""
        return tuple(option for option in self.options if option.code in self.special)


@dataclass(frozen=True, slots=True)
class Section:
    """A page of questions."""

    id: str
    title: Text
    intro: Text
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Questionnaire:
    """A versioned set of questions. For scoring, one questionnaire is one theme."""

    id: str
    version: str
    title: Text
    sections: tuple[Section, ...]
    about: Text = NO_TEXT
    purpose: Purpose = Purpose.VENDOR
    language: str = "en"

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    def __hash__(self) -> int:
        # Cheap on purpose: plans are cached by questionnaire; hashing every question would cost more than they do.
        return hash((self.id, self.version))

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All questions in the order of the file."""
        return tuple(question for section in self.sections for question in section.questions)

    @cached_property
    def by_id(self) -> Mapping[str, Question]:
        """Questions by id."""
        return MappingProxyType({question.id: question for question in self.questions})

    @cached_property
    def section_of(self) -> Mapping[str, Section]:
        """The section of each question, by the question's id."""
        return MappingProxyType({question.id: each for each in self.sections for question in each.questions})

    @cached_property
    def by_code(self) -> Mapping[str, Question]:
        """Questions by code."""
        return MappingProxyType({question.code: question for question in self.questions})

    def find(self, name: str) -> Question | None:
        """The question that has `name` as its id or its code."""
        return self.by_id.get(name) or self.by_code.get(name)

    @cached_property
    def children(self) -> Mapping[str, tuple[Question, ...]]:
        """Follow-ups by the id of the question that they follow."""
        found: dict[str, list[Question]] = {}
        for question in self.questions:
            if question.follow_up is not None:
                found.setdefault(question.follow_up.of, []).append(question)
        return MappingProxyType({parent: tuple(children) for parent, children in found.items()})
