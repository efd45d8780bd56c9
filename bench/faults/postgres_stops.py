"""PostgreSQL stopped at once 5 times while respondents save: 503 meanwhile, nothing lost, well soon after."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, text

from bench.faults import seats, writers
from bench.faults.counts import Count
from bench.faults.postgres import Postgres
from bench.faults.service import Service, environment, free_port
from bench.faults.writers import Writers

STOPS, SAVES, WRITERS = 5, 10_000, 8
AWAY_SECONDS, WELL_SECONDS = 1.5, 5.0


def counts(stops: int = STOPS, saves: int = SAVES) -> Iterator[Count]:
    """What was lost, what was answered meanwhile, and how soon saves were taken again."""
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder) / "pg") as server:
        environ = environment(Path(folder), port=free_port()) | {"VENDORRISK_DATABASE": server.url}
        _expect_safety(server.url)
        seated = seats.take(environ, WRITERS)
        service = Service(environ, log=Path(folder) / "log")
        service.start()
        writing = Writers(service.port, seated)
        writing.start()
        well = []
        try:
            for number in range(1, stops + 1):
                writing.wait_for(saves * number // (stops + 1))
                server.stop_at_once()
                time.sleep(AWAY_SECONDS)
                server.start()
                well.append(_first_save(writing))
            writing.wait_for(saves)
        finally:
            notes = writing.stop()
            service.stop()
        lost = writers.lost(notes, seats.kept(environ))
    seen = f"{stops} stops; failed {notes.counts['failed']}, unknown {notes.counts['unknown']}"
    yield Count("PostgreSQL stopped at once: no acknowledged answer is lost", notes.acknowledged, lost, seen)
    told = Counter({status: n for status, n in notes.statuses.items() if status not in (200, 409)})
    wrong = sum(n for status, n in told.items() if status != 503)
    yield Count("PostgreSQL away: the service answers 503, never 500", told[503] + wrong, wrong, str(dict(told)))
    slow = sum(seconds > WELL_SECONDS for seconds in well)
    yield Count(f"well within {WELL_SECONDS:g} s of its return", len(well), slow, f"slowest {max(well):.2f} s")


def _first_save(writing: Writers) -> float:
    before = writing.notes.acknowledged
    return writers.wait(lambda: writing.notes.acknowledged > before, "a save after the stop")


def _expect_safety(url: str) -> None:
    """With fsync off, the test would prove nothing."""
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW fsync")) == "on"
    engine.dispose()
