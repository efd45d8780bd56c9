"""What an answer is: its value, the states it can be in, whence it comes and how well it is backed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class EvidenceLevel(StrEnum):
    """How well an answer is backed (scoring step 3)."""

    CLAIMED = "claimed"
    EVIDENCED = "evidenced"
    VERIFIED = "verified"

    __hash__ = str.__hash__  # Enum's own is written in Python, and every score looks 100 of these up


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date known to the day, the month or only the year."""

    year: int
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        return "-".join(f"{part:02d}" for part in (self.year, self.month, self.day) if part is not None)


Cell = str | tuple[str, ...]
Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table answer, cells by column id (text as typed and normalised; several codes as a tuple).

    `complete` is the vendor's statement that there are no more rows than these.
    """

    rows: tuple[Row, ...]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed declaration."""

    name: str
    role: str
    on: date


Value = str | tuple[str, ...] | Decimal | PartialDate | Table | Signature
"""A code or text; codes ticked or names of files; a number; a date; a table; a signature."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Exactly one of `value`, `not_applicable` (the reason) and `unknown` ("do not know") is set, or none.

    `grade` is a reviewer's grade (option code) of a table or file. `answered_on` is the last confirmation.
    """

    value: Value | None = None
    not_applicable: str | None = None
    approved: bool = False
    unknown: bool = False
    evidence: EvidenceLevel = EvidenceLevel.CLAIMED
    answered_on: date | None = None
    contradicted: bool = False
    grade: str | None = None


Answers = Mapping[str, Answer]
"""Answers by question id. A question that is not a key is unanswered."""

UNANSWERED = Answer()
