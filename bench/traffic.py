"""16 browsers at once against the real service: how many pages it gives while the same server says hello once.

The figure is h/x: requests a second of a program that only says hello, on the same server with as many threads, over
requests a second of the page. Both are processes of their own; the browsers are threads of this one, on bare sockets,
so that they cost little.
"""

from __future__ import annotations

import itertools
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench import answered
from bench.answered import Visit
from bench.faults.service import Service, environment, free_port
from bench.measure import Line
from tests import builders
from vendorrisk.services.operating import keys, opening
from vendorrisk.settings import Settings

BROWSERS, SECONDS, ROUNDS = 16, 2.0, 3
SECTION = "customer-list-protection/access_and_protection"
Work = Callable[[], None]


def lines() -> list[Line]:
    """Section page, preview and saving one answer, every question answered; each against hello just before."""
    with tempfile.TemporaryDirectory() as there, _hello() as hello_port:
        folder, port = Path(there), free_port()
        environ = environment(folder, port=port)
        visits = _visits(Settings.from_env(environ))
        service = Service(environ, log=folder / "log")
        service.start()
        try:
            browsers = [Browser(port, visit) for visit in visits]
            hello = [Caller(hello_port).hello for _ in range(BROWSERS)]
            return [
                _line("section page", [each.section for each in browsers], hello, 20),
                _line("preview of all questions", [each.preview for each in browsers], hello, 60),
                _line("saving one answer", [each.save for each in browsers], hello, 12),
            ]
        finally:
            service.stop()


def _visits(settings: Settings) -> list[Visit]:
    keys.create(settings.key_file)
    database = opening.database(settings)
    try:
        with database.writing() as session:
            return [answered.visit(session, now=datetime.now(UTC)) for _ in range(BROWSERS)]
    finally:
        database.close()


@contextmanager
def _hello() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.hello", str(port)])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the program that says hello did not start")


class Caller:
    """One connection that stays open, and asks with as little work as possible."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[str, bytes]:
        """Send a request; head and body of the answer, which must be 200."""
        self._socket.sendall(request)
        head, _, body = self._read().partition(b"\r\n\r\n")
        words = head.decode("latin-1")
        assert words.startswith("HTTP/1.1 200"), words
        length = int(words.lower().partition("content-length: ")[2].partition("\r\n")[0])
        while len(body) < length:
            body += self._socket.recv(65536)
        return words, body

    def _read(self) -> bytes:
        found = b""
        while b"\r\n\r\n" not in found:
            found += self._socket.recv(65536)
        return found

    def hello(self) -> None:
        """What the floor is asked."""
        self.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


class Browser:
    """A respondent's browser: its cookies, the token of its form, and the versions of the answers."""

    def __init__(self, port: int, visit: Visit) -> None:
        self._visit, self._caller = visit, Caller(port)
        self._head = f"HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: respondent={visit.cookie}"
        self._section = f"/respond/{visit.reference}/sections/{SECTION}"
        head, page = self._get(self._section)
        self._token = builders.token_in(page.decode())
        self._head += f"; vendorrisk={head.partition('vendorrisk=')[2].partition(';')[0]}"
        self._turns = itertools.cycle(itertools.product((1, 0), visit.choices))
        self._versions = dict.fromkeys((question.id for question in visit.choices), 1)

    def _get(self, path: str) -> tuple[str, bytes]:
        return self._caller.ask(f"GET {path} {self._head}\r\n\r\n".encode())

    def section(self) -> None:
        """Open the page of one section."""
        self._get(self._section)

    def preview(self) -> None:
        """Open the page with all questions."""
        self._get(f"/respond/{self._visit.reference}/preview")

    def save(self) -> None:
        """Save the next answer, as the page's script does."""
        number, question = next(self._turns)
        version = self._versions[question.id]
        form = urllib.parse.urlencode(answered.form(question.id, question.options[number].code, version, self._token))
        path = f"/respond/{self._visit.reference}/answers/{question.id}"
        kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}"
        _, body = self._caller.ask(f"POST {path} {self._head}\r\n{kind}\r\n\r\n{form}".encode())
        assert json.loads(body)["version"] == version + 1
        self._versions[question.id] += 1


def _line(name: str, work: list[Work], hello: list[Work], budget: float) -> Line:
    """Medians of some rounds, hello and the page in turn; as seconds for one request of one browser after another."""
    _rate(work, 0.5)
    rates = [(_rate(hello, SECONDS), _rate(work, SECONDS)) for _ in range(ROUNDS)]
    floor, value = (1 / statistics.median(column) for column in zip(*rates, strict=True))
    return Line(f"{name}, {BROWSERS} browsers at once", "hello on the same server", value, floor, budget)


def _rate(work: list[Work], seconds: float) -> float:
    """How many requests a second all of them make together."""
    counts = [0] * len(work)
    failed: list[BaseException] = []
    until = time.perf_counter() + seconds

    def go(number: int) -> None:
        try:
            while time.perf_counter() < until:
                work[number]()
                counts[number] += 1
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(len(work))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return sum(counts) / (time.perf_counter() - begun)
