"""The link: scanners change nothing, dead links look alike, and a fresh one goes to the registered contact only."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders, dump
from tests.application import Clock
from tests.web import vendor_visits as visits
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Invitation
from vendorrisk.domain.assessment import RequestStatus


@pytest.fixture
def token(database: Database) -> str:
    """A living link for Victoria at Canarius, sent by Petra of Acme."""
    return visits.canarius(database)


def test_a_scanner_changes_nothing_and_learns_no_name(app: Flask, database: Database, token: str) -> None:
    """`make faults ARGS=links` does it to twenty links, with a browser that stays, and with robots that press."""
    before = dump.rows(database)
    for number in range(50):
        robot = {"User-Agent": f"scanner {number}", "Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender"}
        remote = {"REMOTE_ADDR": f"192.0.2.{number}"}
        page = app.test_client().get(f"/q/{token}", headers=robot, environ_base=remote)
        assert page.status_code == 200
        seen = page.text + str(page.headers)
        assert not [name for name in visits.CANARIES if name in seen]
        assert not re.search(r"http-equiv=.?refresh", page.text)
    for _ in range(10):
        assert app.test_client().head(f"/q/{token}").status_code == 200
    assert dump.changes(before, dump.rows(database)) == set()
    visit = visits.enter(app, database, token)
    assert visit.get().status_code == 200


def test_what_the_page_before_the_code_links_to_names_nobody_either(app: Flask, token: str) -> None:
    browser = app.test_client()
    linked = re.findall(r'(?:href|src)="(/[^"]*)"', browser.get(f"/q/{token}").text)
    assert {"/privacy", "/accessibility"} <= set(linked)
    for address in linked:
        assert not [name for name in visits.CANARIES if name in browser.get(address).text], address


def test_a_robot_that_presses_the_button_gets_nothing_but_sends_a_code(
    app: Flask, database: Database, token: str
) -> None:
    before = dump.rows(database)
    for _ in range(15):
        robot = app.test_client()
        robot.post(f"/q/{token}")  # without the token of the form
        answer = builders.post(robot, f"/q/{token}")
        assert answer.status_code in (303, 429)
        page = robot.get(answer.location) if answer.status_code == 303 else answer
        assert not [name for name in visits.CANARIES if name in page.text + str(page.headers)]
    written = dump.changes(before, dump.rows(database))
    assert written == {"+access_codes", "+letters", "+trail_events", "+attempts"}
    assert len(visits.letters(database)) == 10


def test_the_token_is_in_no_later_address_and_in_no_column(app: Flask, database: Database, token: str) -> None:
    browser = app.test_client()
    page = browser.get(f"/q/{token}")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    answer = builders.post(browser, f"/q/{token}")
    (code,) = visits.codes(database)
    asked = browser.get(answer.location)
    entered = builders.post(browser, answer.location, {"code": code})
    landing = browser.get(entered.location)
    for seen in (page, answer, asked, entered, landing):
        assert token not in seen.text + str(seen.headers)
    with database.reading() as session:
        assert session.scalars(select(Invitation)).one().token_hash != token.encode()


def dead_links(database: Database) -> dict[str, str]:
    """Tokens that lead nowhere, each for another reason."""
    past = builders.NOW - timedelta(days=60)
    with database.writing() as session:
        expired = builders.add_link(session, builders.add_request(session, now=past), now=past)
        withdrawn = builders.add_request(session, now=builders.NOW - timedelta(days=1))
        of_withdrawn = builders.add_link(session, withdrawn, now=builders.NOW - timedelta(days=1))
        withdrawn.status, withdrawn.withdrawn_at = RequestStatus.WITHDRAWN, builders.NOW
        replaced_request = builders.add_request(session)
        replaced = builders.add_link(session, replaced_request)
        builders.add_link(session, replaced_request)
    return {
        "unknown": visits.UNKNOWN,
        "short": "x",
        "expired": expired,
        "withdrawn": of_withdrawn,
        "replaced": replaced,
    }


def test_dead_links_cannot_be_told_apart(app: Flask, database: Database) -> None:
    for method in ("get", "post"):
        answers = {}
        for why, token in dead_links(database).items():
            browser = app.test_client()
            data = {"csrf_token": builders.token_in(browser.get(f"/q/{visits.UNKNOWN}"))} if method == "post" else None
            page = getattr(browser, method)(f"/q/{token}", data=data)
            answers[why] = (page.status_code, visits.without_token(page))
        assert set(answers.values()) == {answers["unknown"]}, method
        assert answers["unknown"][0] == 404


def test_a_fresh_link_goes_only_to_the_registered_contact(app: Flask, database: Database, token: str) -> None:
    reference = visits.reference_of(database, token)
    browser = app.test_client()
    shown = f"/q/{visits.UNKNOWN}"
    answer = builders.post(browser, "/q/fresh", {"reference": f" {reference.lower()} "}, page=shown)
    assert answer.status_code == 303
    (letter,) = visits.letters(database, "invitation")
    assert letter["to"] == "victoria@canarius.example"
    fresh = re.search(r"/q/([\w-]{43})", letter["text"])
    assert fresh is not None
    assert browser.get(f"/q/{token}").status_code == 404
    assert browser.get(f"/q/{fresh[1]}").status_code == 200


def test_a_fresh_link_from_an_expired_link_leads_to_what_has_happened(
    app: Flask, database: Database, token: str, clock: Clock
) -> None:
    clock.advance(days=60)
    browser = app.test_client()
    assert builders.post(browser, f"/q/{token}", {"fresh": "1"}).status_code == 303
    (letter,) = visits.letters(database, "invitation")
    fresh = re.findall(r"/q/([\w-]{43})", letter["text"])[0]
    visit = visits.enter(app, database, fresh, started=False)
    page = visit.browser.get(visit.url(), follow_redirects=True)
    assert "This request has closed" in page.text
    assert "petra@acme.example" in page.text


def test_asking_for_a_fresh_link_says_the_same_whether_or_not_there_is_one(
    app: Flask, database: Database, token: str
) -> None:
    reference, seen = visits.reference_of(database, token), set()
    for asked in (reference, "R-ZZZZZZ", ""):
        browser = app.test_client()
        data = {"reference": asked, "csrf_token": builders.token_in(browser.get(f"/q/{visits.UNKNOWN}"))}
        answer = browser.post("/q/fresh", data=data)
        seen.add((answer.status_code, answer.location, visits.without_token(browser.get(answer.location))))
    assert len(seen) == 1


def test_fresh_links_are_limited(app: Flask, database: Database, token: str) -> None:
    reference = visits.reference_of(database, token)
    for _ in range(5):
        builders.post(app.test_client(), "/q/fresh", {"reference": reference}, page=f"/q/{visits.UNKNOWN}")
    assert len(visits.letters(database, "invitation")) == 3


def test_a_form_without_its_token_is_refused(client: FlaskClient, database: Database, token: str) -> None:
    assert client.post(f"/q/{token}").status_code == 400
    assert visits.letters(database) == []
