"""What the rows of an incident register add up to: days to discover, to contain and to tell, and dates that cannot be.

Contradiction rules read these figures (`incident_facts.days_to_tell_best`). A date known only to the month or year is a
range: "best" reads it in the vendor's favour, "worst" against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from vendorrisk.domain.answers import PartialDate, Row, Table
from vendorrisk.domain.grading import cell_date
from vendorrisk.domain.plain_values import earliest, latest

REGISTER = "incident_register"
"""The id of the table that holds one row per event."""

_DAYS_A_MONTH = 30.4375


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """Over all rows; None where no row has both dates."""

    days_to_tell_best: int | None
    days_to_tell_worst: int | None
    days_to_discover_worst: int | None
    days_to_contain_worst: int | None
    never_told: bool
    dates_out_of_order: bool
    dwell_months_worst: float | None
    told_after_public: bool


def of(table: Table, *, on: date) -> IncidentFacts:
    """The facts of a register; `on` is today: dates after it lie in the future."""
    rows = table.rows
    told_best = _most(_gap(row, "discovered_on", "customers_told_on", kind=True) for row in rows)
    told_worst, found_worst, contained_worst = (
        _most(_gap(row, start, end, kind=False) for row in rows)
        for start, end in (
            ("discovered_on", "customers_told_on"), ("compromised_on", "discovered_on"),
            ("discovered_on", "contained_on"),
        )
    )  # fmt: skip
    return IncidentFacts(
        told_best, told_worst, found_worst, contained_worst,
        never_told=any(row.get("customers_told_on") == "not_told" for row in rows),
        dates_out_of_order=any(_cannot_be(row, on) for row in rows),
        dwell_months_worst=None if found_worst is None else found_worst / _DAYS_A_MONTH,
        told_after_public=any(_before(row, "public_on", "customers_told_on") for row in rows),
    )  # fmt: skip


def _dates(row: Row, *columns: str) -> list[PartialDate | None]:
    return [cell_date(row.get(column, "")) for column in columns]


def _gap(row: Row, start: str, end: str, *, kind: bool) -> int | None:
    first, last = _dates(row, start, end)
    if first is None or last is None:
        return None
    of_start: Callable[[PartialDate], date] = latest if kind else earliest
    of_end: Callable[[PartialDate], date] = earliest if kind else latest
    return max((of_end(last) - of_start(first)).days, 0)


def _most(days: Iterable[int | None]) -> int | None:
    return max((value for value in days if value is not None), default=None)


def _before(row: Row, first: str, second: str) -> bool:
    """Whether `first` certainly lies before `second`."""
    one, other = _dates(row, first, second)
    return one is not None and other is not None and latest(one) < earliest(other)


def _cannot_be(row: Row, on: date) -> bool:
    known = _dates(row, "compromised_on", "discovered_on", "contained_on", "customers_told_on", "regulator_told_on")
    return (
        any(value is not None and earliest(value) > on for value in known)
        or _before(row, "discovered_on", "compromised_on")
        or _before(row, "contained_on", "discovered_on")
        or _before(row, "customers_told_on", "discovered_on")
    )
