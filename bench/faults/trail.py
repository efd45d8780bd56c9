"""The trail: 100,000 events checked in time, and six ways to tamper, each named, in the database and in an export.

The attacker owns the database file or the export, knows this code and drops the triggers, but has no key. Each way is
tried twice: as it comes, and with the whole chain hashed anew after it, so that it fits together without the key. And
the service is killed while it seals.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.faults import service
from bench.faults.counts import Count
from vendorrisk.cli import main as cli
from vendorrisk.db.engine import Database
from vendorrisk.domain import chain
from vendorrisk.domain.audit import SYSTEM, Actor, ActorKind, EventKind
from vendorrisk.domain.chain import GENESIS, Row
from vendorrisk.jobs.seal_trail import Sealer
from vendorrisk.services import audit
from vendorrisk.services.auditing import anchor, trail_files, trail_rows
from vendorrisk.services.operating import opening
from vendorrisk.settings import Settings

EVENTS, FEW = 100_000, 2_000
SECONDS = 10.0
KILLS = 5
PLACE, OTHER, END = 700, 900, 1_500
"""Which event is tampered with, with which it is swapped, and behind which all is cut off."""

Line = dict[str, Any]


def counts() -> Iterable[Count]:
    """Time first, then the tamperings."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _in_time(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _tampered(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield _killed(Path(folder))


def _made(folder: Path, events: int) -> tuple[dict[str, str], Database]:
    """A sealed trail of so many events, as services write them."""
    environ = service.environment(folder)
    settings = Settings.from_env(environ)
    database = opening.database(settings)
    begun, case = datetime.now(UTC) - timedelta(seconds=events), uuid4()
    petra = Actor(ActorKind.STAFF, str(uuid4()), "Petra Novak")
    for first in range(0, events, 1000):
        with database.writing() as session:
            for number in range(first, min(first + 1000, events)):
                audit.record(
                    session, EventKind.ANSWER_SAVED, object_kind="assessment", object_id=case, by=petra,
                    now=begun + timedelta(seconds=number),
                    details={"request": "R-7F3K2M", "question": f"DS-{number % 64:02d}", "state": "answered",
                             "version": number, "origin": "vendor"},
                )  # fmt: skip
    Sealer(database, anchor.path_of(settings), lambda: datetime.now(UTC)).round()
    return environ, database


