"""The sealer beside the other jobs: what is committed is in the chain within about a second, and the anchor follows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from tests import builders, trail_side
from tests.application import Clock
from tests.cast import Cast
from vendorrisk import jobs
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Letter, MailedHead, User
from vendorrisk.domain.roles import Role
from vendorrisk.jobs import seal_trail
from vendorrisk.mail.transports import MemoryTransport
from vendorrisk.services import audit
from vendorrisk.services.auditing import anchor, heads, sealing
from vendorrisk.services.letters import outbox
from vendorrisk.services.runtime import Runtime


@pytest.fixture
def running(runtime: Runtime, clock: Clock) -> Iterator[None]:
    stop = jobs.start(runtime, clock=clock, transport=MemoryTransport())
    yield
    stop()


def head(database: Database) -> int:
    with database.reading() as session:
        last = sealing.head(session)
        return last.position if last else 0


def eventually(position: int, database: Database, *, within: float = 60) -> None:
    until = time.monotonic() + within
    while head(database) < position:
        assert time.monotonic() < until, "it was not sealed"
        time.sleep(0.02)


def test_what_is_committed_is_sealed_without_anybody_asking(
    runtime: Runtime, database: Database, running: None
) -> None:
    trail_side.write(database, 3)
    eventually(3, database)
    trail_side.write(database, 2)
    eventually(5, database)
    path = anchor.path_of(runtime.settings)
    assert path.parent == runtime.settings.key_file.parent
    until = time.monotonic() + 60
    while (there := anchor.read(path, audit.keyed(database.master))) is None or there.position < 5:
        assert time.monotonic() < until, "the anchor was not moved"
        time.sleep(0.02)


def test_what_others_left_unsealed_is_found_at_the_start(runtime: Runtime, database: Database, clock: Clock) -> None:
    trail_side.write(database, 3)
    stop = jobs.start(runtime, clock=clock, transport=MemoryTransport())
    eventually(3, database)
    stop()


def test_stopping_seals_what_was_written_last(database: Database, tmp_path: Path) -> None:
    ours = trail_side.sealer(database, tmp_path)
    stop = seal_trail.start(ours)
    trail_side.write(database, 2)
    stop()
    assert head(database) == 2


def test_trouble_ends_a_round_and_not_the_sealer(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ours = trail_side.sealer(database, tmp_path)
    troubles: list[Exception] = [ProgrammingError("SELECT", {}, Exception("gone")), ValueError("a mistake of ours")]

    def failing(session: Session, numbers: object, *, now: datetime) -> int:
        raise troubles[0]

    trail_side.write(database, 1)
    monkeypatch.setattr(sealing, "seal", failing)
    assert seal_trail._safely(ours) > seal_trail.PAUSE
    troubles.pop(0)
    assert seal_trail._safely(ours) > seal_trail.PAUSE
    assert "cannot be sealed now" in caplog.text and "a mistake of ours" in caplog.text
    monkeypatch.undo()
    assert seal_trail._safely(ours) == seal_trail.PAUSE
    assert head(database) == 1


def test_a_key_folder_that_cannot_be_written_keeps_no_event_out_of_the_chain(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = trail_side.sealer(database, tmp_path / "gone")
    for _ in range(2):
        trail_side.write(database, 1)
        ours.round()
    assert head(database) == 2
    assert len([record for record in caplog.records if "No such file" in record.getMessage()]) == 1, "said once"


# ---------------------------------------------------------------- the daily letter


@pytest.fixture
def people(database: Database) -> Cast:
    with database.writing() as session:
        return Cast(
            petra=builders.add_user(session),
            adam=builders.add_user(session, "adam@acme.example", name="Adam Reed", roles=[Role.ADMIN]),
            audrey=builders.add_user(session, "audrey@acme.example", name="Audrey Finch", roles=[Role.AUDITOR]),
        )


def mail(database: Database, now: datetime) -> int:
    with database.writing() as session:
        return heads.mail(session, organisation="Acme Ltd", now=now)


def letters(database: Database) -> list[str]:
    """To whom heads were written."""
    with database.reading() as session:
        rows = session.scalars(select(Letter).where(Letter.kind == "trail_head"))
        return sorted(vault.open_json(session, row.content, context=outbox.CONTEXT)["to"] for row in rows)


def test_the_head_goes_to_admins_and_auditors_once_a_day(
    database: Database, people: Cast, tmp_path: Path, now: datetime
) -> None:
    trail_side.sealer(database, tmp_path).round()
    assert mail(database, now) == 2
    assert mail(database, now + timedelta(hours=14)) == 0
    assert letters(database) == ["adam@acme.example", "audrey@acme.example"]
    assert mail(database, now + timedelta(hours=15)) == 2, "the next day has begun in UTC"
    with database.reading() as session:
        assert len(session.scalars(select(MailedHead)).all()) == 2


def test_while_nothing_is_sealed_no_head_is_mailed(database: Database, people: Cast, now: datetime) -> None:
    assert mail(database, now) == 0
    with database.reading() as session:
        assert not heads.is_due(session, now=now)


def test_of_eight_workers_one_mails_the_head(database: Database, people: Cast, tmp_path: Path, now: datetime) -> None:
    trail_side.sealer(database, tmp_path).round()
    together = threading.Barrier(8)

    def work() -> None:
        together.wait()
        mail(database, now)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(letters(database)) == 2


def test_who_was_disabled_gets_no_head(database: Database, people: Cast, tmp_path: Path, now: datetime) -> None:
    with database.writing() as session:
        session.get_one(User, people.adam.id).active = False
    trail_side.sealer(database, tmp_path).round()
    assert mail(database, now) == 1
    assert letters(database) == ["audrey@acme.example"]


def test_the_letter_says_the_head_and_names_nobody(
    database: Database, people: Cast, tmp_path: Path, now: datetime
) -> None:
    trail_side.sealer(database, tmp_path).round()
    mail(database, now)
    with database.reading() as session:
        mailed = session.scalars(select(MailedHead)).one()
        row = session.scalars(select(Letter)).first()
        assert row is not None
        letter = vault.open_json(session, row.content, context=outbox.CONTEXT)
    assert f"--head {mailed.position}:{mailed.chain.hex()[:16]}" in letter["text"]
    assert not [name for name in ("Petra", "Adam", "Audrey", "Northwind") if name in json.dumps(letter)]
