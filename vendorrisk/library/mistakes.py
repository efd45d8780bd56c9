"""Mistakes in files, as people read them: `file:line:column: message`, and the line with a caret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vendorrisk.domain.errors import CannotLoad, Problem

_WIDTH = 100


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a file; line and column count from 1."""

    file: str
    line: int
    column: int
    message: str
    problem: Problem = field(default=Problem((), ""), compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class BrokenFile(CannotLoad):
    """A file, or several, that cannot be loaded. Its text is one line for each mistake."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__(mistake.problem for mistake in self.mistakes)

    @property
    def lines(self) -> tuple[str, ...]:
        """Every mistake as `file:line:column: message`."""
        return tuple(str(mistake) for mistake in self.mistakes)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def excerpt(text: str, line: int, column: int) -> str:
    """The line of `text` with a caret under the column, for a terminal; empty where there is no such line."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return ""
    # A long line is cut around the column, so that the caret stays in view.
    start = max(0, column - 1 - _WIDTH // 2) if len(lines[line - 1]) > _WIDTH else 0
    shown = lines[line - 1][start : start + _WIDTH].replace("\t", " ")
    margin = f"{line:>5} | "
    return f"{margin}{shown}\n{' ' * (len(margin) - 2)}| {' ' * (column - 1 - start)}^"
