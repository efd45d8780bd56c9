"""Respondents who save one answer after the other over HTTP and write down what they were told: ok, failed or unknown.

An ok is a 200. Failed: an answer that says no, or a connection that could not be had. Unknown: the connection broke
after something was sent; it may be there or not. At the end `lost` compares every ok with what the database holds.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import UUID

from bench.faults.seats import Kept, Seat
from tests import builders

_PAUSE = 0.05
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
_SCRIPT = {**_FORM, "Accept": "application/json"}


class Browser:
    """One respondent's connection, with its cookies and its CSRF token."""

    def __init__(self, port: int, seat: Seat, *, patience: float = 30) -> None:
        self._port, self._seat, self._patience = port, seat, patience
        self._cookies = {"respondent": seat.cookie}
        self._token = ""
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> tuple[int, str]:
        """A page. Raises OSError or HTTPException where the connection cannot be had, or breaks."""
        status, text, _ = self._ask("GET", path, None)
        return status, text

    def post(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] = _FORM
    ) -> tuple[int, str, Mapping[str, str]]:
        """Send a form with the CSRF token of a page that was seen before."""
        self.see()
        return self._ask("POST", path, urlencode({"csrf_token": self._token, **fields}), headers)

    def see(self) -> int:
        """Open a page for its CSRF token, where there is none yet; returns the status."""
        if self._token:
            return 200
        status, page = self.get(next(iter(self._seat.sections.values())))
        if status == 200:
            self._token = builders.token_in(page)
        return status

    def save(self, question: str, comment: str, version: int) -> tuple[int, dict[str, object], Mapping[str, str]]:
        """Autosave a comment."""
        path = f"/respond/{self._seat.reference}/answers/{question}"
        fields = {f"q-{question}-comment": comment, f"q-{question}-version": str(version)}
        status, text, headers = self.post(path, fields, _SCRIPT)
        return status, json.loads(text) if text.startswith("{") else {}, headers

    def upload(self, name: str, content: bytes) -> int:
        """Attach a file to the first question; returns the status."""
        self.see()
        question, mark = next(iter(self._seat.sections)), "----fault-test"
        body = (
            f'--{mark}\r\nContent-Disposition: form-data; name="q-{question}-files"; filename="{name}"\r\n'
            f"Content-Type: text/plain\r\n\r\n".encode()
            + content
            + f"\r\n--{mark}--\r\n".encode()
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "X-CSRFToken": self._token}
        return self._ask("POST", f"/respond/{self._seat.reference}/evidence/{question}", body, headers)[0]

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def connect(self) -> None:
        """Have a connection, or raise OSError: nothing was sent then."""
        if self._connection is None or self._connection.sock is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._patience)
            self._connection.connect()

    def _ask(
        self, method: str, path: str, body: str | bytes | None, headers: Mapping[str, str] = _FORM
    ) -> tuple[int, str, Mapping[str, str]]:
        self.connect()
        assert self._connection is not None
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        try:
            self._connection.request(method, path, body, {"Cookie": cookies, **(headers if body is not None else {})})
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";", 1)[0].partition("=")
            self._cookies[name] = value
        return answer.status, text, dict(answer.headers)


@dataclass
class Notes:
    """What the writers were told, together."""

    ok: dict[tuple[UUID, str], tuple[int, str]] = field(default_factory=dict)
    maybe: dict[tuple[UUID, str], set[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def acknowledged(self) -> int:
        """How many saves were answered with 200."""
        return self.counts["ok"]


class Writers:
    """One thread for each seat; they go on until `stop`, whatever happens to the service."""

    def __init__(self, port: int, seats: list[Seat], *, pause: float = 0) -> None:
        self.notes = Notes()
        self._stop = threading.Event()
        self._pause = pause
        self._threads = [threading.Thread(target=self._write, args=(port, seat)) for seat in seats]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> Notes:
        """Let each finish what it is at, and return what they wrote down."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.notes

    def wait_for(self, acknowledged: int, *, seconds: float = 300) -> None:
        """Wait until so many saves are acknowledged in all."""
        wait(lambda: self.notes.acknowledged >= acknowledged, f"{acknowledged} acknowledged saves", seconds=seconds)

    def _write(self, port: int, seat: Seat) -> None:
        browser = Browser(port, seat)
        versions = dict.fromkeys(seat.sections, 0)
        questions = itertools.cycle(seat.sections)
        for number, question in zip(itertools.count(), questions, strict=False):
            if self._stop.is_set():
                break
            text = f"{seat.reference} {question} {number}"
            versions[question] = self._save(browser, seat, question, text, versions[question])
            time.sleep(self._pause)
        browser.close()

    def _save(self, browser: Browser, seat: Seat, question: str, text: str, version: int) -> int:
        """One save; returns the version to go on with."""
        try:
            browser.connect()
            status = browser.see()
        except (OSError, http.client.HTTPException):
            status = 0
        if status != 200:  # nothing was sent yet
            self._note("failed", status)
            time.sleep(_PAUSE)
            return version
        try:
            status, plain, _ = browser.save(question, text, version)
        except (OSError, http.client.HTTPException):
            self._note("unknown")
            with self.notes.lock:
                self.notes.maybe.setdefault((seat.request_id, question), set()).add(text)
            return version
        if status == 200:
            with self.notes.lock:
                self.notes.ok[seat.request_id, question] = (int(str(plain["version"])), text)
            self._note("ok", status)
            return int(str(plain["version"]))
        self._note("failed", status)
        if status == 409:  # an unknown of before has arrived after all
            return int(str(plain["version"]))
        time.sleep(_PAUSE)
        return version

    def _note(self, what: str, status: int = 0) -> None:
        with self.notes.lock:
            self.notes.counts[what] += 1
            if status:
                self.notes.statuses[status] += 1


def lost(notes: Notes, kept: Kept) -> int:
    """How many acknowledged saves are not there: answers gone, of an older version, or not what was said."""
    missing = 0
    for place, (version, text) in notes.ok.items():
        there, comment = kept.answers.get(place, (0, ""))
        later = there > version and comment in notes.maybe.get(place, set())
        missing += not ((there == version and comment == text) or later)
    # Versions that were overwritten since are in the trail, one event for each.
    return missing + max(0, notes.acknowledged - kept.saves)


def wait(until: Callable[[], bool], what: str, *, seconds: float = 60) -> float:
    """Wait for something; returns how long that took."""
    begun = time.perf_counter()
    while not until():
        if time.perf_counter() - begun > seconds:
            raise RuntimeError(f"waited {seconds} seconds in vain for {what}")
        time.sleep(0.01)
    return time.perf_counter() - begun
