"""kill -9 of the whole service 25 times while 8 respondents save: nothing acknowledged may be lost."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.faults import seats, writers
from bench.faults.counts import Count
from bench.faults.service import Service, environment, free_port
from bench.faults.writers import Writers

KILLS, SAVES, WRITERS = 25, 5_000, 8
AGAIN_SECONDS = 2.0


def counts(kills: int = KILLS, saves: int = SAVES) -> Iterator[Count]:
    """What was lost, and how long each start took."""
    with tempfile.TemporaryDirectory() as folder:
        environ = environment(Path(folder), port=free_port())
        seated = seats.take(environ, WRITERS)
        service = Service(environ, log=Path(folder) / "log")
        service.start()
        writing = Writers(service.port, seated)
        writing.start()
        starts, cpu = [], []
        try:
            for number in range(1, kills + 1):
                writing.wait_for(saves * number // (kills + 1))
                service.kill()
                starts.append(service.start())
                cpu.append(service.cpu_seconds())
            writing.wait_for(saves)
        finally:
            notes = writing.stop()
            service.stop()
        lost = writers.lost(notes, seats.kept(environ))
    seen = f"{kills} kills; failed {notes.counts['failed']}, unknown {notes.counts['unknown']}"
    yield Count("kill -9 of the service: no acknowledged answer is lost", notes.acknowledged, lost, seen)
    slow = sum(seconds > AGAIN_SECONDS for seconds in starts)
    times = (
        f"median {statistics.median(starts):.2f} s, slowest {max(starts):.2f} s; "
        f"of processor time {statistics.median(cpu):.2f} s"
    )
    yield Count(f"serving again within {AGAIN_SECONDS:g} s of its start", len(starts), slow, times)
