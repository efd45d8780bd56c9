"""How many encrypted answers 20 threads save per second on SQLite with synchronous=FULL, and whether any is lost.

Run it with `python -m bench.sqlite_writers [folder]`. The floor beside it: one thread, the bare driver, the same two
rows (answer and event) in one transaction, without encryption.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select

from tests import builders
from vendorrisk.db import engine, migrate, vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Answer, Event, Request, Vendor
from vendorrisk.db.vault import MasterKey
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.answering import saves
from vendorrisk.services.answering.answers import NewAnswer

THREADS, EACH = 20, 100


def main() -> None:
    """Measure and print."""
    parent = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        fsync = _fsyncs(Path(folder) / "probe")
        floor = _bare(Path(folder) / "bare.sqlite")
        took, acknowledged, lost = _threads(Path(folder) / "ours.sqlite")
    rate = THREADS * EACH / sum(took)
    ours = sorted(acknowledged)
    print(f"fsync of 4 KiB                  {1 / fsync:8.0f} /s")
    print(f"bare driver, one thread         {floor:8.0f} saves/s")
    print(f"{THREADS} threads, sealed and in trail  {rate:8.0f} saves/s   {floor / rate:.1f}x below the floor")
    print(f"waiting and saving              p50 {statistics.median(ours) * 1000:.1f} ms   "
          f"p95 {ours[len(ours) * 95 // 100] * 1000:.1f} ms   max {ours[-1] * 1000:.1f} ms")  # fmt: skip
    print(f"acknowledged {len(ours)}, lost {lost}")
    raise SystemExit(1 if lost else 0)


def _fsyncs(path: Path) -> float:
    import os

    with path.open("wb") as file:
        begun = time.perf_counter()
        for _ in range(100):
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    return (time.perf_counter() - begun) / 100


def _bare(path: Path) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE answers (id TEXT PRIMARY KEY, body BLOB, version INTEGER);"
        "CREATE TABLE events (number INTEGER PRIMARY KEY, body BLOB)"
    )
    begun = time.perf_counter()
    for _ in range(500):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO answers VALUES (?, ?, 1)", (uuid4().hex, bytes(200)))
        connection.execute("INSERT INTO events (body) VALUES (?)", (bytes(400),))
        connection.execute("COMMIT")
    rate = 500 / (time.perf_counter() - begun)
    connection.close()
    return rate


def _threads(path: Path) -> tuple[list[float], list[float], int]:
    """Total time, the time of each acknowledged save, and how many of them cannot be read back."""
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    database = Database(engine.make_engine(url), MasterKey("bench", bytes(range(32))))
    database.ensure_system_key()
    with database.writing() as session:
        requests = [builders.add_request(session).id for _ in range(THREADS)]
    times: list[float] = []
    saved: dict[tuple[object, str], str] = {}

    def save_many(request_id: object) -> None:
        for number in range(EACH):
            text = f"{request_id} {number}"
            begun = time.perf_counter()
            with database.writing() as session:
                request = session.get_one(Request, request_id)
                key_id = session.get_one(Vendor, request.vendor_id).key_id
                question = builders.question_of(session, request, "remote_access")
                saves.put(
                    session, request, key_id, question, NewAnswer("own", comment=text), expected_version=number,
                    origin=Origin.VENDOR, by=SYSTEM, now=builders.NOW,
                )  # fmt: skip
            times.append(time.perf_counter() - begun)
            saved[request_id, "remote_access"] = text

    begun = time.perf_counter()
    _run([partial(save_many, each) for each in requests])
    took = time.perf_counter() - begun
    with database.reading() as session:
        lost = sum(
            _comment(session, row) != saved[row.request_id, row.question_id] or row.version != EACH
            for row in session.scalars(select(Answer))
        )
        events = session.query(Event).filter_by(kind="answer.saved").count()
    database.close()
    return [took], times, lost + abs(THREADS * EACH - events) + abs(len(times) - THREADS * EACH)


def _comment(session: object, row: Answer) -> str:
    body = vault.open_json(session, row.body, context=f"answer:{row.request_id}:{row.question_id}")  # type: ignore[arg-type]
    return str(body["comment"])


def _run(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
