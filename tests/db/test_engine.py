"""The database: what is acknowledged is there, writers take turns, and nobody waits for ever."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from tests import builders
from tests.databases import ON_POSTGRES, ON_SQLITE
from vendorrisk.db import engine, vault
from vendorrisk.db.engine import Busy, Database
from vendorrisk.db.models import Answer, Attempt, Event, Request, Vendor
from vendorrisk.db.queue import FairLock
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.errors import WrongState
from vendorrisk.services.answering import saves
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.answering.saves import Conflict

THREADS, EACH = 20, 15


def save(database: Database, request_id: UUID, text: str, expected: int) -> None:
    with database.writing() as session:
        request = session.get_one(Request, request_id)
        key_id = session.get_one(Vendor, request.vendor_id).key_id
        question = builders.question_of(session, request, "remote_access")
        saves.put(
            session, request, key_id, question, NewAnswer("own", comment=text), expected_version=expected,
            origin=Origin.VENDOR, by=SYSTEM, now=builders.NOW,
        )  # fmt: skip


def comment(session: Session, row: Answer) -> str:
    body = vault.open_json(session, row.body, context=f"answer:{row.request_id}:{row.question_id}")
    return str(body["comment"])


def test_nothing_that_twenty_threads_save_is_lost(database: Database) -> None:
    with database.writing() as session:
        requests = [builders.add_request(session).id for _ in range(THREADS)]

    def save_many(request_id: UUID) -> None:
        for number in range(EACH):
            save(database, request_id, f"{request_id} {number}", number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(save_many, requests))
    with database.reading() as session:
        rows = session.scalars(select(Answer)).all()
        assert {row.request_id: comment(session, row) for row in rows} == {
            request_id: f"{request_id} {EACH - 1}" for request_id in requests
        }
        assert {row.version for row in rows} == {EACH}
        saved = session.scalars(select(Event).where(Event.kind == "answer.saved")).all()
        assert len(saved) == THREADS * EACH


def test_of_twenty_who_save_the_same_version_one_wins(database: Database) -> None:
    with database.writing() as session:
        request_id = builders.add_request(session).id
        builders.add_answer(session, session.get_one(Request, request_id), "remote_access", "no")
    start = threading.Barrier(THREADS)

    def attempt(number: int) -> str:
        start.wait()
        try:
            save(database, request_id, f"{number}", 1)
        except Conflict:
            return "conflict"
        return f"{number}"

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(attempt, range(THREADS)))
    winners = [result for result in results if result != "conflict"]
    assert len(winners) == 1
    with database.reading() as session:
        assert comment(session, session.scalars(select(Answer)).one()) == winners[0]


def test_an_error_takes_everything_back(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as session:
        builders.add_vendor(session)
        raise RuntimeError
    with database.reading() as session:
        assert session.scalars(select(Vendor)).all() == []


def test_reading_keeps_nothing(database: Database, now: datetime) -> None:
    with database.reading() as session:
        session.add(Attempt(bucket=bytes(16), at=now))
        session.flush()
    with database.reading() as session:
        assert session.scalars(select(Attempt)).all() == []


def test_moments_come_back_in_utc_and_equal(database: Database) -> None:
    tokyo = datetime(2026, 6, 30, 18, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    with database.writing() as session:
        session.add(Attempt(bucket=bytes(16), at=tokyo))
    with database.reading() as session:
        if not database.is_sqlite:
            session.execute(text("SET TIME ZONE 'Asia/Tokyo'"))
        back = session.scalars(select(Attempt.at)).one()
    assert back == tokyo
    assert back.isoformat() == "2026-06-30T09:00:00.123456+00:00"


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"), database.writing() as session:
        session.add(Attempt(bucket=bytes(16), at=datetime(2026, 6, 30)))


def test_an_error_does_not_repeat_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(StatementError) as caught, database.writing() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": "Zanzibar"})
    assert "Zanzibar" not in str(caught.value)
    assert "hide_parameters" in str(caught.value)


@ON_POSTGRES
def test_what_is_saved_is_on_disk_whatever_the_server_is_set_to(database: Database) -> None:
    with database.reading() as session:
        assert session.scalar(text("SHOW synchronous_commit")) == "on"
        assert session.scalar(text("SELECT source FROM pg_settings WHERE name = 'synchronous_commit'")) == "client"


def test_references_must_point_to_something(database: Database, now: datetime) -> None:
    orphan = Answer(
        request_id=vault.SYSTEM_KEY, question_id="x", body=b"", state="answered", origin=Origin.VENDOR,
        answered_on=date(2026, 6, 30), saved_at=now,
    )  # fmt: skip
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(orphan)


@ON_SQLITE
def test_sqlite_is_set_up_to_lose_nothing_and_to_leave_no_traces(database: Database) -> None:
    with database.reading() as session:
        got = {name: session.scalar(text(f"PRAGMA {name}")) for name in (
            "journal_mode", "synchronous", "foreign_keys", "temp_store", "secure_delete")}  # fmt: skip
    assert got == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "temp_store": 2, "secure_delete": 1}


@ON_SQLITE
def test_a_writer_in_the_way_means_busy_not_a_wait_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    with database.writing(), ThreadPoolExecutor(1) as pool, pytest.raises(Busy):
        pool.submit(_write, database).result()
    _write(database)


@ON_SQLITE
def test_another_process_in_the_way_means_busy_too(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    impatient = Database(engine.make_engine(database_url), database.master)
    other = sqlite3.connect(Path(database_url.removeprefix("sqlite:///")), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        _write(impatient)
    other.execute("ROLLBACK")
    other.close()
    _write(impatient)
    impatient.close()


@ON_POSTGRES
def test_a_row_that_another_holds_for_long_means_busy(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    impatient = Database(engine.make_engine(database_url), database.master)
    with database.writing() as session:
        vendor_id = builders.add_vendor(session).id
    touch = update(Vendor).where(Vendor.id == vendor_id).values(active_at=builders.NOW)
    with database.writing() as holder:
        holder.execute(touch)
        with pytest.raises(Busy), impatient.writing() as session:
            session.execute(touch)
    impatient.close()


@ON_POSTGRES
def test_a_connection_that_rested_is_asked_whether_it_is_still_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(database)
    _end_all_connections(database)
    monkeypatch.setattr(engine, "REST_SECONDS", 0)
    _write(database)


@ON_POSTGRES
def test_a_connection_lost_a_moment_after_its_use_means_busy_once(database: Database) -> None:
    _write(database)
    _end_all_connections(database)
    with pytest.raises(Busy):
        _write(database)
    _write(database)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 2


def _end_all_connections(database: Database) -> None:
    """Let the server end them, as it does when it stops."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


