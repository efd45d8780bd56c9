"""An auditor with limits: every page, file, count and choice tells of the cases in their scope, and of nothing else."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders, review_side, statements, trail_side
from tests.cast import Cast, SignIn
from tests.databases import ON_SQLITE
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Event, Vendor
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.domain.roles import Role
from vendorrisk.services import audit
from vendorrisk.services.auditing import trail, trail_checks, trail_files
from vendorrisk.services.auditing.trail_checks import Outcome
from vendorrisk.services.auditing.trail_files import Reader
from vendorrisk.services.limits import Limit
from vendorrisk.services.operating import erasure
from vendorrisk.services.people import accounts, scopes, vendors_opened

NOW = builders.NOW
TRAIL = "/audit/trail"
AUDREY = "audrey@acme.example"


@dataclass(frozen=True)
class Case:
    """One decided case."""

    reference: str
    vendor: str
    request: str


@dataclass(frozen=True)
class Cases:
    """Audrey may see `mine`: decided by Petra this year. `other` was decided by Pavel, of another vendor, last year."""

    mine: Case
    other: Case


Limiting = Callable[..., None]


@pytest.fixture
def limit(database: Database) -> Limiting:
    """Limits what Audrey sees, as the command does."""

    def to(email: str = AUDREY, **given: Any) -> None:
        limits = {"first": None, "last": None, "vendors": None} | given
        with database.writing() as session:
            scopes.limit(session, email, **limits, by=SYSTEM, now=NOW)

    return to


@pytest.fixture
def cases(database: Database, cast: Cast, limit: Limiting) -> Cases:
    """Two decided cases, and Audrey limited to the first."""
    with database.writing() as session:
        pavel = builders.add_user(session, "pavel@acme.example", name="Pavel Brook")
        found = []
        for vendor, by, moment in (
            ("Northwind Mail", cast.petra, NOW),
            ("Secret Vendor", pavel, NOW - timedelta(days=365)),
        ):
            case, request = review_side.under_review(session, vendor=vendor)
            builders.add_answer(session, request, "remote_access", "managed", answered_on=date(2025, 6, 1))
            review_side.decide(session, case, by, now=moment)
            reference = session.get_one(Vendor, case.vendor_id).reference
            found.append(Case(case.reference, reference, request.reference))
    limit(vendors=[found[0].vendor])
    return Cases(*found)


@pytest.fixture(params=["vendor", "period"])
def limited(request: pytest.FixtureRequest, cases: Cases, limit: Limiting) -> Cases:
    """The same cases, told apart by the vendor and by the day of the decision."""
    if request.param == "period":
        limit(first=date(2026, 1, 1), last=date(2026, 12, 31))
    return cases


def said(page: str) -> str:
    """The text of a page."""
    main = page.split("<main", 1)[1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def names_the_other(text: str, cases: Cases) -> list[str]:
    """What a text tells of the case outside, or of who worked on it."""
    words = (cases.other.reference, cases.other.vendor, cases.other.request, "Secret Vendor", "Pavel", "pavel@")
    return [word for word in words if word in text]


def test_the_list_holds_the_cases_in_scope_and_no_choice_or_count_of_others(
    audrey: FlaskClient, limited: Cases
) -> None:
    page = audrey.get("/audit").text
    assert limited.mine.reference in page and names_the_other(page, limited) == []
    assert "<option>2026" in page and "<option>2025" not in page
    assert "No assessment fits" in audrey.get(f"/audit?search={limited.other.reference}").text
    assert "No assessment fits" in audrey.get("/audit?year=2025").text


def test_the_list_says_what_it_is_limited_to(audrey: FlaskClient, cases: Cases, limit: Limiting) -> None:
    assert "You see decided cases of 1 vendor." in said(audrey.get("/audit").text)
    limit(first=date(2026, 1, 1), last=date(2026, 12, 31), vendors=[cases.mine.vendor, cases.other.vendor])
    words = "You see cases decided from 1 Jan 2026 to 31 Dec 2026 (UTC), of 2 vendors."
    assert words in said(audrey.get("/audit").text)


def test_an_empty_scope_does_not_say_that_nothing_was_decided(
    audrey: FlaskClient, cases: Cases, limit: Limiting
) -> None:
    limit(last=date(2000, 1, 1))
    for address in ("/audit", TRAIL):
        page = said(audrey.get(address).text)
        assert "There are none so far" in page and "Nothing has" not in page


@pytest.mark.parametrize("path", ["", "/trail"])
def test_a_case_outside_reads_like_nothing_and_leaves_no_trace(
    audrey: FlaskClient, database: Database, limited: Cases, path: str
) -> None:
    assert audrey.get(f"/audit/assessments/{limited.mine.reference}{path}").status_code == 200
    with database.reading() as session:
        before = len(session.scalars(select(Event.id)).all())
    outside = audrey.get(f"/audit/assessments/{limited.other.reference}{path}")
    nothing = audrey.get(f"/audit/assessments/A-1999-0001{path}")
    assert (outside.status_code, outside.text) == (404, nothing.text)
    with database.reading() as session:
        assert len(session.scalars(select(Event.id)).all()) == before


def test_what_is_left_of_an_erased_vendor_stays_in_scope_and_opens_no_other(
    audrey: FlaskClient, database: Database, cases: Cases
) -> None:
    with database.writing() as session:
        erasure.erase(session, cases.mine.vendor, "The contract has ended for good.", by=SYSTEM, now=NOW)
    page = audrey.get(f"/audit/assessments/{cases.mine.reference}")
    assert page.status_code == 200 and "This vendor was erased" in page.text
    assert audrey.get(f"/audit/assessments/{cases.other.reference}").status_code == 404
    text = audrey.get("/audit").text
    assert cases.mine.reference in text and names_the_other(text, cases) == []


def test_a_change_holds_at_the_next_request(audrey: FlaskClient, cases: Cases, limit: Limiting) -> None:
    mine, other = (f"/audit/assessments/{case.reference}" for case in (cases.mine, cases.other))
    assert [audrey.get(page).status_code for page in (mine, other)] == [200, 404]
    limit(vendors=[cases.other.vendor])
    assert [audrey.get(page).status_code for page in (mine, other)] == [404, 200]


def test_admins_are_limited_as_auditors_only(
    adam: FlaskClient, cast: Cast, cases: Cases, limit: Limiting, database: Database, sign_in: SignIn
) -> None:
    limit(cast.adam.email, vendors=[cases.mine.vendor])
    assert cases.other.reference in adam.get("/audit").text and "You see" not in said(adam.get("/audit").text)
    with database.writing() as session:
        user = accounts.change_roles(session, cast.adam.email, add=[Role.AUDITOR], by=SYSTEM, now=NOW)
    assert names_the_other(sign_in(user).get("/audit").text, cases) == []


# ---------------------------------------------------------------- the whole trail


def test_the_trail_tells_of_the_cases_in_scope_and_of_nothing_else(audrey: FlaskClient, limited: Cases) -> None:
    page = audrey.get(TRAIL).text
    text = said(page)
    assert f"Petra Novak decided : {limited.mine.reference}" in text
    assert names_the_other(page, limited) == []
    assert "signed in :" not in text and "added an account" not in text.split("Clear", 1)[-1].split("event", 1)[-1]
    assert set(re.findall(r'class="muted">: ([^<]+)<', page)) == {limited.mine.reference}


def test_the_trail_counts_no_others(audrey: FlaskClient, database: Database, cases: Cases) -> None:
    with database.reading() as session:
        own = select(Assessment.id).where(Assessment.reference == cases.mine.reference).scalar_subquery()
        mine = len(session.scalars(select(Event.id).where(Event.object_id == own)).all())
    assert f" {mine} events. Times are UTC" in said(audrey.get(TRAIL).text)


def test_no_filter_reaches_further(audrey: FlaskClient, database: Database, limited: Cases) -> None:
    with database.reading() as session:
        pavel = accounts.get(session, "pavel@acme.example").id
    other = limited.other
    for query in (
        f"about={other.reference}", f"about={other.vendor}", f"about={other.request}", "about=pavel@acme.example",
        f"about={AUDREY}", "about=trail", f"actor={pavel}", "kind=user.added", "kind=vendor.added", "until=2026-06-29",
    ):  # fmt: skip
        page = audrey.get(f"{TRAIL}?{query}")
        assert "No event fits" in page.text, query
        assert len(audrey.get(f"{TRAIL}.jsonl?{query}").text.splitlines()) == 2, query
    assert limited.mine.reference in said(audrey.get(f"{TRAIL}?about={limited.mine.request}").text)


def test_who_can_be_chosen_are_those_who_worked_on_these_cases(audrey: FlaskClient, cast: Cast, cases: Cases) -> None:
    audrey.get(f"/audit/assessments/{cases.mine.reference}")  # and so has Audrey, who reads the answers
    options = audrey.get(TRAIL).text.split('name="actor"', 1)[1].split("</select>", 1)[0]
    assert set(re.findall(r'value="([^"]+)"', options)) == {
        "vendor", "system", str(cast.petra.id), str(cast.audrey.id),
    }  # fmt: skip


def test_the_chain_itself_is_shown_but_not_who_checked_it(
    audrey: FlaskClient, adam: FlaskClient, cases: Cases, database: Database, tmp_path: Any
) -> None:
    trail_side.sealer(database, tmp_path).round()
    with database.writing() as session:
        trail_checks.record(session, Outcome(9, 0, 0, 9, b"c" * 32, 1), by=SYSTEM, now=NOW)
    text = said(audrey.get(TRAIL).text)
    assert "events sealed, 1 not yet Head Position" in text and "✓ As it was written, 9 events" in text
    assert "by vendorrisk" not in text and "by vendorrisk" in said(adam.get(TRAIL).text)
    assert "is for auditors without limits" in text
    assert "is for auditors without limits" not in said(adam.get(TRAIL).text)


def test_the_file_holds_their_events_and_says_that_there_are_more(
    audrey: FlaskClient, database: Database, limited: Cases, tmp_path: Any
) -> None:
    trail_side.sealer(database, tmp_path).round()
    answer = audrey.get(f"{TRAIL}.jsonl")
    first, *lines, _ = [json.loads(line) for line in answer.text.splitlines()]
    assert first["partial"] is True
    assert {line["words"]["about"] for line in lines} == {limited.mine.reference}
    assert names_the_other(answer.text, limited) == []
    found: list[object] = []
    reader = Reader(trail_files.lines_of(io.BytesIO(answer.data)), audit.keyed(database.master))
    trail_checks.of_file(reader, (), found.append)
    assert found == [], "each of its events can still be checked"


def test_the_table_holds_their_events_and_the_trail_says_what_was_taken(
    audrey: FlaskClient, database: Database, cases: Cases
) -> None:
    text = audrey.get(f"{TRAIL}.csv").get_data(as_text=True)
    _, *rows = csv.reader(io.StringIO(text, newline=""))
    assert {row[6] for row in rows} == {cases.mine.reference} and names_the_other(text, cases) == []
    with database.reading() as session:
        event = session.scalars(select(Event).where(Event.kind == EventKind.TRAIL_EXPORTED.value)).one()
        assert trail.opened(session, event)[0]["limited_to"] == "decided cases of 1 vendor"


# ---------------------------------------------------------------- what is counted


def test_cases_outside_are_not_counted_as_opened_so_the_question_tells_nothing(
    audrey: FlaskClient, cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendors_opened, "OPENED", Limit("vendors opened by", 1, vendors_opened.AN_HOUR))
    mine, other = (f"/audit/assessments/{case.reference}" for case in (cases.mine, cases.other))
    for _ in range(2):
        assert [audrey.get(page).status_code for page in (other, mine, other)] == [404, 200, 404]


@ON_SQLITE
@pytest.mark.parametrize(("page", "most"), [("/audit", 8), (TRAIL, 15)])
def test_a_page_takes_as_many_statements_for_many_vendors_as_for_one(
    audrey: FlaskClient, cast: Cast, database: Database, cases: Cases, limit: Limiting, page: str, most: int
) -> None:
    found, vendors = [], [cases.mine.vendor]
    for more in (0, 20):
        with database.writing() as session:
            for number in range(more):
                case, _ = review_side.under_review(session, vendor=f"Vendor {number}")
                review_side.decide(session, case, cast.petra)
                vendors.append(session.get_one(Vendor, case.vendor_id).reference)
        limit(vendors=vendors)
        for _ in range(3):  # whose names somebody sees is counted at the first look, and remembered at the second
            with statements.reaching_the_driver(database) as seen:
                assert audrey.get(page).status_code == 200
        found.append(len(seen))
    assert found[0] == found[1] <= most, seen
