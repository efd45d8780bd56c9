"""One page of a longer list; services return it, `ui.pagination` draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

Item = TypeVar("Item")
Row = TypeVar("Row")

DEFAULT_SIZE = 25
COUNTED = 10_000
"""Lists are counted so far and no further: nobody pages through more, and counting all would take ever longer."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of page `number` (the first is 1) out of `total`, `size` to a page."""

    items: Sequence[Item]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))

    @property
    def is_all(self) -> bool:
        """Whether `total` is the count of all, and not just as far as was counted."""
        return self.total < COUNTED

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this one."""
        return self.number > 1

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.number < self.pages

    @property
    def first(self) -> int:
        """The place of this page's first item in the whole list; 0 where there is none."""
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last(self) -> int:
        """The place of this page's last item in the whole list."""
        return (self.number - 1) * self.size + len(self.items)

    def map(self, view: Callable[[Item], Row]) -> Page[Row]:
        """The same page of other things: rows turned into what a template shows."""
        return Page([view(item) for item in self.items], self.number, self.size, self.total)


def number_from(text: str | None) -> int:
    """The page number out of a query string; whatever is not one means the first page."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 6:
        return 1
    return max(1, int(text))


def fetch(session: Session, query: Select[Item], number: int, *, size: int = DEFAULT_SIZE) -> Page[Item]:
    """One page of `query` and the count of all, in two queries. Past the end gives the last page."""
    total = count(session, query)
    number = within(number, total, size)
    rows = session.scalars(query.limit(size).offset((number - 1) * size))
    return Page(list(rows), number, size, total)


def within(number: int, total: int, size: int) -> int:
    """The page asked for, or the nearest there is."""
    return max(1, min(number, -(-total // size)))


def count(session: Session, query: Select[Any]) -> int:
    """How many rows a query has, as far as lists are counted."""
    # Nothing is selected, so that an index alone can answer.
    counted = query.with_only_columns(literal(1), maintain_column_froms=True).order_by(None).limit(COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(counted)) or 0
