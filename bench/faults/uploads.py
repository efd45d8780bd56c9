"""Evidence under kill -9, watched for plain bytes on disk, and sent hostile files through the page's own route."""

from __future__ import annotations

import hashlib
import html
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from sqlalchemy import select

from bench.faults import victor as victors
from bench.faults.counts import Count
from bench.faults.service import Service, environment, free_port
from bench.faults.victor import Answer, Victor
from tests.domain.hostile_files import GOOD, HOSTILE
from vendorrisk.db import vault
from vendorrisk.db.models import Evidence, StoredFile
from vendorrisk.domain.assessment import FileState
from vendorrisk.services import files
from vendorrisk.services.answering import evidence
from vendorrisk.services.operating import opening
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

KILLS = int(os.environ.get("FAULTS_KILLS", "10"))
CANARY = b"canary-7f3k2m: the list of our customers; "
BIG = 25 * 1024 * 1024
SLOWEST_SECONDS = 2.0
_SAFE = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
         "Content-Security-Policy": "sandbox; default-src 'none'"}  # fmt: skip


@dataclass
class Seen:
    """What Victor was told: sums and ids of the files that were taken, and which he took back."""

    taken: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    unknown: int = 0


def counts() -> Iterable[Count]:
    """Every promise about evidence."""
    with _service() as (service, victor):
        yield from _killed(service, victor)
    with _service() as (service, victor):
        yield _spooled(service, victor)
    with _service() as (service, victor):
        yield from _hostile(victor)


@contextmanager
def _service() -> Iterator[tuple[Service, Victor]]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        environ = environment(folder, port=free_port())
        (folder / "tmp").mkdir()
        victor = victors.prepare(environ)
        service = Service({**environ, "TMPDIR": str(folder / "tmp")}, log=folder / "log")
        service.start()
        try:
            yield service, victor
        finally:
            service.stop()


# ---------------------------------------------------------------- kill -9


def _killed(service: Service, victor: Victor) -> Iterable[Count]:
    seen, draw = Seen(), random.Random(7)
    for number in range(KILLS):
        for again in range(3):
            _send(victor, seen, f"whole {number}-{again}.txt", draw)
        _kill_while_sending(service, victor, seen, draw, number)
        service.start()
    service.kill()
    yield from _compare(service, seen)
    service.start()


