"""The mailed code: it works once, here, and not for long; and the browser that gave it is remembered."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests import builders
from tests.application import Clock
from tests.web import vendor_visits as visits
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Request, RespondentSession
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.services.sending import invitations


@pytest.fixture
def token(database: Database) -> str:
    """A living link for Victoria at Canarius, sent by Petra of Acme."""
    return visits.canarius(database)


def test_the_first_code_opens_the_request_and_says_so_in_the_trail(app: Flask, database: Database, token: str) -> None:
    reference = visits.reference_of(database, token)
    browser = app.test_client()
    code = visits.ask_for_code(browser, database, token)
    assert visits.request_of(database, reference).status is RequestStatus.SENT
    builders.post(browser, visits.code_page(database, token), {"code": code})
    request = visits.request_of(database, reference)
    assert (request.status, request.opened_at) == (RequestStatus.OPEN, builders.NOW)
    with database.reading() as session:
        kinds = [event.kind for event in session.scalars(select(Event).order_by(Event.number))]
    assert kinds.index("invitation.code_sent") < kinds.index("request.opened")


def test_the_code_page_masks_the_mailbox_and_names_nobody(app: Flask, database: Database, token: str) -> None:
    browser = app.test_client()
    visits.ask_for_code(browser, database, token)
    page = browser.get(visits.code_page(database, token))
    assert "v•••@c•••.example" in page.text
    assert not [name for name in visits.CANARIES if name in page.text]
    (letter,) = visits.letters(database, "access_code")
    assert letter["to"] == "victoria@canarius.example"
    assert not [name for name in visits.CANARIES if name in letter["subject"] + letter["text"]]


def test_spaces_in_a_pasted_code_do_not_matter(app: Flask, database: Database, token: str) -> None:
    browser = app.test_client()
    code = visits.ask_for_code(browser, database, token)
    answer = builders.post(browser, visits.code_page(database, token), {"code": f" {code[:3]} {code[3:]}\n"})
    assert answer.status_code == 303


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_fifth_wrong_code_locks_and_the_right_one_is_refused_then(
    app: Flask, database: Database, token: str
) -> None:
    browser = app.test_client()
    code = visits.ask_for_code(browser, database, token)
    page = visits.code_page(database, token)
    for left in (4, 3, 2, 1):
        answer = builders.post(browser, page, {"code": wrong(code)})
        assert answer.status_code == 422
        assert f"{left} {'tries are' if left > 1 else 'try is'} left" in answer.text
    assert "tried too often" in builders.post(browser, page, {"code": wrong(code)}).text
    answer = builders.post(browser, page, {"code": code})
    assert answer.status_code == 422
    assert "tried too often" in answer.text
    fresh = visits.ask_for_code(browser, database, token, again=True)
    assert builders.post(browser, page, {"code": fresh}).status_code == 303


def test_a_code_ends_after_ten_minutes(app: Flask, database: Database, token: str, clock: Clock) -> None:
    browser = app.test_client()
    code = visits.ask_for_code(browser, database, token)
    clock.advance(minutes=10)
    answer = builders.post(browser, visits.code_page(database, token), {"code": code})
    assert answer.status_code == 422
    assert "has expired" in answer.text


def test_a_code_works_once(app: Flask, database: Database, token: str) -> None:
    browser = app.test_client()
    code = visits.ask_for_code(browser, database, token)
    assert builders.post(browser, visits.code_page(database, token), {"code": code}).status_code == 303
    answer = builders.post(browser, visits.code_page(database, token), {"code": code})
    assert answer.status_code == 422
    assert "was used already" in answer.text


def test_a_code_works_only_in_the_browser_that_asked(app: Flask, database: Database, token: str) -> None:
    code = visits.ask_for_code(app.test_client(), database, token)
    other = app.test_client()
    visits.ask_for_code(other, database, token)
    assert builders.post(other, visits.code_page(database, token), {"code": code}).status_code == 422
    stranger = app.test_client()
    answer = stranger.post(
        visits.code_page(database, token),
        data={"code": code, "csrf_token": builders.token_in(stranger.get(f"/q/{token}"))},
    )
    assert answer.status_code == 422
    assert "cookie" in answer.text


def test_a_new_code_replaces_the_old(app: Flask, database: Database, token: str) -> None:
    browser = app.test_client()
    old = visits.ask_for_code(browser, database, token)
    new = visits.ask_for_code(browser, database, token, again=True)
    if new != old:
        assert builders.post(browser, visits.code_page(database, token), {"code": old}).status_code == 422
    assert builders.post(browser, visits.code_page(database, token), {"code": new}).status_code == 303


def test_codes_are_not_sent_without_end(app: Flask, database: Database, token: str) -> None:
    browser = app.test_client()
    answers = [builders.post(browser, f"/q/{token}", page=f"/q/{token}") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 4 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len(visits.codes(database)) == 4


def test_asking_for_new_codes_gives_no_more_guesses_than_twenty_a_day(
    app: Flask, database: Database, token: str, clock: Clock
) -> None:
    browser, taken = app.test_client(), 0
    for _ in range(7):
        code = visits.ask_for_code(browser, database, token)
        for _ in range(5):
            answer = builders.post(browser, visits.code_page(database, token), {"code": wrong(code)})
            taken += "left" in answer.text or "tried too often" in answer.text
        clock.advance(minutes=15)
    refused = [event for event in events(database) if event == "invitation.code_refused"]
    assert len(refused) == 20


def events(database: Database) -> list[str]:
    with database.reading() as session:
        return [event.kind for event in session.scalars(select(Event).order_by(Event.number))]


def test_a_browser_that_gave_the_code_is_remembered_until_the_request_closes(
    app: Flask, database: Database, token: str, clock: Clock
) -> None:
    visit = visits.enter(app, database, token)
    clock.advance(days=27)
    answer = builders.post(visit.browser, f"/q/{token}")
    assert answer.location == visit.url("/start")
    assert len(visits.codes(database)) == 1
    clock.advance(days=2)
    assert visit.get().status_code == 404


def test_a_request_may_do_without_the_code(app: Flask, database: Database) -> None:
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session, code_required=False))
    browser = app.test_client()
    answer = builders.post(browser, f"/q/{token}")
    assert answer.status_code == 303
    assert browser.get(answer.location).status_code == 200
    assert visits.codes(database) == []


def test_the_cookie_is_for_the_answers_only_and_out_of_reach_of_scripts(
    app: Flask, database: Database, token: str
) -> None:
    browser = app.test_client()
    code = visits.ask_for_code(browser, database, token)
    answer = builders.post(browser, visits.code_page(database, token), {"code": code})
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("respondent="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert f"Path=/respond/{answer.location.split('/')[2]}" in cookie
    value = cookie.split("=", 1)[1].split(";")[0]
    with database.reading() as session:
        assert value.encode() not in session.scalars(select(RespondentSession)).one().token_hash


def test_the_page_for_the_code_tells_a_browser_that_never_asked_nothing(
    app: Flask, database: Database, token: str
) -> None:
    """With and without the cookie, there and nowhere: who did not come by the link cannot tell a request from none."""
    with database.writing() as session:
        other = builders.add_link(session, builders.add_request(session))
    asker = app.test_client()
    visits.ask_for_code(asker, database, other)
    for browser in (asker, app.test_client()):
        csrf = builders.token_in(browser.get(f"/q/{visits.UNKNOWN}"))
        for data in (None, {"csrf_token": csrf, "code": "123456"}, {"csrf_token": csrf, "resend": "1"}):
            seen = {
                (page.status_code, visits.without_token(page))
                for reference in (visits.reference_of(database, token), "R-ZZZZZZ", visits.UNKNOWN, token)
                for page in [browser.open(f"/q/{reference}/code", method="POST" if data else "GET", data=data)]
            }
            assert len(seen) == 1
            assert "•" not in seen.pop()[1]
    assert len(visits.codes(database)) == 1


def test_a_code_page_dies_with_its_link(app: Flask, database: Database, token: str, clock: Clock) -> None:
    browser, page = app.test_client(), visits.code_page(database, token)
    code = visits.ask_for_code(browser, database, token)
    csrf = builders.token_in(browser.get(page))
    with database.writing() as session:
        request = session.scalars(select(Request)).one()
        builders.add_link(session, request, "Victoria Canarius", "victoria@canarius.example")
    assert browser.get(page).status_code == 404
    assert browser.post(page, data={"csrf_token": csrf, "code": code}).status_code == 404
    assert browser.post(page, data={"csrf_token": csrf, "resend": "1"}).status_code == 404


def test_a_browser_cookie_that_we_never_gave_is_replaced(app: Flask, database: Database, token: str) -> None:
    browser = app.test_client()
    browser.set_cookie("browser", "mine", path="/q")
    visits.ask_for_code(browser, database, token)
    cookie = browser.get_cookie("browser", path="/q")
    assert cookie is not None and invitations.is_token(cookie.value)
