"""Sending for real: through a mail server that is well or not, and through a worker that dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests import builders
from tests.application import Clock
from tests.mail.letters import letter
from tests.mail.server import Office, nobody, running
from vendorrisk.db.engine import BUSY_SECONDS, Busy, Database
from vendorrisk.db.models import Letter
from vendorrisk.domain.assessment import WorkState
from vendorrisk.jobs.deliver_mail import PAUSES, PostOffice, deliver
from vendorrisk.mail.transports import MemoryTransport, SmtpTransport, Transport
from vendorrisk.services.letters import outbox


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def port(office: Office) -> Iterator[int]:
    with running(office) as opened:
        yield opened


def post_office(database: Database, transport: Transport, clock: Clock) -> PostOffice:
    return PostOffice(database, transport, "Acme Ltd", "risk@acme.example", clock)


def by_smtp(port: int) -> SmtpTransport:
    return SmtpTransport("127.0.0.1", port, starttls=False)


def put(database: Database, now: datetime) -> UUID:
    with database.writing() as session:
        return outbox.put(session, letter("invitation"), kind="invitation", now=now).id


def row(database: Database, letter_id: UUID) -> Letter:
    with database.reading() as session:
        return session.get_one(Letter, letter_id)


def trouble(database: Database, letter_id: UUID) -> str:
    with database.reading() as session:
        return outbox.trouble(session, session.get_one(Letter, letter_id))


def test_a_letter_arrives_and_is_done(database: Database, office: Office, port: int, clock: Clock) -> None:
    letter_id = put(database, clock.now)
    deliver(post_office(database, by_smtp(port), clock), letter_id)
    assert row(database, letter_id).state is WorkState.DONE
    (mail,) = office.taken
    assert mail["From"] == "Acme Ltd <risk@acme.example>"
    assert mail["Message-ID"] == f"<{letter_id.hex}.letter@acme.example>"
    deliver(post_office(database, by_smtp(port), clock), letter_id)
    assert len(office.taken) == 1


def test_greylisting_delays_a_letter_and_does_not_lose_it(
    database: Database, office: Office, port: int, clock: Clock
) -> None:
    letter_id, post = put(database, clock.now), post_office(database, by_smtp(port), clock)
    office.rcpt_reply = "451 4.7.1 Greylisted"
    deliver(post, letter_id)
    assert (row(database, letter_id).error, trouble(database, letter_id)) == ("451 4.7.1", "451 4.7.1 Greylisted")
    deliver(post, letter_id)
    assert row(database, letter_id).attempts == 1
    office.rcpt_reply = None
    clock.advance(minutes=1)
    deliver(post, letter_id)
    assert (row(database, letter_id).state, row(database, letter_id).error) == (WorkState.DONE, "")


def test_a_mailbox_that_is_not_there_is_undelivered_at_once(
    database: Database, office: Office, port: int, clock: Clock
) -> None:
    letter_id = put(database, clock.now)
    office.rcpt_reply = "550 5.1.1 No such user"
    deliver(post_office(database, by_smtp(port), clock), letter_id)
    assert (row(database, letter_id).state, row(database, letter_id).attempts) == (WorkState.FAILED, 1)


def test_a_server_that_is_down_for_a_day_makes_a_letter_undelivered(database: Database, clock: Clock) -> None:
    letter_id, tries = put(database, clock.now), 0
    with nobody() as port:
        post = post_office(database, by_smtp(port), clock)
        while row(database, letter_id).state is WorkState.QUEUED:
            clock.now = max(clock.now, row(database, letter_id).not_before)
            deliver(post, letter_id)
            tries += 1
    assert tries == 29
    assert clock.now == builders.NOW + timedelta(hours=24)
    assert "refused" in trouble(database, letter_id)


def test_a_connection_dropped_after_the_text_sends_it_twice_under_one_identity(
    database: Database, office: Office, port: int, clock: Clock
) -> None:
    letter_id, post = put(database, clock.now), post_office(database, by_smtp(port), clock)
    office.drop_after_data = True
    deliver(post, letter_id)
    office.drop_after_data = False
    clock.advance(minutes=1)
    deliver(post, letter_id)
    assert row(database, letter_id).state is WorkState.DONE
    assert [mail["Message-ID"] for mail in office.taken] == [f"<{letter_id.hex}.letter@acme.example>"] * 2
    assert len({mail["Date"] for mail in office.taken}) == 1


def test_a_worker_killed_between_sending_and_noting_sends_it_again_under_the_same_identity(
    database: Database, database_url: str, office: Office, port: int, clock: Clock
) -> None:
    letter_id = put(database, clock.now)
    program = f"""
        import os, signal
        from uuid import UUID
        from tests.application import Clock
        from tests.databases import MASTER
        from tests.builders import NOW
        from vendorrisk.db import engine
        from vendorrisk.db.engine import Database
        from vendorrisk.jobs.deliver_mail import PAUSES, PostOffice, deliver
        from vendorrisk.mail.transports import SmtpTransport

        class Deadly(SmtpTransport):
            def send(self, mail):
                super(Deadly, self).send(mail)
                os.kill(os.getpid(), signal.SIGKILL)

        database = Database(engine.make_engine({database_url!r}), MASTER)
        transport = Deadly("127.0.0.1", {port}, starttls=False)
        deliver(PostOffice(database, transport, "Acme Ltd", "risk@acme.example", Clock(NOW)), UUID({str(letter_id)!r}))
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env={**os.environ, "PYTHONPATH": "."}, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    assert len(office.taken) == 1
    assert row(database, letter_id).state is WorkState.RUNNING
    post = post_office(database, by_smtp(port), clock)
    deliver(post, letter_id)
    assert len(office.taken) == 1
    clock.now += outbox.LEASE
    deliver(post, letter_id)
    assert row(database, letter_id).state is WorkState.DONE
    assert len(office.taken) == 2
    first, second = (mail.as_string() for mail in office.taken)
    assert office.taken[0]["Message-ID"] == office.taken[1]["Message-ID"]
    assert [line for line in first.split() if "/q/" in line] == [line for line in second.split() if "/q/" in line]


