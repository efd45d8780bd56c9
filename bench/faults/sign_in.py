"""Who has an account cannot be learnt: the doors answer alike, in words and in time (security.md, row 5)."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.test import TestResponse

from bench.faults.counts import Count
from bench.pages import settings_in
from tests import builders
from vendorrisk import factory
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Attempt
from vendorrisk.services.operating import keys, opening

ROUNDS = 500
MAX_GAP_MS = 5.0
KNOWN, UNKNOWN = "petra@acme.example", "nobody@acme.example"
Ask = Callable[[FlaskClient, str, str], TestResponse]


def counts(rounds: int = ROUNDS) -> Iterable[Count]:
    """Two promises for each door: equal answers, and equal times."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        keys.create(settings.key_file)
        database = opening.database(settings)
        with database.writing() as session:
            builders.add_user(session, KNOWN, now=datetime.now(UTC))
        app = factory.create_app(settings)
        for door, ask in DOORS.items():
            yield from _compared(door, ask, app.test_client(), database, rounds)
        database.close()


def _refused_sign_in(browser: FlaskClient, token: str, email: str) -> TestResponse:
    data = {"csrf_token": token, "email": email, "password": "not the password"}
    return browser.post("/sign-in", data=data)


def _reset(browser: FlaskClient, token: str, email: str) -> TestResponse:
    return browser.post("/forgotten-password", data={"csrf_token": token, "email": email})


def _passkey_options(browser: FlaskClient, token: str, email: str) -> TestResponse:
    return browser.post("/sign-in/passkey/options", data={"csrf_token": token, "email": email})


DOORS: dict[str, Ask] = {
    "a refused sign-in": _refused_sign_in, "a forgotten password": _reset, "passkey options": _passkey_options,
}  # fmt: skip


def _compared(door: str, ask: Ask, browser: FlaskClient, database: Database, rounds: int) -> Iterable[Count]:
    token = builders.token_in(browser.get("/sign-in").text)
    seconds: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    different = 0
    for number in range(rounds):
        order = (KNOWN, UNKNOWN) if number % 2 else (UNKNOWN, KNOWN)
        said = set()
        for email in order:
            with database.writing() as session:
                session.execute(delete(Attempt))  # the limit on tries would end the measurement
            begun = time.perf_counter()
            answer = ask(browser, token, email)
            seconds[email].append(time.perf_counter() - begun)
            said.add((answer.status_code, _without_chance(answer.text.replace(email, "…"))))
        different += len(said) > 1
    gap = abs(median(seconds[KNOWN]) - median(seconds[UNKNOWN])) * 1000
    each = f"{median(seconds[KNOWN]) * 1000:.1f} ms each"
    yield Count(f"{door}: known and unknown get the same answer", 2 * rounds, different)
    more = f"{gap:.2f} ms apart, {each}"
    yield Count(f"{door}: their medians are less than {MAX_GAP_MS:.0f} ms apart", 2 * rounds, gap >= MAX_GAP_MS, more)


def _without_chance(text: str) -> str:
    """The page without what is random in every answer."""
    return re.sub(r'(name="csrf_token"[^>]*value="[^"]*"|"challenge":\s*"[^"]*")', "", text)
