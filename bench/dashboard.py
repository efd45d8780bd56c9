"""Home and the lists over 200,000 assessments, against the same over 10,000, and against 10 ms."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from bench.many import Filling
from bench.measure import Line, at_most, side_by_side
from bench.pages import settings_in
from vendorrisk.db.engine import Database
from vendorrisk.services.casework import assessments, home, vendor_search
from vendorrisk.services.operating import keys, opening

FEW, MANY = 10_000, 200_000
Read = Callable[[Session, datetime], object]
LISTS: dict[str, Read] = {
    "home": lambda session, now: home.show(session, now=now),
    "assessments": lambda session, now: assessments.page(session, assessments.Filters(), 1, now=now),
    "overdue": lambda session, now: assessments.page(session, assessments.Filters(due="overdue"), 1, now=now),
    "of one band": lambda session, now: assessments.page(session, assessments.Filters(band="high"), 1, now=now),
    "vendors": lambda session, now: vendor_search.page(session, vendor_search.Filters(), 1),
}


def lines() -> list[Line]:
    """Two lines for each list."""
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        small, large = filled(Path(few), FEW), filled(Path(many), MANY)
        found = []
        for name, read in LISTS.items():
            ours, same = _reading(large, read), _reading(small, read)
            title = f"{name}, {MANY:,} assessments"
            found.append(side_by_side(title, ours, f"the same over {FEW:,}", same, budget=2, rounds=60))
            found.append(at_most(f"{title}, p95", ours, seconds=0.010))
        return found


def filled(folder: Path, cases: int) -> Database:
    """A database with so many cases."""
    settings = settings_in(folder)
    keys.create(settings.key_file)
    database = opening.database(settings)
    with database.writing() as session:
        Filling(session, now=datetime.now(UTC)).write(cases)
    return database


def _reading(database: Database, read: Read) -> Callable[[], None]:
    def run() -> None:
        with database.reading() as session:
            read(session, datetime.now(UTC))

    return run