def test_a_mistake_of_ours_neither_loses_nor_hides_the_letter(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(MemoryTransport):
        def send(self, mail: EmailMessage) -> None:
            raise KeyError("oops")

    letter_id = put(database, clock.now)
    deliver(post_office(database, Broken(), clock), letter_id)
    left = row(database, letter_id)
    assert (left.state, trouble(database, letter_id)) == (WorkState.QUEUED, "our own mistake: KeyError")
    assert "could not be sent" in caplog.text
    for _ in range(2):
        clock.advance(minutes=2)
        deliver(post_office(database, Broken(), clock), letter_id)
    assert (row(database, letter_id).state, row(database, letter_id).attempts) == (WorkState.FAILED, 3)


def test_a_letter_whose_worker_is_stopped_each_time_is_parked_in_the_end(database: Database, clock: Clock) -> None:
    letter_id = put(database, clock.now)
    for _ in range(len(outbox.PAUSES) + 1):
        with database.writing() as session:
            assert outbox.take(session, letter_id, now=clock.now)
        clock.now += outbox.LEASE
    deliver(post_office(database, MemoryTransport(), clock), letter_id)
    left = row(database, letter_id)
    assert (left.state, left.error) == (WorkState.FAILED, "The worker that sent it was stopped each time.")


def test_an_address_that_cannot_be_written_is_refused(database: Database, clock: Clock) -> None:
    with database.writing() as session:
        broken = letter("access_code", to="nobody")
        letter_id = outbox.put(session, broken, kind="access_code", now=clock.now).id
    deliver(post_office(database, MemoryTransport(), clock), letter_id)
    assert row(database, letter_id).state is WorkState.FAILED


class Away:
    """A database that is away for a while once the letter was taken."""

    def __init__(self, real: Database, times: int) -> None:
        self._real, self._left, self._taken = real, times, False

    def writing(self) -> AbstractContextManager[Session]:
        if self._taken and self._left:
            self._left -= 1
            raise Busy
        self._taken = True
        return self._real.writing()


def test_a_database_that_is_away_for_a_while_does_not_make_a_letter_go_twice(database: Database, clock: Clock) -> None:
    letter_id, sent = put(database, clock.now), MemoryTransport()
    away = cast(Database, Away(database, 3))
    begun = time.monotonic()
    deliver(replace(post_office(away, sent, clock), pauses=(0.0, 0.0, 0.05, 0.0)), letter_id)
    assert time.monotonic() - begun >= 0.05
    assert row(database, letter_id).state is WorkState.DONE
    clock.now += outbox.LEASE
    deliver(post_office(database, sent, clock), letter_id)
    assert len(sent.sent) == 1


def test_a_letter_that_could_not_be_noted_is_not_lost(database: Database, clock: Clock) -> None:
    letter_id, sent = put(database, clock.now), MemoryTransport()
    away = cast(Database, Away(database, 3))
    with pytest.raises(Busy):
        deliver(replace(post_office(away, sent, clock), pauses=(0.0, 0.0)), letter_id)
    clock.now += outbox.LEASE
    deliver(post_office(database, sent, clock), letter_id)
    assert row(database, letter_id).state is WorkState.DONE
    first, second = sent.sent
    assert first["Message-ID"] == second["Message-ID"]


def test_the_pauses_end_before_the_lease_does() -> None:
    assert list(PAUSES) == sorted(PAUSES)
    assert sum(PAUSES) + (len(PAUSES) + 1) * BUSY_SECONDS < outbox.LEASE.total_seconds() * 2 / 3


def test_nothing_is_locked_while_a_slow_server_is_spoken_to(database: Database, clock: Clock) -> None:
    class Looks(MemoryTransport):
        def send(self, mail: EmailMessage) -> None:
            with database.writing() as session:
                builders.add_vendor(session)
            super().send(mail)

    letter_id = put(database, clock.now)
    deliver(post_office(database, Looks(), clock), letter_id)
    assert row(database, letter_id).state is WorkState.DONE