def _text(draw: random.Random, size: int) -> bytes:
    return draw.randbytes(size // 2).hex().encode()


def _send(victor: Victor, seen: Seen, name: str, draw: random.Random, *, pieces: int = 1, pause: float = 0.0) -> None:
    content = _text(draw, draw.randrange(100_000, 8_000_000))
    try:
        answer = victor.upload(name, content, pieces=pieces, pause=pause)
    except OSError:
        seen.unknown += 1
        return
    assert answer.status == 200, answer.body[:300]
    seen.ids[name] = _address(answer, name).rpartition("/")[2]
    seen.taken[name] = hashlib.sha256(content).hexdigest()


def _address(answer: Answer, name: str) -> str:
    """Where the file can be read, from the list that the answer draws anew."""
    found = re.search(rf'href="([^"]+)">{re.escape(html.escape(name))}</a>', answer.json["html"])
    assert found, name
    return found[1]


def _kill_while_sending(service: Service, victor: Victor, seen: Seen, draw: random.Random, number: int) -> None:
    """Two uploads and a removal are under way. Every other time it is just while a file is being stored."""
    first = next(name for name in seen.taken if name not in seen.removed)
    threads = [
        threading.Thread(target=_send, args=(victor, seen, f"slow {number}.txt", random.Random(number)),
                         kwargs={"pieces": 20, "pause": draw.uniform(0.0, 0.02)}),
        threading.Thread(target=_send, args=(victor, seen, f"fast {number}.txt", random.Random(-number))),
        threading.Thread(target=_remove, args=(victor, seen, first)),
    ]  # fmt: skip
    there = _on_disk(service)
    for thread in threads:
        thread.start()
    until = time.monotonic() + draw.uniform(0.01, 0.4)
    if number % 2:
        _wait(lambda: _on_disk(service) != there or not threads[0].is_alive())
        until = time.monotonic() + draw.uniform(0.0, 0.03)
    _wait(lambda: time.monotonic() >= until)
    service.kill()
    for thread in threads:
        thread.join()


def _wait(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.001)


def _remove(victor: Victor, seen: Seen, name: str) -> None:
    seen.removed.add(name)
    with suppress(OSError):
        victor.remove(seen.ids[name])


def _settings(service: Service) -> dict[str, str]:
    return {name: value for name, value in service.environ.items() if name.startswith("VENDORRISK_")}


def _compare(service: Service, seen: Seen) -> Iterable[Count]:
    settings = Settings.from_env(_settings(service))
    database, storage = opening.database(settings), open_storage(settings.storage)
    left = len(_on_disk(service))
    while files.sweep(database, storage, now=datetime.now(UTC) + timedelta(hours=1)):
        continue
    with database.reading() as session:
        rows = list(session.scalars(select(Evidence).where(Evidence.removed_at.is_(None))))
        kept = {row.storage_name for row in rows}
        ledger = set(session.scalars(select(StoredFile.name).where(StoredFile.state == FileState.KEPT)))
        on_disk = _on_disk(service)
        read = {
            hashlib.sha256(b"".join(evidence.open_file(session, storage, row.id))).hexdigest(): vault.open_optional(
                session, row.sha256, context="evidence.sha256"
            )
            for row in rows
            if row.storage_name in on_disk
        }
    database.close()
    must = [sha for name, sha in seen.taken.items() if name not in seen.removed]
    killed = f"{KILLS} kills, {seen.unknown} uploads never answered, {left - len(on_disk)} files swept"
    yield Count("a file that was taken is there and reads the same", len(must), len(set(must) - set(read)), killed)
    yield Count("no row without its file", len(rows), len(kept - on_disk) + sum(a != b for a, b in read.items()))
    yield Count("no file without its row", left, len(on_disk - kept) + len(ledger ^ kept))


def _on_disk(service: Service) -> set[str]:
    folder = Path(service.environ["VENDORRISK_STORAGE"])
    return {path.name for path in folder.rglob("*") if path.is_file() and path.name != ".probe"}


# ---------------------------------------------------------------- no plain spool file


def _spooled(service: Service, victor: Victor) -> Count:
    """25 MB arrive over some seconds; meanwhile all open files of the process are read, then those in its folders."""
    assert _finds_a_spool_file(), "the watch would not find a spool file"
    content = (CANARY * (BIG // len(CANARY) + 1))[: BIG - 1000]
    sending = threading.Thread(target=victor.upload, args=("list.txt", content), kwargs={"pieces": 60, "pause": 0.05})
    sending.start()
    looked = found = 0
    while sending.is_alive():
        plain, number = _plain_files(service.pid)
        looked, found = looked + number, found + plain
        time.sleep(0.1)
    folder = Path(service.environ["TMPDIR"]).parent
    rest = [path for path in folder.rglob("*") if path.is_file()]
    found += sum(CANARY[:13] in path.read_bytes() for path in rest)
    assert len(_on_disk(service)) == 1, "the upload did not come through"
    return Count("no plain byte on disk while 25 MB arrive", looked + len(rest), found, "open and lying files read")


def _finds_a_spool_file() -> bool:
    with TemporaryFile() as file:
        file.write(CANARY)
        file.flush()
        return _plain_files(os.getpid())[0] == 1


def _plain_files(pid: int) -> tuple[int, int]:
    """How many regular files that the process holds open, deleted ones too, hold the canary; and how many there are."""
    plain = looked = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if not link.is_file():
                continue
            looked += 1
            plain += CANARY[:13] in link.read_bytes()
    return plain, looked


# ---------------------------------------------------------------- hostile files


def _hostile(victor: Victor) -> Iterable[Count]:
    accepted, slow, slowest = [], [], ("", 0.0)
    for what, (name, content) in HOSTILE.items():
        seconds, status = _timed(victor, name, content)
        if status not in (413, 422):
            accepted.append(what)
        if seconds > SLOWEST_SECONDS:
            slow.append(what)
        slowest = max(slowest, (what, seconds), key=lambda each: each[1])
    yield Count("a hostile file is refused", len(HOSTILE), len(accepted), ", ".join(accepted))
    yield Count("a hostile file costs 2 s at most", len(HOSTILE), len(slow), f"{slowest[0]}: {slowest[1]:.2f} s")
    yield _downloads(victor)


def _timed(victor: Victor, name: str, content: bytes) -> tuple[float, int]:
    begun = time.perf_counter()
    status = victor.upload(name, content).status
    return time.perf_counter() - begun, status


def _downloads(victor: Victor) -> Count:
    """Every good file is served to be saved, never to be shown."""
    wrong = 0
    for name, content in GOOD.values():
        answer = victor.look(_address(victor.upload(name, content), name))
        unsafe = [header for header, value in _SAFE.items() if not answer.headers.get(header, "").startswith(value)]
        wrong += bool(unsafe) or answer.status != 200 or answer.body != content
    return Count("what is served is an attachment that cannot run", len(GOOD), wrong)
