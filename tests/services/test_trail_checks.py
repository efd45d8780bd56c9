"""Checks of the trail in the database: what its owner changes is named, and the heads that are kept elsewhere."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from tests import review_side, trail_side
from tests.databases import MASTER, ON_SQLITE, secrets
from tests.trail_side import NOW, SEALED, check, places, sealed, sealer, tamper, write
from vendorrisk.db import engine
from vendorrisk.db.engine import Database
from vendorrisk.db.models import MailedHead
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.domain.chain import Head, parse_head
from vendorrisk.services import audit
from vendorrisk.services.auditing import anchor, readings, sealing, trail_checks
from vendorrisk.services.auditing.anchor import BadAnchor
from vendorrisk.services.auditing.trail_checks import Anchored, Outcome
from vendorrisk.services.reporting import reports

KEYED = audit.keyed(secrets())
COPY_7 = "SELECT 99, '{id}', at, kind, actor_kind, actor_id, object_kind, object_id, details, mac FROM trail_events"


def beside(folder: Path) -> Anchored:
    """What the anchor says."""
    return trail_checks.anchored(folder / "master.trail-head", KEYED)


def test_a_trail_that_nobody_touched_is_whole(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    write(database, 1, first=SEALED)
    found: list[object] = []
    with database.reading() as session:
        outcome = trail_checks.of_database(session, beside(tmp_path), (), found.append)
    assert found == []
    assert (outcome.is_whole, outcome.sealed, outcome.unsealed, outcome.position, outcome.heads) == (True, 8, 1, 8, 1)


TAMPERINGS = {
    "flip": (["UPDATE trail_events SET kind = 'answer.read' WHERE number = 4"], ("changed", 4, 4)),
    "delete": (
        ["DELETE FROM trail_links WHERE event_number = 4", "DELETE FROM trail_events WHERE number = 4"],
        ("missing", 4, None),
    ),
    "delete the event only": (["DELETE FROM trail_events WHERE number = 4"], ("missing", 4, 4)),
    "swap": (
        ["UPDATE trail_links SET event_number = 99 WHERE position = 4",
         "UPDATE trail_links SET event_number = 4 WHERE position = 6",
         "UPDATE trail_links SET event_number = 6 WHERE position = 4"],
        ("out of order", 4, 6),
    ),
    "insert": ([f"INSERT INTO trail_events {COPY_7} WHERE number = 7"], ("inserted", None, 99)),
    "back-date": (["UPDATE trail_events SET at = '2026-01-01 00:00:00.000000' WHERE number = 4"], ("changed", 4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TAMPERINGS))
def test_who_owns_the_database_but_not_the_key_is_found_out(database: Database, tmp_path: Path, name: str) -> None:
    sealed(database, tmp_path)
    statements, expected = TAMPERINGS[name]
    tamper(database, *(statement.format(id=trail_side.some_id()) for statement in statements))
    assert expected in places(check(database, beside(tmp_path)))


def test_what_was_cut_off_with_its_links_is_known_by_the_anchor(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    cut = ["DELETE FROM trail_links WHERE position > 5", "DELETE FROM trail_events WHERE number > 5"]
    tamper(database, *cut)
    assert check(database) == [], "what is left fits together"
    assert places(check(database, beside(tmp_path))) == [("cut off", 8, None)]


def test_the_sealer_does_not_move_an_anchor_that_the_chain_does_not_lead_to(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sealed(database, tmp_path)
    tamper(database, "DELETE FROM trail_links WHERE position > 5", "DELETE FROM trail_events WHERE number > 5")
    write(database, 9, first=SEALED)
    assert sealer(database, tmp_path).round() == 9
    assert "does not lead to the head" in caplog.text
    assert places(check(database, beside(tmp_path)))[0] == ("changed", 8, None)


def test_after_a_backup_was_put_back_the_chain_can_be_accepted(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    tamper(database, "DELETE FROM trail_links WHERE position > 5", "DELETE FROM trail_events WHERE number > 5")
    with database.writing() as session:
        accepted = trail_checks.accept(session, beside(tmp_path), by=SYSTEM, now=SEALED)
    assert accepted is not None and accepted.position == 5
    anchor.write(tmp_path / "master.trail-head", accepted, KEYED)
    assert check(database, beside(tmp_path)) == []
    assert sealer(database, tmp_path).round() == 1, "that it was accepted is an event"
    assert check(database, beside(tmp_path)) == []


def put_right(database: Database, folder: Path) -> None:
    """A trail in which the clock of writer and sealer was 400 days ahead for a moment, then put right."""
    ahead = timedelta(days=400)
    sealed(database, folder)
    write(database, 2, first=SEALED + ahead)
    assert sealer(database, folder, now=SEALED + ahead).round() == 2
    write(database, 30, first=SEALED)
    assert sealer(database, folder, now=SEALED + timedelta(minutes=1)).round() == 30


def test_a_clock_that_was_ahead_is_one_finding_and_can_be_accepted(database: Database, tmp_path: Path) -> None:
    put_right(database, tmp_path)
    assert places(check(database, beside(tmp_path))) == [("clock put back", 11, 11)]
    with database.writing() as session:
        accepted = trail_checks.accept(session, beside(tmp_path), by=SYSTEM, now=SEALED + timedelta(minutes=2))
    assert accepted is not None
    anchor.write(tmp_path / "master.trail-head", accepted, KEYED)
    found: list[object] = []
    with database.reading() as session:
        outcome = trail_checks.of_database(session, beside(tmp_path), (), found.append)
    assert outcome.is_whole and found == []
    assert "position 11, event 11: clock put back" in outcome.notes[-1]


def test_what_was_accepted_covers_no_later_jump_and_no_other_change(database: Database, tmp_path: Path) -> None:
    put_right(database, tmp_path)
    with database.writing() as session:
        trail_checks.accept(session, beside(tmp_path), by=SYSTEM, now=SEALED + timedelta(minutes=2))
    write(database, 1, first=SEALED - timedelta(hours=2))
    write(database, 1, first=SEALED + timedelta(days=9))
    sealer(database, tmp_path, now=SEALED + timedelta(days=9)).round()
    write(database, 1, first=SEALED + timedelta(days=1))
    sealer(database, tmp_path, now=SEALED + timedelta(days=1)).round()
    tamper(database, "UPDATE trail_events SET kind = 'answer.read' WHERE number = 4")
    found = places(check(database))
    assert [change for change, _, _ in found] == ["changed", "back-dated", "clock put back"]


def test_an_anchor_is_written_for_its_owner_only_and_believed_only_if_genuine(
    database: Database, tmp_path: Path
) -> None:
    sealed(database, tmp_path)
    path = tmp_path / "master.trail-head"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [path.name], "no draft is left"
    path.write_text(path.read_text().replace('"position": 8', '"position": 5'))
    with pytest.raises(BadAnchor, match="was changed"):
        anchor.read(path, KEYED)
    assert places(check(database, beside(tmp_path))) == [("changed", None, None)]
    path.write_text("nonsense")
    assert "was not written with this key" in check(database, beside(tmp_path))[0].words


def test_without_an_anchor_that_is_said(tmp_path: Path) -> None:
    assert "There is no anchor" in beside(tmp_path).notes[0]


def test_triggers_that_are_gone_are_named(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    guard = trail_side.unguarded(database)
    with guard:
        gone = [finding.words for finding in check(database)]
    assert len(gone) == (6 if database.is_sqlite else 4)
    assert all("the trigger trail_" in words for words in gone)
    assert check(database) == []


def test_heads_of_reports_and_letters_are_compared(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    with database.writing() as session:
        case, _ = review_side.under_review(session)
        made = reports.ask(session, case.reference, organisation="Acme Ltd", by=SYSTEM, now=NOW)
        assert (made.head_position, made.head_chain) == (8, sealing.link_at(session, 8))
        session.add(MailedHead(day=NOW.date(), position=6, chain=b"x" * 32, mailed_at=NOW))
        made.head_position, made.head_chain = 5, b"y" * 32
        name = made.reference
    assert [(f.position, f.words) for f in check(database)] == [
        (5, f"its hash is not the one noted in report {name}"),
        (6, "its hash is not the one noted in the letter of 2026-06-30"),
    ]


def test_a_head_that_somebody_kept_is_compared(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    with database.reading() as session:
        digits = (sealing.link_at(session, 5) or b"").hex()
    assert check(database, None, parse_head(f"5:{digits[:16]}")) == []
    assert places(check(database, None, Head(5, "0" * 16, "mine"))) == [("changed", 5, None)]
    assert places(check(database, None, Head(900, "0" * 16, "mine"))) == [("cut off", 900, None)]


def test_what_was_found_is_an_event_and_the_latest_is_shown(database: Database) -> None:
    with database.writing() as session:
        assert trail_checks.latest(session, now=NOW) is None
        for problems in (3, 0):
            outcome = Outcome(1204, 2, problems, 1204, b"c" * 32, 1)
            trail_checks.record(session, outcome, by=SYSTEM, now=NOW + timedelta(minutes=3 - problems))
        session.flush()
        ahead = Outcome(1204, 2, 1, 1204, b"c" * 32, 1)
        trail_checks.record(session, ahead, by=SYSTEM, now=NOW + timedelta(days=400))
        session.flush()
        shown = trail_checks.latest(session, now=NOW + timedelta(days=1))
    assert shown is not None
    assert (shown.by, shown.sealed, shown.problems) == ("vendorrisk", 1204, 0)


# ---------------------------------------------------------------- every byte of the file counts

COLUMNS = {
    "trail_events": (
        "number", "id", "at", "kind", "actor_kind", "actor_id", "object_kind", "object_id", "details", "mac",
    ),
    "trail_links": ("position", "event_number", "chain", "sealed_at", "seal"),
}  # fmt: skip


@pytest.fixture
def file(database: Database, database_url: str, tmp_path: Path) -> Path:
    """The file of a sealed trail that nobody uses any more."""
    sealed(database, tmp_path)
    database.close()
    return Path(str(make_url(database_url).database))


def flip(path: Path, table: str, column: str, place: int, at: int, bit: int) -> int:
    """Flip one bit of one cell, as the bytes that it is; returns the position of its row."""
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        kind, cell = connection.execute(
            f"SELECT typeof({column}), CAST({column} AS BLOB) FROM {table} WHERE rowid = ?", (place,)
        ).fetchone()
        at %= len(cell)
        raw = cell[:at] + bytes([cell[at] ^ (1 << bit)]) + cell[at + 1 :]
        if kind == "integer":
            value: object = int(cell) + (1 << (bit + 8))
        else:
            value = raw
        as_it_was = "CAST(? AS TEXT)" if kind == "text" else "?"
        connection.execute(f"UPDATE {table} SET {column} = {as_it_was} WHERE rowid = ?", (value, place))
    connection.close()
    return place


@ON_SQLITE
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    column=st.sampled_from([(table, name) for table, names in COLUMNS.items() for name in names]),
    place=st.integers(1, 8), at=st.integers(0, 400), bit=st.integers(0, 7),
)  # fmt: skip
def test_any_flip_of_any_cell_in_the_file_is_named(
    file: Path, column: tuple[str, str], place: int, at: int, bit: int
) -> None:
    copy = file.with_name(f"{file.name}.flipped")
    shutil.copyfile(file, copy)
    flip(copy, *column, place, at, bit)
    opened = Database(engine.make_engine(f"sqlite:///{copy}"), MASTER)
    try:
        found = [finding for finding in check(opened) if not finding.words.startswith("the trigger")]
    finally:
        opened.close()
    assert any(place in (finding.position, finding.number) for finding in found)


def test_readings_of_things_whose_details_were_tampered_with_do_not_stop_the_reader(database: Database) -> None:
    write(database, 1)
    tamper(database, "UPDATE trail_events SET kind = 'answers.read', details = mac")
    with database.writing() as session:
        kind = EventKind.ANSWERS_READ
        assert not readings.has_noted(session, kind, trail_side.CASE, {"request": "R-1"}, by=SYSTEM, now=NOW)
