"""Disks that run full, under the database and under the evidence: reads go on, saves say so, and it ends by itself.

As root on Linux the disks are two small tmpfs, mounted for the test. Elsewhere the database's disk is left out, because
a limit on the process would be another fault than a full disk; the counts say so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.faults import seats, writers
from bench.faults.counts import Count
from bench.faults.service import Service, environment, free_port
from bench.faults.writers import Browser, Writers

WRITERS, TRIES, READS, SAVES_AFTER = 4, 200, 50, 200
DATABASE_MB, FILES_MB = 12, 2
_UPLOAD_KB = 400
_TYPED = "Typed without a script while the disk was full"


def counts(tries: int = TRIES) -> Iterator[Count]:
    """Both disks, one after the other."""
    if not (sys.platform.startswith("linux") and os.geteuid() == 0):
        yield Count("disk full: needs root on Linux for a small tmpfs", 0, 0)
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as mounted:
        for name, megabytes in (("data", DATABASE_MB), ("files", FILES_MB)):
            mounted.enter_context(_disk(Path(folder) / name, megabytes))
        environ = environment(Path(folder), port=free_port())
        environ["VENDORRISK_DATABASE"] = f"sqlite:///{folder}/data/service.sqlite"
        *seated, reading = seats.take(environ, WRITERS + 1)
        service = Service(environ, log=Path(folder) / "log")
        service.start()
        try:
            yield from _database(service, environ, seated, reading, Path(folder) / "data", tries)
            yield from _evidence(service, reading, Path(folder) / "files")
        finally:
            service.stop()


def _database(
    service: Service, environ: dict[str, str], seated: list[seats.Seat], reading: seats.Seat, disk: Path, tries: int
) -> Iterator[Count]:
    writing = Writers(service.port, seated)
    writing.start()
    writing.wait_for(100)
    filling = _fill(disk)
    # The last pages of the database's own files may still take some.
    writers.wait(lambda: writing.notes.statuses[507] >= tries, f"{tries} answers 507")
    reader = Browser(service.port, reading)
    pages = [reader.get(path) for path in [*reading.sections.values()][:READS]]
    form_status, form = _without_script(reader, reading)
    before = writing.notes.acknowledged
    filling.unlink()
    begun = time.perf_counter()
    writing.wait_for(before + 1)
    again = time.perf_counter() - begun
    writing.wait_for(before + SAVES_AFTER)
    notes = writing.stop()
    reader.close()
    others = {status: n for status, n in notes.statuses.items() if status not in (200, 507)}
    yield Count(
        "disk full: a save that is not kept answers 507", notes.statuses[507], sum(others.values()), str(others)
    )
    broken = sum(status != 200 for status, _ in pages)
    yield Count("disk full: pages are still read", len(pages), broken)
    held = form_status == 507 and form.count(_TYPED) >= 2 and "csrf_token" in form
    words = "disk full: without a script, the form comes back with everything typed"
    yield Count(words, 1, not held, str(form_status))
    lost = writers.lost(notes, seats.kept(environ))
    yield Count("disk full: every 200 is there afterwards (no false 200)", notes.acknowledged, lost)
    seen = f"first save {again:.2f} s after there was room"
    yield Count("disk full: saves go on without a restart", 1, again > 5, seen)


def _without_script(browser: Browser, seat: seats.Seat) -> tuple[int, str]:
    """Send the forms of pages until one is not kept: a small save may still fit into what the database has."""
    status, page = 0, ""
    for question, path in seat.sections.items():
        fields = {f"q-{question}-comment": _TYPED, f"q-{question}-version": "0", "then": "next"}
        status, page, _ = browser.post(path, fields)
        if status != 303:
            break
    return status, page


def _evidence(service: Service, seat: seats.Seat, disk: Path) -> Iterator[Count]:
    filling = _fill(disk)
    browser = Browser(service.port, seat)
    full = Counter(browser.upload(f"f{number}.txt", b"x" * 1024 * _UPLOAD_KB) for number in range(10))
    saved, _, _ = browser.save(next(iter(seat.sections)), "while there is no room for files", 0)
    page, _ = browser.get(next(iter(seat.sections.values())))
    filling.unlink()
    after = browser.upload("after.txt", b"x" * 1024 * _UPLOAD_KB)
    left = [path.name for path in disk.rglob("*.part")]
    browser.close()
    yield Count("storage full: an upload answers 507", 10, 10 - full[507], str(dict(full)))
    # The answer's version is not 0 any more: 409 shows that it was judged by the database, not by the disk.
    yield Count("storage full: answers and pages go on", 2, (saved not in (200, 409)) + (page != 200))
    yield Count(
        "storage full: uploads go on without a restart, and no half file is left", 2, (after != 200) + len(left)
    )


def _fill(disk: Path) -> Path:
    """Take all the room that there is."""
    path = disk / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return path


@contextmanager
def _disk(folder: Path, megabytes: int) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
