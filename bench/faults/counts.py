"""What a fault test returns: one promise, how often it was put to the test, and how often it was broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """One promise. `more` says what else was seen: the slowest, how many duplicates, …"""

    promise: str
    tried: int
    broken: int
    more: str = ""

    def __str__(self) -> str:
        word = "ok    " if self.broken == 0 and self.tried else "BROKEN"
        return f"{word} {self.broken:5d} of {self.tried:6d}  {self.promise}{f' ({self.more})' if self.more else ''}"
