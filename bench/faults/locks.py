"""Races and locks over HTTP: a locked SQLite, twenty who save one answer at once, fifty who press Send at once."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from bench.faults import seats
from bench.faults.counts import Count
from bench.faults.postgres import Postgres
from bench.faults.seats import Seat
from bench.faults.service import Service, environment, free_port
from bench.faults.writers import Browser

Result = TypeVar("Result")
SHORT, LONG, PATIENCE = 3.0, 12.0, 5.5
SAVERS, PRESSES = 20, 50


def counts() -> Iterator[Count]:
    """On SQLite with its locks, then the races once more on PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        environ = environment(Path(folder), port=free_port())
        with _served(environ, Path(folder)) as (service, (seat, other, third)):
            file = Path(folder) / "service.sqlite"
            yield from _locked(service, seat, file)
            yield from _races(service, environ, other, third, "SQLite")
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder) / "pg") as server:
        environ = environment(Path(folder), port=free_port()) | {"VENDORRISK_DATABASE": server.url}
        with _served(environ, Path(folder)) as (service, (_, other, third)):
            yield from _races(service, environ, other, third, "PostgreSQL")


@contextmanager
def _served(environ: dict[str, str], folder: Path) -> Iterator[tuple[Service, list[Seat]]]:
    seated = seats.take(environ, 3)
    service = Service(environ, log=folder / "log")
    service.start()
    try:
        yield service, seated
    finally:
        service.stop()


def _locked(service: Service, seat: Seat, file: Path) -> Iterator[Count]:
    browser, question = Browser(service.port, seat), next(iter(seat.sections))
    browser.see()
    with _held(file, SHORT):
        begun = time.perf_counter()
        status, _, _ = browser.save(question, "behind a short lock", 0)
        taken = time.perf_counter() - begun
    waited = status == 200 and SHORT - 0.5 <= taken <= PATIENCE
    yield Count("SQLite locked for 3 s: the save waits and is kept", 1, not waited, f"{status} after {taken:.1f} s")
    with _held(file, LONG):
        begun = time.perf_counter()
        status, _, headers = browser.save(question, "behind a long lock", 1)
        taken = time.perf_counter() - begun
        page, _ = browser.get(seat.sections[question])
    told = status == 503 and headers.get("Retry-After", "").isdigit() and taken <= PATIENCE
    seen = f"{status} after {taken:.1f} s, Retry-After {headers.get('Retry-After')}"
    yield Count("SQLite locked for 12 s: 503 with Retry-After within 5.5 s", 1, not told, seen)
    yield Count("SQLite locked for 12 s: pages are still read", 1, page != 200)
    status, _, _ = browser.save(question, "afterwards", 1)
    yield Count("SQLite unlocked: saved again without a restart", 1, status != 200)
    browser.close()


def _races(service: Service, environ: dict[str, str], seat: Seat, other: Seat, kind: str) -> Iterator[Count]:
    question = next(iter(seat.sections))

    def save(browser: Browser, number: int) -> tuple[int, dict[str, object]]:
        return browser.save(question, f"text {number}", 0)[:2]

    saved = _at_once(service, seat, SAVERS, save)
    statuses = Counter(status for status, _ in saved)
    (winner,) = [f"text {n}" for n, (status, _) in enumerate(saved) if status == 200] or [""]
    clashes = [(n, plain) for n, (status, plain) in enumerate(saved) if status == 409]
    silent = sum(
        winner not in str(plain.get("theirs")) or f"text {n}" not in str(plain.get("mine")) for n, plain in clashes
    )
    wrong = abs(statuses[200] - 1) + abs(statuses[409] - SAVERS + 1) + silent
    seen = f"{dict(statuses)}, {len(clashes) - silent} times with both texts"
    yield Count(f"{SAVERS} parallel saves of one answer on {kind}: one wins, the others see both", SAVERS, wrong, seen)

    def press(browser: Browser, _number: int) -> int:
        form = {"name": "Victor Lang", "role": "CISO", "declared": "y", "incomplete": "y", "key": "one"}
        return browser.post(f"/respond/{other.reference}/submit", form)[0]

    pressed = Counter(_at_once(service, other, PRESSES, press))
    kept = seats.kept(environ)
    wrong = abs(kept.submitted - 1) + abs(kept.letters.get("receipt", 0) - 1) + PRESSES - pressed[303]
    seen = f"{dict(pressed)}, {kept.submitted} submission, {kept.letters.get('receipt', 0)} receipt letter"
    yield Count(f"{PRESSES} presses of Send at once on {kind}: sent once, one receipt", PRESSES, wrong, seen)


def _at_once(service: Service, seat: Seat, number: int, act: Callable[[Browser, int], Result]) -> list[Result]:
    """Let `number` browsers do the same at the same moment."""
    start = threading.Barrier(number)

    def run(place: int) -> Result:
        browser = Browser(service.port, seat)
        browser.see()
        start.wait()
        try:
            return act(browser, place)
        finally:
            browser.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@contextmanager
def _held(file: Path, seconds: float) -> Iterator[None]:
    """Another program holds SQLite's write lock for a while."""
    taken = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            taken.set()
            time.sleep(seconds)
            other.execute("ROLLBACK")

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    yield
    thread.join()
