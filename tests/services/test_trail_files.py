"""Exports of the trail: they can be checked, with the key and without, and whatever differs by a byte is named."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders, review_side
from tests.databases import ON_SQLITE, secrets
from tests.trail_side import NOW, SEALED, places, sealed, sealer, tamper, write
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.domain.chain import Finding, Head, Keyed
from vendorrisk.services import audit
from vendorrisk.services.auditing import trail_checks, trail_exports, trail_files
from vendorrisk.services.auditing.trail_checks import Outcome
from vendorrisk.services.auditing.trail_files import NotATrail, Reader
from vendorrisk.services.auditing.trail_search import OPERATOR, Filters, Sight
from vendorrisk.services.people.scopes import EVERYTHING

KEYED = audit.keyed(secrets())


def exported(
    database: Database, filters: Filters = Filters(), *, with_words: bool = False, sees_open: bool = True  # noqa: B008 - frozen
) -> bytes:  # fmt: skip
    """The export as bytes."""
    with database.reading() as session:
        lines = trail_exports.as_json_lines(
            session, filters, Sight(sees_open, EVERYTHING), organisation="Acme Ltd", with_words=with_words, now=NOW
        )
        return b"".join(trail_exports.lines_at_once(lines))


def check(file: bytes, *heads: Head, keyed: Keyed | None = KEYED) -> tuple[Outcome, list[Finding]]:
    """What a check of the file comes to."""
    found: list[Finding] = []
    outcome = trail_checks.of_file(Reader(trail_files.lines_of(io.BytesIO(file)), keyed), heads, found.append)
    return outcome, found


@pytest.fixture
def file(database: Database, tmp_path: Path) -> bytes:
    """Eight sealed events, and one that is not."""
    sealed(database, tmp_path)
    write(database, 1, first=SEALED)
    return exported(database, with_words=True)


def lines(file: bytes) -> list[bytes]:
    return file.splitlines(keepends=True)


@pytest.mark.parametrize("with_words", [True, False])
def test_an_export_is_whole_with_the_key_and_without(database: Database, tmp_path: Path, with_words: bool) -> None:
    sealed(database, tmp_path)
    write(database, 1, first=SEALED)
    file = exported(database, with_words=with_words)
    for keyed in (KEYED, None):
        outcome, found = check(file, keyed=keyed)
        assert found == []
        assert (outcome.sealed, outcome.unsealed, outcome.position) == (8, 1, 8)
    assert "Without the key" in outcome.notes[0]


def test_details_stay_sealed_unless_words_are_asked_for(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    assert b"DS-03" not in exported(database)
    said = json.loads(lines(exported(database, with_words=True))[4])["words"]
    assert said["who"] == "vendorrisk" and said["did"] == "saved an answer"
    assert said["details"] == [["Question", None, "DS-03"]]


def test_the_same_trail_gives_the_same_file(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    assert exported(database, with_words=True) == exported(database, with_words=True)


@ON_SQLITE
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_flip_of_any_byte_of_the_file_is_named(file: bytes, at: int, bit: int) -> None:
    at %= len(file)
    flipped = file[:at] + bytes([file[at] ^ (1 << bit)]) + file[at + 1 :]
    try:
        outcome, found = check(flipped)
    except NotATrail:
        assert at < len(lines(file)[0]), "the first line says what the file is"
        return
    assert not outcome.is_whole
    line = file[:at].count(b"\n")
    if 1 <= line <= 9 and file[at : at + 1] != b"\n":
        near = {place for finding in found for place in (finding.position, finding.number)}
        assert near & {line} or any(f"line {line + 1}" in finding.words for finding in found)


@ON_SQLITE
@pytest.mark.parametrize(
    ("name", "place"),
    [("delete", 4), ("swap", 4), ("truncate", None), ("insert", 99), ("back-date", 4), ("flip", 4)],
)
def test_tampering_with_the_file_is_named(file: bytes, name: str, place: int | None) -> None:
    each = lines(file)
    fourth = json.loads(each[4])
    if name == "delete":
        del each[4]
    elif name == "swap":
        each[4], each[6] = each[6], each[4]
    elif name == "truncate":
        del each[6:]
    elif name == "insert":
        each.insert(-1, dumped({**json.loads(each[9]), "number": 99, "kind": "answers.read"}))
    elif name == "back-date":
        each[4] = dumped({**fourth, "at": "2026-01-01T09:00:03+00:00"})
    else:
        each[4] = dumped({**fourth, "kind": "answers.read"})
    outcome, found = check(b"".join(each))
    assert not outcome.is_whole
    if place is None:
        assert ("cut off", None, None) in places(found)
    else:
        assert any(place in (finding.position, finding.number) for finding in found)


def dumped(plain: object) -> bytes:
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


@ON_SQLITE
def test_changed_words_are_named_with_their_event(file: bytes) -> None:
    changed = file.replace(b'"DS-03"', b'"DS-04"')
    found = check(changed)[1]
    assert ("changed", 4, 4) in places(found)
    assert "readable words" in found[0].words


@ON_SQLITE
def test_without_its_last_line_a_file_is_cut_off(file: bytes) -> None:
    _, found = check(b"".join(lines(file)[:-1]))
    assert places(found) == [("cut off", None, None)]


@ON_SQLITE
def test_what_follows_the_last_line_is_named(file: bytes) -> None:
    _, found = check(file + lines(file)[3])
    assert places(found) == [("inserted", None, None)]


@ON_SQLITE
def test_heads_are_compared_with_a_file(file: bytes) -> None:
    genuine = Head(5, json.loads(lines(file)[5])["chain"][:16], "mine")
    assert check(file, genuine, keyed=None)[1] == []
    assert places(check(file, Head(5, "0" * 16, "mine"), keyed=None)[1]) == [("changed", 5, None)]
    assert places(check(file, Head(900, "0" * 16, "mine"), keyed=None)[1]) == [("cut off", 900, None)]


@pytest.mark.parametrize(
    "hostile",
    [b"", b"\n", b"{}\n", b"[1]\n", b'{"trail":2}\n', b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"a" * 3_000_000],
)
def test_what_is_no_export_is_refused(hostile: bytes) -> None:
    with pytest.raises(NotATrail, match="not an export"):
        check(hostile)


@ON_SQLITE
@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 100_000, b"a" * 3_000_000, b"null", b'{"number":1e400}', b'{"number":' + b"9" * 4000 + b"}",
        b'{"number":1,"unreadable":"\\u001b[31m"}', b'{"lines":null,"sha256":null,"mac":null,"x":1}', b"\x00",
    ],
)  # fmt: skip
def test_a_hostile_line_is_named_and_ends_no_check(file: bytes, hostile: bytes) -> None:
    each = lines(file)
    each.insert(3, hostile + b"\n")
    outcome, found = check(b"".join(each))
    assert not outcome.is_whole
    assert any("line 4" in finding.words for finding in found)
    assert not any("\x1b" in finding.words for finding in found)


@ON_SQLITE
@pytest.mark.parametrize(
    "changes",
    [
        {"kind": 5}, {"kind": "\ud800"}, {"at": "2026-06-30T09:00:03"}, {"at": "9999-12-31T23:59:59.999999+00:00"},
        {"position": 2**70}, {"position": -4}, {"details": "****"}, {"id": None}, {"mac": "zz"}, {"seal": None},
        {"before": ""}, {"sealed_at": "0001-01-01T00:00:00+00:00"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("keyed", [KEYED, None])
def test_hostile_values_are_named_and_end_no_check(
    file: bytes, changes: dict[str, object], keyed: Keyed | None
) -> None:
    each = lines(file)
    each[4] = dumped({**json.loads(each[4]), **changes})
    assert not check(b"".join(each), keyed=keyed)[0].is_whole


def test_a_part_of_the_trail_can_be_checked_and_says_that_it_is_one(database: Database, tmp_path: Path) -> None:
    write(database, 3)
    write(database, 3, first=NOW + timedelta(days=2))
    write(database, 2, first=NOW + timedelta(days=4))
    sealer(database, tmp_path, now=NOW + timedelta(days=5)).round()
    day = date(2026, 7, 2)
    file = exported(database, Filters(since=day, until=day))
    outcome, found = check(file, Head(1, "0" * 16, "mine"))
    assert found == []
    assert (outcome.sealed, outcome.heads) == (3, 0)
    assert any("some of the events only" in note for note in outcome.notes)
    assert any("position 1 is not in this file" in note for note in outcome.notes)
    each = lines(file)
    del each[2]
    assert not check(b"".join(each))[0].is_whole, "the last line counts them"


def test_an_export_of_a_trail_that_was_tampered_with_shows_it(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    tamper(database, "DELETE FROM trail_events WHERE number = 4")
    assert ("missing", 4, 4) in places(check(exported(database, with_words=True))[1])


@ON_SQLITE
def test_an_export_of_what_cannot_be_read_any_more_shows_it(database: Database, tmp_path: Path) -> None:
    sealed(database, tmp_path)
    tamper(database, "UPDATE trail_events SET at = 'once' WHERE number = 4")
    assert ("changed", 4, 4) in places(check(exported(database, with_words=True))[1])
    assert "(gone, or cannot be read)" in table(database)[4]


# ---------------------------------------------------------------- words, and what is left out of them


@pytest.fixture
def erased(database: Database) -> Iterator[None]:
    """An open case, and one whose vendor was erased."""
    with database.writing() as session:
        review_side.under_review(session, vendor="Secret Vendor")
        vendor = builders.add_vendor(session, "Forgotten Vendor")
        session.get_one(DataKey, vendor.key_id).wrapped = None
    yield


def test_words_of_open_cases_are_for_admins_and_of_erased_vendors_for_nobody(database: Database, erased: None) -> None:
    for sees_open in (True, False):
        said = [
            json.loads(line).get("words") for line in lines(exported(database, with_words=True, sees_open=sees_open))
        ]
        added, opened = ([each for each in said if each and each["did"] == did] for did in (
            "added the vendor", "opened the assessment"))  # fmt: skip
        assert [each["erased"] for each in added if each.get("erased")] == [True]
        assert opened[0].get("withheld", False) is not sees_open
        assert bool(opened[0]["details"]) is sees_open
    assert check(exported(database, with_words=True))[1] == []


def table(database: Database, *, sees_open: bool = True) -> list[list[str]]:
    """The CSV export, read back."""
    with database.reading() as session:
        text = "".join(trail_exports.as_csv(session, Filters(), Sight(sees_open, EVERYTHING)))
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_says_the_same_for_spreadsheets(database: Database, tmp_path: Path, erased: None) -> None:
    sealed(database, tmp_path)
    heading, *rows = table(database, sees_open=False)
    assert tuple(heading) == trail_exports.COLUMNS
    assert len({len(row) for row in (heading, *rows)}) == 1
    assert any("(details of decided cases only)" in row[7] for row in rows)
    assert any("(erased with" in row[7] for row in table(database))
    assert ["2026-06-30 09:00:03", "vendorrisk", "service", "saved an answer"] in [row[2:6] for row in rows]


def test_that_somebody_exports_is_an_event(database: Database) -> None:
    with database.writing() as session:
        trail_exports.note(
            session, Filters(kind="report.read", until=date(2026, 7, 2)), "CSV", OPERATOR, by=SYSTEM, now=NOW
        )
    row = table(database)[-1]
    assert row[8] == EventKind.TRAIL_EXPORTED.value
    assert row[7] == "Form: CSV; Kind: report.read; Until: 2026-07-02"
