"""200 vendors, each saving an answer every two seconds for a minute; then 58 different answers saved at once.

The service is a process of its own; the browsers are threads of this one. What was acknowledged is read back from the
database afterwards.
"""

from __future__ import annotations

import http.client
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench import respondent
from bench.faults.counts import Count
from bench.faults.service import Service, environment, free_port
from tests import builders
from vendorrisk.db.models import Request
from vendorrisk.domain.questionnaire import QuestionType
from vendorrisk.services import copies
from vendorrisk.services.answering import answer_rows
from vendorrisk.services.operating import keys, opening
from vendorrisk.settings import Settings

VENDORS, SECONDS, EVERY, AT_ONCE = 200, 60, 2.0, 58
PROMISED_P95 = 0.300
PATIENCE = 30


@dataclass
class Browser:
    """One respondent: keeps its connection, its cookies, and what the service said it has saved."""

    port: int
    reference: str
    cookie: str
    saved: dict[str, tuple[int, str]] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self._cookies, self._token = f"respondent={self.cookie}", ""

    def enter(self) -> None:
        """Fetch the landing page: a session, and the token of its form. Where the service is busy, try again."""
        until = time.monotonic() + PATIENCE
        status, page = self._ask("GET", f"/respond/{self.reference}/start")
        while status == 503 and time.monotonic() < until:
            time.sleep(1)
            status, page = self._ask("GET", f"/respond/{self.reference}/start")
        self._token = builders.token_in(page)

    def save(self, question_id: str, code: str, comment: str) -> None:
        """Save one answer, and note what came back."""
        name, version = f"q-{question_id}", self.saved.get(question_id, (0, ""))[0]
        form = {"csrf_token": self._token, name: code, f"{name}-comment": comment, f"{name}-version": str(version)}
        begun = time.perf_counter()
        try:
            status, _ = self._ask("POST", f"/respond/{self.reference}/answers/{question_id}", form)
        except OSError:
            status = 0
            self._connection.close()
        self.times.append(time.perf_counter() - begun)
        if status == 200:
            self.saved[question_id] = (version + 1, comment)
        else:
            self.failed.append(status)

    def _ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Cookie": self._cookies, "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request(method, path, urllib.parse.urlencode(form) if form else None, headers)
        answer = self._connection.getresponse()
        body = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            if cookie.startswith("vendorrisk="):
                self._cookies = f"respondent={self.cookie}; {cookie.partition(';')[0]}"
        return answer.status, body


def counts() -> Iterable[Count]:
    """Three promises of the minute under load, and one of the moment when all save at once."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environ = environment(Path(folder), port=port)
        settings = Settings.from_env(environ)
        keys.create(settings.key_file)
        database = opening.database(settings)
        with database.writing() as session:
            cookies = [_seated(session) for _ in range(VENDORS)]
            shared = _seated(session)
        service = Service(environ, log=Path(folder) / "log")
        service.start()
        try:
            browsers = [Browser(port, *each) for each in cookies]
            _together(browsers, _minute)
            at_once = [Browser(port, *shared) for _ in range(AT_ONCE)]
            _at_once(at_once)
        finally:
            service.stop()
        with database.reading() as session:
            lost = sum(_lost(session, each) for each in browsers)
            lost_at_once = sum(_lost(session, each) for each in at_once)
        yield from _judged(browsers, lost)
        failed = sum(len(each.failed) for each in at_once)
        more = f"{failed} not acknowledged"
        yield Count(f"{AT_ONCE} different answers saved at once: each is there", AT_ONCE, lost_at_once + failed, more)


def _judged(browsers: list[Browser], lost: int) -> Iterable[Count]:
    times = sorted(took for each in browsers for took in each.times)
    failed = [status for each in browsers for status in each.failed]
    p50, p95 = times[len(times) // 2], times[len(times) * 95 // 100]
    figures = f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, slowest {times[-1] * 1000:.0f} ms"
    under = f"{VENDORS} vendors, a save every {EVERY:g} s, {SECONDS} s"
    yield Count(f"{under}: no acknowledged answer is lost", len(times) - len(failed), lost)
    yield Count(f"{under}: every save is answered with 200", len(times), len(failed), f"others: {sorted(set(failed))}")
    yield Count(f"{under}: p95 at most {PROMISED_P95 * 1000:.0f} ms", 1, int(p95 > PROMISED_P95), figures)


def _seated(session: Session) -> tuple[str, str]:
    """Reference and cookie of a browser that may answer."""
    found = respondent.seat(session, now=datetime.now(UTC))
    return found.reference, found.cookie


def _questions() -> list[tuple[str, str]]:
    """Ids of the questions that a code answers, with such a code."""
    kinds = (QuestionType.YES_NO, QuestionType.CHOICE)
    return [(q.id, q.options[0].code) for theme in respondent.themes() for q in theme if q.type in kinds]


def _minute(number: int, browser: Browser) -> None:
    questions = _questions()
    time.sleep(EVERY * number / VENDORS)  # people do not press keys in step
    browser.enter()
    begun, turn = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS:
        question_id, code = questions[turn % len(questions)]
        browser.save(question_id, code, f"{browser.reference}, save {turn}")
        turn += 1
        time.sleep(max(0.0, begun + turn * EVERY - time.perf_counter()))


def _at_once(browsers: list[Browser]) -> None:
    gate = threading.Barrier(len(browsers))
    questions = _questions()

    def save(number: int, browser: Browser) -> None:
        browser.enter()
        gate.wait(2 * PATIENCE)
        browser.save(*questions[number], f"one of many, {number}")

    _together(browsers, save)


def _together(browsers: list[Browser], work: Callable[[int, Browser], None]) -> None:
    """In a thread for each. What one of them dies of is raised here: fewer browsers than promised must not pass."""
    with ThreadPoolExecutor(len(browsers)) as threads:
        for done in [threads.submit(work, number, each) for number, each in enumerate(browsers)]:
            done.result()


def _lost(session: Session, browser: Browser) -> int:
    """How many acknowledged answers the database does not hold as they were acknowledged."""
    request = session.scalars(select(Request).where(Request.reference == browser.reference)).one()
    questions = copies.questions_by_id(copies.questionnaires(session, request.copies))
    stored = answer_rows.load(session, request, questions)
    return sum(
        question_id not in stored or (stored[question_id].version, stored[question_id].said.comment) != said
        for question_id, said in browser.saved.items()
    )
