"""500 letters through a mail server in every bad mood, by a worker that is killed 25 times: is one lost or doubled?"""

from __future__ import annotations

import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

from bench.faults.counts import Count
from bench.faults.mail_server import GONE, MOODS, MailServer, serving
from bench.faults.service import environment, free_port
from bench.faults.worker import Worker, fast_clock
from tests.mail.letters import letter
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Letter
from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services import work
from vendorrisk.services.letters import outbox, stuck
from vendorrisk.services.operating import opening
from vendorrisk.settings import Settings

LETTERS = int(os.environ.get("FAULTS_LETTERS", "500"))
KILLS = int(os.environ.get("FAULTS_KILLS", "25"))
SPEED = 20.0
"""A minute passes in three seconds: pauses between tries are short, and a lease still outlasts a letter on a busy
machine.
"""
PATIENCE_SECONDS = 600
_EVERY = 25
"""One letter in so many goes to a mailbox that does not exist."""


@dataclass(frozen=True, slots=True)
class Post:
    """What takes part."""

    database: Database
    server: MailServer
    worker: Worker
    start: float

    def now(self) -> datetime:
        """What the worker's clock says."""
        return fast_clock(self.start, SPEED)()


def counts() -> Iterable[Count]:
    """The promises about letters."""
    with TemporaryDirectory() as name:
        folder, port, start = Path(name), free_port(), time.time()
        environ = {**environment(folder), "VENDORRISK_MAIL": f"smtp://127.0.0.1:{port}",
                   "VENDORRISK_MAIL_FROM": "risk@acme.example", "VENDORRISK_LOG": "error"}  # fmt: skip
        database = opening.database(Settings.from_env(environ))
        worker = Worker(environ, start=start, speed=SPEED, log=folder / "log")
        with serving(port, folder / "book") as server:
            post = Post(database, server, worker, start)
            ids = _write(post)
            try:
                _kill(post)
                _finish(post)
                yield from _judge(post, ids)
            finally:
                worker.stop()
                database.close()


def _write(post: Post) -> dict[str, str]:
    """Put the letters into the outbox: address to Message-ID."""
    ids = {}
    with post.database.writing() as session:
        for number in range(LETTERS):
            to = f"{GONE if number % _EVERY == 0 else 'person'}{number}@northwind.example"
            link = f"https://risk.acme.example/q/{random.Random(number).randbytes(32).hex()}"
            row = outbox.put(session, letter("invitation", to=to, link=link), kind="invitation", now=post.now())
            ids[to] = f"<{row.message_id}@acme.example>"
    return ids


def _kill(post: Post) -> None:
    """Each life of the worker sees another mood, and ends after its share of letters or a few seconds."""
    draw = random.Random(7)
    for number in range(KILLS):
        post.server.become(MOODS[number % len(MOODS)])
        enough = len(post.server.taken()) + draw.randrange(1, 2 * LETTERS // KILLS)
        post.worker.start()
        until = time.monotonic() + 2.5
        while time.monotonic() < until and len(post.server.taken()) < enough:
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.01))
        post.worker.kill()


def _finish(post: Post) -> None:
    """The server is well again; staff try again what was refused or put off; workers that live do the rest."""
    post.server.become("well")
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and _left(post):
        _try_again(post)
        post.worker.start()
        time.sleep(3)
        post.worker.stop()


def _left(post: Post) -> int:
    """How many letters are still on their way."""
    states = _states(post)
    return states[WorkState.QUEUED] + states[WorkState.RUNNING]


def _states(post: Post) -> Counter[WorkState]:
    with post.database.reading() as session:
        return Counter(session.scalars(select(Letter.state)))


def _try_again(post: Post) -> None:
    """What staff do on the page of stuck letters."""
    with post.database.writing() as session:
        for row in session.scalars(select(Letter).where(Letter.state.in_((WorkState.FAILED, WorkState.QUEUED)))):
            if work.may_start_again(row) and "No such mailbox" not in outbox.trouble(session, row):
                outbox.retry(session, row.id, by=SYSTEM, now=post.now())


def _judge(post: Post, ids: dict[str, str]) -> Iterable[Count]:
    copies: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in post.server.taken():
        copies[each["to"].rpartition("<")[2].strip(">")].append(each)
    real = [to for to in ids if not to.startswith(GONE)]
    lost = [to for to in real if not copies[to]]
    yield Count("no letter is lost", len(real), len(lost), f"{KILLS} kills, moods: {len(MOODS)}")
    states = _states(post)
    done = states[WorkState.DONE]
    yield Count("every letter that arrived is noted as sent", len(real), len(real) - done, str(dict(states)))
    drops = sum(each["dropped"] for to in copies for each in copies[to])
    twice = sum(len(copies[to]) - 1 for to in copies)
    allowed = KILLS + drops
    said = f"{twice} duplicates, {drops} connections dropped after the text"
    yield Count("duplicates are at most kills and dropped connections", allowed, max(0, twice - allowed), said)
    others = [to for to in copies if not _alike(copies[to], ids[to])]
    yield Count("each copy has the same Message-ID, Date and link", len(copies), len(others))
    yield _shown(post, len(ids) - len(real))


def _alike(copies: list[dict[str, Any]], message_id: str) -> bool:
    known = {(each["id"], each["date"], *each["links"]) for each in copies}
    return len(known) == 1 and copies[0]["id"] == message_id and len(copies[0]["links"]) == 1


def _shown(post: Post, gone: int) -> Count:
    """What could not be delivered is on the staff's page, with its reason."""
    with post.database.reading() as session:
        shown = []
        page = stuck.listed(session, 1, now=post.now())
        for number in range(1, page.pages + 1):
            shown += stuck.listed(session, number, now=post.now()).items
    right = sum("No such mailbox" in each.error for each in shown)
    return Count("an undelivered letter is shown to staff with its reason", gone, abs(gone - right))
