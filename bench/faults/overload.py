"""Four times the respondents that one service is made for: it may say 429 or 503, and loses nothing."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.faults import seats, writers
from bench.faults.counts import Count
from bench.faults.service import Service, environment, free_port
from bench.faults.writers import Browser, Writers

RESPONDENTS, TIMES = 200, 4
PAUSE = 2.0
"""A respondent saves every two seconds: 200 of them are the usual load."""
SECONDS, NORMAL_SECONDS = 30.0, 10.0
_MAY = frozenset({200, 409, 429, 503})


def counts(seconds: float = SECONDS, respondents: int = RESPONDENTS * TIMES) -> Iterator[Count]:
    """What was answered under the load, what was lost, and how soon a save is quick again."""
    with tempfile.TemporaryDirectory() as folder:
        environ = environment(Path(folder), port=free_port())
        seated = seats.take(environ, respondents)
        service = Service(environ, log=Path(folder) / "log")
        service.start()
        usual = _usual(service, seated[0])
        writing = Writers(service.port, seated[1:], pause=PAUSE)
        writing.start()
        time.sleep(seconds)
        notes = writing.stop()
        begun = time.perf_counter()
        writers.wait(lambda: _usual(service, seated[0]) < max(10 * usual, 0.5), "a quick save", seconds=60)
        normal = time.perf_counter() - begun
        service.stop()
        lost = writers.lost(notes, seats.kept(environ))
    wrong = sum(n for status, n in notes.statuses.items() if status not in _MAY)
    seen = f"{dict(notes.statuses)}, unknown {notes.counts['unknown']}"
    yield Count(f"{TIMES} × load: answers are 200, 429 or 503", sum(notes.statuses.values()), wrong, seen)
    yield Count(f"{TIMES} × load: nothing acknowledged is lost", notes.acknowledged, lost)
    seen = f"after {normal:.1f} s"
    yield Count(f"{TIMES} × load: back to normal within {NORMAL_SECONDS:g} s", 1, normal > NORMAL_SECONDS, seen)


def _usual(service: Service, seat: seats.Seat) -> float:
    """How long a page takes a respondent who is there by himself."""
    browser, path = Browser(service.port, seat), f"/respond/{seat.reference}"
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        status, _ = browser.get(path)
        taken.append(time.perf_counter() - begun if status == 200 else 60)
    browser.close()
    return statistics.median(taken)