def _verify(environ: dict[str, str], *words: str) -> str:
    """Run the command in this process; returns everything that it says."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        cli.run(["trail", "verify", *words], environ, serve=lambda *_: None)
    return said.getvalue()


def _timed(environ: dict[str, str], *words: str) -> tuple[float, float, str]:
    """Run the command as people do; returns seconds of the processor, of the clock, and everything that it says."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "vendorrisk", "trail", "verify", *words]
    said = subprocess.run(command, env={**os.environ, **environ}, cwd=service.ROOT, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - begun, said.stdout + said.stderr


def _export(environ: dict[str, str], to: Path) -> Path:
    with to.open("wb") as file:
        command = [sys.executable, "-m", "vendorrisk", "trail", "export"]
        subprocess.run(command, env={**os.environ, **environ}, cwd=service.ROOT, stdout=file, check=True)
    return to


def _in_time(folder: Path) -> Iterator[Count]:
    environ, database = _made(folder, EVENTS)
    database.close()
    file = _export(environ, folder / "trail.jsonl")
    for what, words in (("the database", ["--no-record"]), ("an export", [str(file)])):
        used, clock, said = _timed(environ, *words)
        whole = f"{EVENTS:,} sealed events" in said and said.startswith("As it was written")
        # The processor's seconds are judged: other work on the machine moves the clock's.
        late = int(used > SECONDS or not whole)
        more = f"{used:.1f} s of processor, {clock:.1f} s by the clock"
        yield Count(f"{EVENTS:,} events of {what} checked within {SECONDS:g} s", 1, late, more)


def _killed(folder: Path) -> Count:
    """kill -9 while events are written and sealed: afterwards each is in the chain, and the anchor leads to it."""
    environ = service.environment(folder, port=service.free_port())
    database = opening.database(Settings.from_env(environ))
    running = service.Service(environ, log=folder / "log")
    written = 0
    for kill in range(KILLS + 1):
        running.start()
        until = time.perf_counter() + 0.9 + kill * 0.13
        while time.perf_counter() < until:
            _write_one(database)
            written += 1
        if kill == KILLS:
            time.sleep(3)
        running.kill()
    said = _verify(environ, "--no-record")
    found = re.search(r"As it was written: the database, ([\d,]+) sealed events, 0 not yet sealed", said)
    left = written - int(found[1].replace(",", "")) if found else written
    return Count(
        f"{KILLS} kills while sealing: no event left out", written, max(0, left), said.strip().splitlines()[-1]
    )


def _write_one(database: Database) -> None:
    with database.writing() as session:
        audit.record(
            session, EventKind.VENDOR_ADDED, object_kind="vendor", object_id=audit.TRAIL, by=SYSTEM,
            now=datetime.now(UTC),
        )  # fmt: skip


def _tampered(folder: Path) -> Iterator[Count]:
    environ, database = _made(folder, FEW)
    database.close()
    export = _export(environ, folder / "trail.jsonl")
    for again, how in ((False, "as it comes"), (True, "the chain hashed anew")):
        tries = {name: _in_database(environ, folder, name, again) for name in IN_DATABASE}
        yield _count(f"tampering with the database, {how}", tries)
        tries = {name: _in_export(environ, export, folder, name, again) for name in IN_EXPORT}
        yield _count(f"tampering with an export, {how}", tries)


def _count(promise: str, tries: dict[str, str]) -> Count:
    """How many of the ways are not named at the place where they were."""
    missed = [name for name, said in tries.items() if not re.search(EXPECTED[name], said)]
    named = f"named {len(tries) - len(missed)} of {len(tries)}"
    return Count(f"{promise}: the row is named", len(tries), len(missed), ", not ".join([named, *missed]))


EXPECTED = {
    "flip": rf"position {PLACE}, event {PLACE}: changed",
    "delete": rf"position {PLACE}(, event \d+)?: (missing|changed)",
    "swap": rf"position {PLACE}, event \d+: (out of order|changed)",
    "truncate": rf"cut off: (the chain ends at position {END:,}|the file ends)|SHA-256|last line was not written by",
    "insert": r"event 99,999: (inserted|changed)",
    "back-date": rf"position {PLACE}, event {PLACE}: (changed|back-dated)",
}  # fmt: skip

IN_DATABASE: dict[str, list[str]] = {
    "flip": [f"UPDATE trail_events SET kind = 'answers.read' WHERE number = {PLACE}"],
    "delete": [
        f"DELETE FROM trail_links WHERE event_number = {PLACE}",
        f"DELETE FROM trail_events WHERE number = {PLACE}",
    ],
    "swap": [
        f"UPDATE trail_links SET event_number = -1 WHERE position = {PLACE}",
        f"UPDATE trail_links SET event_number = {PLACE} WHERE position = {OTHER}",
        f"UPDATE trail_links SET event_number = {OTHER} WHERE position = {PLACE}",
    ],
    "truncate": [f"DELETE FROM trail_links WHERE position > {END}", f"DELETE FROM trail_events WHERE number > {END}"],
    "insert": [
        "INSERT INTO trail_events SELECT 99999, lower(hex(randomblob(16))), at, 'report.read', actor_kind, actor_id, "
        f"object_kind, object_id, details, mac FROM trail_events WHERE number = {FEW}"
    ],
    "back-date": [f"UPDATE trail_events SET at = '2026-01-01 00:00:00.000000' WHERE number = {PLACE}"],
}  # fmt: skip


def _in_database(environ: dict[str, str], folder: Path, name: str, again: bool) -> str:
    """Tamper with a copy of the database; returns what a check says. The anchor beside the key stays as it is."""
    genuine, copy = folder / "service.sqlite", folder / f"{name}-{again}.sqlite"
    shutil.copyfile(genuine, copy)
    connection = sqlite3.connect(copy)
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for trigger, _ in guards:
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in IN_DATABASE[name]:
        connection.execute(statement)
    connection.commit()
    if again:
        _hash_anew(connection, environ, copy)
    for _, made in guards:
        connection.execute(made)
    connection.commit()
    connection.close()
    return _verify(environ | {"VENDORRISK_DATABASE": f"sqlite:///{copy}"}, "--no-record")


def _hash_anew(connection: sqlite3.Connection, environ: dict[str, str], copy: Path) -> None:
    """Renumber all links and hash them as the code does; the seals, which need the key, stay as they were."""
    database = opening.as_it_is(Settings.from_env(environ | {"VENDORRISK_DATABASE": f"sqlite:///{copy}"}))
    with database.reading() as session:
        rows = [row for row in trail_rows.read(session) if row.event is not None]
    database.close()
    before, links = GENESIS, []
    for position, row in enumerate(rows, start=1):
        before, link = _forged(before, position, row)
        links.append(link)
    connection.execute("DELETE FROM trail_links")
    connection.executemany("INSERT INTO trail_links VALUES (?, ?, ?, ?, ?)", links)
    connection.commit()


def _forged(before: bytes, position: int, row: Row) -> tuple[bytes, tuple[Any, ...]]:
    event = row.event
    assert event is not None
    sealed_at = row.joint.sealed_at if row.joint else datetime.now(UTC)
    hashed = chain.link_hash(before, position, sealed_at, event.number, chain.body(event), event.mac)
    moment = sealed_at.replace(tzinfo=None).isoformat(" ", "microseconds")
    return hashed, (position, event.number, hashed, moment, row.joint.seal if row.joint else bytes(32))


def _flip(lines: list[Line]) -> None:
    lines[PLACE]["kind"] = "answers.read"


def _delete(lines: list[Line]) -> None:
    del lines[PLACE]


def _swap(lines: list[Line]) -> None:
    for name in ("number", "id", "at", "details", "mac"):
        lines[PLACE][name], lines[OTHER][name] = lines[OTHER][name], lines[PLACE][name]


def _truncate(lines: list[Line]) -> None:
    del lines[END + 1 : -1]


def _insert(lines: list[Line]) -> None:
    lines.insert(PLACE, {**lines[PLACE], "number": 99_999, "id": str(uuid4())})


def _back_date(lines: list[Line]) -> None:
    lines[PLACE]["at"] = "2026-01-01T00:00:00+00:00"


IN_EXPORT: dict[str, Callable[[list[Line]], None]] = {
    "flip": _flip, "delete": _delete, "swap": _swap, "truncate": _truncate, "insert": _insert, "back-date": _back_date,
}  # fmt: skip


def _in_export(environ: dict[str, str], export: Path, folder: Path, name: str, again: bool) -> str:
    """Tamper with a copy of the export; returns what a check says. `again`: links and last line are made to fit."""
    lines: list[Line] = [json.loads(line) for line in export.read_text().splitlines()]
    IN_EXPORT[name](lines)
    copy = folder / "tampered.jsonl"
    if not again:
        copy.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
        return _verify(environ, str(copy))
    before = GENESIS
    rows = []
    for position, line in enumerate((line for line in lines[1:-1] if "chain" in line), start=1):
        row = trail_files.row_of(line)
        previous, (before, _) = before, _forged(before, position, row)
        assert row.joint is not None
        joint = row.joint._replace(position=position, event_number=row.number, chain=before)
        rows.append((row._replace(joint=joint, before=previous), None))
    about = {key: value for key, value in lines[0].items() if key != "trail"}
    copy.write_text("".join(trail_files.write(rows, about, keyed=lambda data: bytes(32))))
    return _verify(environ, str(copy))
