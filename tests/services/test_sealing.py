"""Sealing: every committed event gets one place in the chain, whoever writes and seals at the same time."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests import trail_side
from tests.databases import ON_POSTGRES
from tests.trail_side import NOW, SEALED, check, sealer, write
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Link
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.services import audit, paging
from vendorrisk.services.auditing import sealing
from vendorrisk.services.auditing.sealing import Horizon


def links(database: Database) -> list[tuple[int, int]]:
    """Position and event of every link."""
    with database.reading() as session:
        rows = session.execute(select(Link.position, Link.event_number).order_by(Link.position))
        return [(position, number) for position, number in rows]


def test_events_are_sealed_in_batches_without_a_gap(database: Database, tmp_path: Path) -> None:
    write(database, 2 * sealing.BATCH + 7)
    assert sealer(database, tmp_path).round() == 2 * sealing.BATCH + 7
    found = links(database)
    assert [position for position, _ in found] == list(range(1, len(found) + 1))
    assert len({number for _, number in found}) == len(found)
    assert check(database) == []


def test_a_second_round_goes_on_where_the_first_ended(database: Database, tmp_path: Path) -> None:
    ours = sealer(database, tmp_path)
    write(database, 3)
    assert ours.round() == 3
    assert ours.round() == 0
    write(database, 2, first=NOW + timedelta(minutes=1))
    assert ours.round() == 2
    assert check(database) == []


def test_what_was_written_with_earlier_moments_stands_by_its_time(database: Database, tmp_path: Path) -> None:
    write(database, 2, first=NOW)
    write(database, 2, first=NOW - timedelta(days=20))
    sealer(database, tmp_path).round()
    with database.reading() as session:
        moments = list(session.scalars(select(Event.at).join(Link).order_by(Link.position)))
    assert moments == sorted(moments)
    assert check(database) == []


def test_eight_writers_and_two_sealers_leave_no_event_out_and_none_twice(database: Database, tmp_path: Path) -> None:
    writing = threading.Event()

    def save() -> None:
        for number in range(10):
            write(database, 2, first=NOW + timedelta(minutes=number))

    def seal() -> None:
        ours = sealer(database, tmp_path / threading.current_thread().name)
        while not writing.is_set():
            ours.round()

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    writers = [threading.Thread(target=save) for _ in range(8)]
    sealers = [threading.Thread(target=seal, name=name) for name in ("one", "two")]
    for thread in (*sealers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    writing.set()
    for thread in sealers:
        thread.join()
    sealer(database, tmp_path).round()
    found = links(database)
    assert [position for position, _ in found] == list(range(1, 161))
    assert len({number for _, number in found}) == 160
    assert [finding for finding in check(database) if finding.change != "back-dated"] == []


@ON_POSTGRES
def test_a_lower_number_that_is_committed_later_is_sealed_later(database: Database, tmp_path: Path) -> None:
    ours = sealer(database, tmp_path)
    with database.writing() as slow:
        audit.record(
            slow, EventKind.ANSWER_SAVED, object_kind="assessment", object_id=trail_side.CASE,
            by=SYSTEM, now=NOW,
        )  # fmt: skip
        slow.flush()
        number = sealing.newest(slow)
        write(database, 1)
        assert ours.round() == 1
        assert ours.round() == 0
    assert ours.round() == 1
    assert links(database) == [(1, number + 1), (2, number)]
    assert check(database) == []


@ON_POSTGRES
def test_while_one_seals_another_lets_it(database: Database, tmp_path: Path) -> None:
    write(database, 3)
    with database.writing() as one, database.writing() as other:
        assert sealing.seal(one, sealing.waiting(one), now=SEALED) == 3
        assert sealing.seal(other, sealing.waiting(other), now=SEALED) == 0
    assert len(links(database)) == 3


def test_of_a_long_trail_only_the_latest_are_looked_at(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(database, 5)
    monkeypatch.setattr(paging, "COUNTED", 3)
    with database.reading() as session:
        assert sealing.count_waiting(session) == 3


def test_how_many_wait_is_known_without_looking_at_them(database: Database, tmp_path: Path) -> None:
    write(database, 3)
    with database.reading() as session:
        assert (sealing.count_waiting(session), sealing.head(session)) == (3, None)
    sealer(database, tmp_path).round()
    write(database, 1)
    with database.reading() as session:
        head = sealing.head(session)
        assert sealing.count_waiting(session) == 1
        assert head is not None and head.position == 3


def test_the_horizon_follows_late_where_several_write_and_starts_anew_each_hour() -> None:
    horizon = Horizon(timedelta(minutes=1))
    horizon.begin(5, now=NOW)
    horizon.finish(now=NOW)
    assert horizon.floor == 0, "a lower number may still come"
    horizon.begin(9, now=NOW + timedelta(seconds=59))
    horizon.finish(now=NOW + timedelta(minutes=1))
    assert horizon.floor == 5
    horizon.begin(9, now=NOW + timedelta(hours=1))
    assert horizon.floor == 0, "everything is looked at once more"


def test_with_one_writer_the_horizon_follows_at_once() -> None:
    horizon = Horizon(timedelta(0))
    horizon.begin(5, now=NOW)
    horizon.finish(now=NOW)
    assert horizon.floor == 5