def test_a_row_that_another_changed_since_it_was_read_is_not_overwritten(database: Database) -> None:
    with database.writing() as session:
        vendor_id = builders.add_vendor(session).id
    with pytest.raises(WrongState, match="at the same moment"), database.writing() as session:
        vendor = session.get_one(Vendor, vendor_id)
        session.execute(
            update(Vendor).where(Vendor.id == vendor_id).values(version=Vendor.version + 1),
            execution_options={"synchronize_session": False},
        )
        vendor.active_at = builders.NOW + timedelta(days=1)


def _write(database: Database) -> None:
    with database.writing() as session:
        session.add(Attempt(bucket=bytes(16), at=datetime(2026, 6, 30, tzinfo=UTC)))


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.writing() as session:
        builders.add_vendor(session)
        with database.reading() as reader:  # waiting would end in Busy: the writer is this very thread
            assert reader.scalars(select(Vendor)).all() == []


def test_the_lock_is_handed_over_in_order_of_arrival() -> None:
    lock, order = FairLock(), []
    assert lock.acquire(1)

    def wait(name: str) -> None:
        assert lock.acquire(60)
        order.append(name)
        lock.release()

    threads = []
    for name in "abcde":
        threads.append(threading.Thread(target=wait, args=name))
        threads[-1].start()
        while len(lock._waiting) < len(threads):
            time.sleep(0.001)
    lock.release()
    for thread in threads:
        thread.join()
    assert order == list("abcde")


def test_who_gives_up_waiting_does_not_block_the_next() -> None:
    lock = FairLock()
    assert lock.acquire(1)
    assert not lock.acquire(0.05)
    lock.release()
    assert lock.acquire(0.05)
    lock.release()


def test_the_lock_lets_one_in_at_a_time() -> None:
    lock, inside, most = FairLock(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(300):
            assert lock.acquire(60)
            inside += 1
            most = max(most, inside)
            inside -= 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert lock.acquire(0)
