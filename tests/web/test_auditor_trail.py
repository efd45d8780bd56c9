"""The whole trail on its page: narrowed, in pages, with the chain's head; and taken away as JSON lines or CSV."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, review_side, statements, trail_side
from tests.application import Clock
from tests.cast import Cast
from tests.review_side import NOW, REASON
from tests.services.test_csv_cells import PAYLOADS
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event
from vendorrisk.domain.audit import SYSTEM, Actor, ActorKind, EventKind
from vendorrisk.services import audit, paging
from vendorrisk.services.auditing import trail, trail_checks, trail_exports, trail_files
from vendorrisk.services.auditing.trail_checks import Outcome
from vendorrisk.services.auditing.trail_files import Reader
from vendorrisk.services.casework import dossiers

TRAIL = "/audit/trail"


@pytest.fixture
def decided(database: Database, cast: Cast) -> str:
    """The reference of a decided case."""
    with database.writing() as session:
        case, request = review_side.under_review(session)
        builders.add_answer(session, request, "remote_access", "managed")
        review_side.decide(session, case, cast.petra)
        return case.reference


@pytest.fixture
def undecided(database: Database) -> str:
    """A case under review, with the name of a respondent in its trail."""
    with database.writing() as session:
        case, request = review_side.under_review(session, vendor="Secret Vendor")
        victor = Actor(ActorKind.VENDOR, "session-1", "Victor Lang")
        builders.add_answer(session, request, "remote_access", "managed", by=victor)
        return case.reference


def said(page: str) -> str:
    """The text of a page."""
    main = page.split("<main", 1)[1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def events(page: str) -> int:
    return page.count('class="event-when"')


def test_everything_is_there_with_who_did_what_about_what(audrey: FlaskClient, decided: str) -> None:
    text = said(audrey.get(TRAIL).text)
    assert f"Petra Novak decided : {decided}" in text and f"Reason: {REASON}" in text
    assert "Audrey Finch signed in : audrey@acme.example" in text


def test_details_of_open_cases_are_for_admins(audrey: FlaskClient, adam: FlaskClient, undecided: str) -> None:
    text = said(audrey.get(f"{TRAIL}?about={undecided}").text)
    assert f"Somebody saved an answer : {undecided} Auditors see the details of decided cases only." in text
    assert "Victor Lang" not in text and "EX-13" not in text
    text = said(adam.get(f"{TRAIL}?about={undecided}").text)
    assert f"Victor Lang saved an answer : {undecided}" in text and "EX-13" in text


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=decision.recorded", {"decision.recorded"}),
        ("about={decided}&kind=answer.saved", {"answer.saved"}),
        ("about=audrey@ACME.example", {"user.added", "user.signed_in"}),
        ("actor={petra}&kind=decision.recorded", {"decision.recorded"}),
        ("actor=vendor", set()),
        ("since=2026-06-30&until=2026-06-30&kind=decision.recorded", {"decision.recorded"}),
        ("since=2026-07-01", set()),
        ("until=2026-06-29", set()),
        ("about=A-1999-0001", set()),
        ("about=%25", set()),
    ],
)
def test_the_address_narrows_it(audrey: FlaskClient, cast: Cast, decided: str, query: str, kinds: set[str]) -> None:
    query = query.format(decided=decided.lower(), petra=cast.petra.id)
    page = audrey.get(f"{TRAIL}?{query}")
    assert page.status_code == 200 and "Clear filters" in page.text
    exported = audrey.get(f"{TRAIL}.jsonl?{query}").text.splitlines()[1:-1]
    assert {json.loads(line)["kind"] for line in exported} == kinds
    assert (events(page.text) > 0) == bool(kinds)


def test_reports_requests_and_vendors_are_found_by_their_references(
    audrey: FlaskClient, database: Database, decided: str
) -> None:
    with database.reading() as session:
        case = session.scalars(select(Event.object_id).where(Event.kind == "decision.recorded")).one()
        own = dossiers.find(session, decided)
        references = (own.sent.reference, own.vendor.reference)
        assert own.case.id == case
    for reference in references:
        assert events(audrey.get(f"{TRAIL}?about={reference}").text) > 0


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("since=yesterday", "From must be a day such as 2026-01-31."),
        ("until=2026-02-30", "Up to must be a day such as 2026-01-31."),
        ("since=2026-07-02&until=2026-07-01", "Up to must not be before From."),
    ],
)
def test_a_day_that_is_none_is_said_at_its_field(audrey: FlaskClient, decided: str, query: str, says: str) -> None:
    for address in (TRAIL, f"{TRAIL}.jsonl", f"{TRAIL}.csv"):
        page = audrey.get(f"{address}?{query}&about={decided}")
        assert page.status_code == 422
        assert page.text.count(says) == 2 and "There is a problem" in page.text
        assert f'value="{decided}"' in page.text, "nothing typed is lost"


@pytest.mark.parametrize(
    "query",
    ["kind=nonsense", "actor=nobody", f"about={'x' * 5000}", "page=-1", "page=99999999", "until=9999-12-31"],
)
def test_nonsense_in_the_address_breaks_nothing(audrey: FlaskClient, decided: str, query: str) -> None:
    assert audrey.get(f"{TRAIL}?{query}").status_code == 200


def test_it_says_how_far_the_chain_is_and_when_it_was_checked(
    audrey: FlaskClient, database: Database, tmp_path: Path, clock: Clock
) -> None:
    text = said(audrey.get(TRAIL).text)
    assert "Chain Nothing is sealed yet" in text and "Last check None recorded yet" in text
    trail_side.sealer(database, tmp_path).round()
    with database.writing() as session:
        trail_checks.record(session, Outcome(1204, 0, 0, 1204, b"c" * 32, 1), by=SYSTEM, now=NOW)
    text = said(audrey.get(TRAIL).text)
    assert re.search(
        r"Chain \d+ of \d+ events sealed, 1 not yet Head Position \d+, sealed 2026-06-30 10:00:00 UTC", text
    )
    assert "✓ As it was written, 1,204 events Tue 30 Jun 2026, 09:00 UTC , by vendorrisk" in text
    with database.writing() as session:
        outcome = Outcome(1204, 0, 3, 1204, b"c" * 32, 1)
        trail_checks.record(session, outcome, by=SYSTEM, now=NOW + timedelta(minutes=1))
    clock.advance(minutes=1)
    assert "Last check 3 findings , 1,204 events" in said(audrey.get(TRAIL).text)


def test_a_long_trail_is_counted_and_paged_so_far_and_no_further(
    audrey: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail_side.write(database, 60)
    monkeypatch.setattr(paging, "COUNTED", 50)
    assert "1–50 of 50 or more" in said(audrey.get(f"{TRAIL}?page=2").text)


def test_it_comes_in_pages_and_asks_no_more_of_the_database_for_more_events(
    audrey: FlaskClient, database: Database
) -> None:
    counts = []
    for _ in range(2):
        with database.writing() as session:
            for _ in range(40):
                builders.add_vendor(session)
        with statements.sent(database) as asked:
            page = audrey.get(TRAIL)
        counts.append(len(asked))
        assert events(page.text) <= 50
    assert counts[0] == counts[1]
    assert "Page 1 of 2" in said(page.text)
    assert "Page 2 of 2" in said(audrey.get(f"{TRAIL}?page=2").text)


# ---------------------------------------------------------------- taking it away


def exports(database: Database) -> list[str]:
    """The forms in which the trail was exported, as it says itself."""
    with database.reading() as session:
        rows = session.scalars(select(Event).where(Event.kind == EventKind.TRAIL_EXPORTED.value).order_by(Event.number))
        return [trail.opened(session, row)[0]["form"] for row in rows]


def test_json_lines_are_whole_and_readable(
    audrey: FlaskClient, database: Database, tmp_path: Path, decided: str
) -> None:
    trail_side.sealer(database, tmp_path).round()
    answer = audrey.get(f"{TRAIL}.jsonl")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="trail.jsonl"')
    found: list[object] = []
    reader = Reader(trail_files.lines_of(io.BytesIO(answer.data)), audit.keyed(database.master))
    outcome = trail_checks.of_file(reader, (), found.append)
    assert (found, outcome.unsealed) == ([], 1), "the export is itself an event, not sealed yet"
    assert REASON in answer.text and exports(database) == ["JSON lines"]


def test_a_head_request_takes_nothing_away(audrey: FlaskClient, decided: str) -> None:
    assert audrey.head(f"{TRAIL}.csv").data == b""


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_stale_sign_in_takes_nothing_away(
    audrey: FlaskClient, decided: str, clock: Clock, database: Database, ending: str
) -> None:
    clock.advance(minutes=11)
    address = f"{TRAIL}.{ending}?kind=decision.made"
    answer = audrey.get(address)
    assert (answer.status_code, answer.location) == (303, f"/sign-in/again?next={quote(address, safe='/?')}")
    with database.reading() as session:
        exported = select(Event.id).where(Event.kind == EventKind.TRAIL_EXPORTED.value)
        assert session.scalars(exported).all() == []


@pytest.mark.parametrize(("name", "form"), [("as_json_lines", "JSON lines"), ("as_csv", "CSV")])
def test_the_event_is_there_before_the_first_byte(
    audrey: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    seen: list[list[str]] = []
    original = getattr(trail_exports, name)

    def watched(session: Session, *args: object, **named: object) -> Iterator[str]:
        seen.append(exports(database))
        lines: Iterator[str] = original(session, *args, **named)
        return lines

    monkeypatch.setattr(trail_exports, name, watched)
    audrey.get(f"{TRAIL}.{'csv' if form == 'CSV' else 'jsonl'}")
    assert seen == [[form]]


def test_no_cell_of_the_csv_is_a_formula(audrey: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        for payload in PAYLOADS:
            audit.record(
                session, EventKind.VENDOR_CHANGED, object_kind="vendor", object_id=trail_side.CASE, now=NOW,
                by=Actor(ActorKind.STAFF, payload, payload), details={payload: payload, "after": {"name": payload}},
            )  # fmt: skip
    answer = audrey.get(f"{TRAIL}.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")))
    assert len(rows) > len(PAYLOADS)
    begun = {cell[:1] for row in rows for cell in row}
    assert not begun & set("=+-@|%\t\r\n＝＋－＠")
    assert exports(database) == ["CSV"]


def test_the_links_to_the_downloads_keep_the_filters(audrey: FlaskClient, decided: str) -> None:
    page = audrey.get(f"{TRAIL}?about={decided}&since=2026-06-01&_scheme=javascript").text
    assert f'href="/audit/trail.csv?about={quote(decided)}&amp;since=2026-06-01"' in page


def test_admins_find_the_whole_trail_in_their_menu_and_other_staff_do_not(
    adam: FlaskClient, petra: FlaskClient
) -> None:
    entry = f'href="{TRAIL}"'
    assert entry in adam.get("/home").text
    page = adam.get(TRAIL).text
    assert entry in page and 'href="/home"' in page
    assert entry not in petra.get("/home").text
