"""The running jobs: what a commit leaves behind is done at once, without anybody asking."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

import pytest
from sqlalchemy import select

from tests import builders
from tests.application import Clock
from vendorrisk import jobs
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Letter
from vendorrisk.domain.assessment import WorkState
from vendorrisk.jobs import runner
from vendorrisk.mail import messages
from vendorrisk.mail.transports import MemoryTransport, NotNow
from vendorrisk.services.letters import outbox
from vendorrisk.services.runtime import Runtime

PATIENCE_SECONDS = 60


@pytest.fixture
def post() -> MemoryTransport:
    return MemoryTransport()


@pytest.fixture
def running(runtime: Runtime, clock: Clock, post: MemoryTransport) -> Iterator[None]:
    stop = jobs.start(runtime, clock=clock, transport=post)
    yield
    stop()


def put(database: Database, now: datetime, to: str = "dana@northwind.example") -> UUID:
    message = messages.access_code(to=to, code="123456", minutes=10, reference="R-7F3K2M")
    with database.writing() as session:
        return outbox.put(session, message, kind="access_code", now=now).id


def state(database: Database, letter_id: UUID) -> WorkState:
    with database.reading() as session:
        return session.get_one(Letter, letter_id).state


def eventually(what: Callable[[], object]) -> None:
    """Wait until `what()` is true."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < PATIENCE_SECONDS, "it did not happen"
        time.sleep(0.01)


def test_a_commit_wakes_a_worker_and_no_letter_waits_for_the_sweep(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, database: Database, clock: Clock, post: MemoryTransport
) -> None:
    monkeypatch.setattr(runner._Jobs, "sweep", lambda _jobs: None)
    stop = jobs.start(runtime, clock=clock, transport=post)
    letter_id = put(database, clock.now)
    eventually(lambda: state(database, letter_id) is WorkState.DONE)
    assert [mail["To"] for mail in post.sent] == ["dana@northwind.example"]
    stop()


def test_a_letter_that_was_rolled_back_is_never_sent(
    database: Database, running: None, post: MemoryTransport, now: datetime
) -> None:
    message = messages.access_code(to="a@b.example", code="1", minutes=10, reference="R-1")
    with pytest.raises(RuntimeError), database.writing() as session:
        outbox.put(session, message, kind="access_code", now=now)
        raise RuntimeError
    put(database, now, "second@b.example")
    eventually(lambda: post.sent)
    assert [mail["To"] for mail in post.sent] == ["second@b.example"]


def test_what_was_left_behind_before_the_start_is_found(
    runtime: Runtime, database: Database, clock: Clock, post: MemoryTransport, now: datetime
) -> None:
    letter_id = put(database, now)
    stop = jobs.start(runtime, clock=clock, transport=post)
    eventually(lambda: state(database, letter_id) is WorkState.DONE)
    stop()


def test_a_hundred_letters_each_leave_once(
    database: Database, running: None, post: MemoryTransport, now: datetime
) -> None:
    for number in range(100):
        put(database, now, f"person{number}@northwind.example")
    eventually(lambda: len(post.sent) >= 100)

    def all_noted() -> bool:
        with database.reading() as session:
            return set(session.scalars(select(Letter.state))) == {WorkState.DONE}

    eventually(all_noted)
    assert len({str(mail["To"]) for mail in post.sent}) == len(post.sent) == 100


def test_one_letter_that_fails_holds_up_no_other(
    runtime: Runtime, database: Database, clock: Clock, now: datetime
) -> None:
    class Choosy(MemoryTransport):
        def send(self, mail: EmailMessage) -> None:
            if "bad@" in mail["To"]:
                raise NotNow("451 later")
            super().send(mail)

    post = Choosy()
    stop = jobs.start(runtime, clock=clock, transport=post)
    bad, good = put(database, now, "bad@b.example"), put(database, now, "good@b.example")
    eventually(lambda: state(database, good) is WorkState.DONE)
    eventually(lambda: state(database, bad) is WorkState.QUEUED)
    with database.reading() as session:
        assert session.get_one(Letter, bad).not_before == now + timedelta(minutes=1)
    stop()


def test_stopping_waits_for_the_letter_at_hand(
    runtime: Runtime, database: Database, clock: Clock, now: datetime
) -> None:
    begun = threading.Event()

    class Slow(MemoryTransport):
        def send(self, mail: EmailMessage) -> None:
            begun.set()
            time.sleep(0.5)
            super().send(mail)

    stop = jobs.start(runtime, clock=clock, transport=Slow())
    letter_id = put(database, now)
    assert begun.wait(PATIENCE_SECONDS)
    stop()
    assert state(database, letter_id) is WorkState.DONE


def test_a_retried_letter_leaves_at_once(
    database: Database, running: None, post: MemoryTransport, now: datetime
) -> None:
    letter_id = put(database, now)
    eventually(lambda: state(database, letter_id) is WorkState.DONE)
    with database.writing() as session:
        letter = session.get_one(Letter, letter_id)
        letter.state = WorkState.FAILED
    with database.writing() as session:
        user = builders.add_user(session)
        outbox.retry(session, letter_id, by=builders.actor(user), now=now)
    eventually(lambda: len(post.sent) == 2)
