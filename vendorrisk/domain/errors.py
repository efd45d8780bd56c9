"""What can go wrong, said as a state of the world; every floor raises and catches these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class VendorRiskError(Exception):
    """Anything that this service refuses to do; the text is a sentence for people."""


class WrongState(VendorRiskError):
    """The thing exists, but not in a state in which this can be done with it."""


class NotFound(VendorRiskError):
    """There is no such thing, or the one who asks may not know that there is."""


class InvalidAnswer(VendorRiskError):
    """An answer that cannot be kept as it is; the text tells the person what to change."""


class InvalidFile(InvalidAnswer):
    """A file that is not taken; the message says why and what to do instead."""


Path = tuple[str | int, ...]
"""Where something stands in a document: keys and, counted from 0, places in lists."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a document. `at_key`: the key itself is wrong, not the value under it."""

    path: Path
    message: str
    at_key: bool = False

    def __str__(self) -> str:
        place = ".".join(str(part) for part in self.path)
        return f"{place}: {self.message}" if place else self.message


class CannotLoad(VendorRiskError):
    """A document that is refused, with every mistake found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
