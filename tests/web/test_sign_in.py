"""Sign-in and sign-out: who gets in, where it leads, how it ends, and how often one may try."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import builders
from tests.application import Clock
from tests.cast import Cast
from tests.web.sign_in_pages import GENERIC, events, give, give_code
from vendorrisk import factory
from vendorrisk.db.engine import Database
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.people import accounts
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings


def test_the_right_password_and_code_open_the_door(client: FlaskClient, cast: Cast, database: Database) -> None:
    answer = give(client, "Petra@Acme.example ")
    assert answer.status_code == 302
    assert answer.location == "/sign-in/code"
    assert client.get("/account").status_code == 303, "a password alone opens nothing"
    assert events(database) == []
    assert give_code(client, cast.petra, database).location == "/"
    assert "Petra Novak" in client.get("/account").text
    assert events(database) == ["user.signed_in"]


def test_every_refusal_reads_the_same(client: FlaskClient, cast: Cast, database: Database) -> None:
    with database.writing() as session:
        builders.add_user(session, "dora@acme.example", name="Dora Disabled")
        accounts.disable(session, "dora@acme.example", by=SYSTEM, now=builders.NOW)
    pages = [
        give(client, "petra@acme.example", "wrong"),
        give(client, "nobody@acme.example"),
        give(client, "dora@acme.example"),
        give(client, "dora@acme.example", "wrong"),
    ]
    for page in pages:
        assert page.status_code == 422
        assert page.text.count(GENERIC) == pages[0].text.count(GENERIC) >= 1
        assert "<title>Error: Sign in" in page.text
    assert client.get("/account").status_code == 303
    assert events(database)[-4:] == ["user.sign_in_failed"] * 4


def test_what_was_typed_stays_but_for_the_password(client: FlaskClient, cast: Cast) -> None:
    page = give(client, "petra@acme.example", "wrong-wrong-wrong")
    assert 'value="petra@acme.example"' in page.text
    assert "wrong-wrong-wrong" not in page.text


def test_nothing_typed_says_what_is_missing(client: FlaskClient) -> None:
    assert give(client, "", "").status_code == 422


def test_without_its_token_the_form_is_refused_and_keeps_no_password(client: FlaskClient, cast: Cast) -> None:
    answer = client.post("/sign-in", data={"email": "petra@acme.example", "password": builders.PASSWORD})
    assert answer.status_code == 400
    assert "petra@acme.example" in answer.text
    assert builders.PASSWORD not in answer.text
    assert client.get("/account").status_code == 303


def test_signing_out_is_a_post_with_a_token(petra: FlaskClient, database: Database) -> None:
    assert petra.get("/sign-out").status_code == 405
    assert petra.post("/sign-out").status_code == 400
    assert petra.get("/account").status_code == 200
    answer = builders.post(petra, "/sign-out", page="/account")
    assert answer.status_code == 302
    assert petra.get("/account").status_code == 303
    assert events(database)[-1] == "user.signed_out"


def test_the_csrf_token_from_before_sign_in_is_worth_nothing_after_it(
    client: FlaskClient, cast: Cast, database: Database
) -> None:
    before = builders.token_in(client.get("/sign-in"))
    give(client, "petra@acme.example")
    assert client.post("/sign-in/code", data={"csrf_token": before, "code": "1"}).status_code == 400
    between = builders.token_in(client.get("/sign-in/code"))
    give_code(client, cast.petra, database)
    assert client.post("/sign-out", data={"csrf_token": between}).status_code == 400
    assert client.post("/sign-out", data={"csrf_token": before}).status_code == 400


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/vendors?page=2", "/vendors?page=2"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("///evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_sign_in_leads_back_to_our_own_pages_only(
    client: FlaskClient, cast: Cast, database: Database, wanted: str, leads_to: str
) -> None:
    shown = client.get("/sign-in", query_string={"next": wanted})
    answer = client.post(
        "/sign-in",
        query_string={"next": wanted},
        data={
            "csrf_token": builders.token_in(shown),
            "email": "petra@acme.example",
            "password": builders.PASSWORD,
            "next": wanted,
        },
    )
    assert answer.status_code == 302
    with database.writing() as session:
        code = builders.app_code(session, cast.petra)
    second = client.get(answer.location)
    assert re.findall(r'name="next"[^>]*value="([^"]*)"', second.text) == [leads_to]
    data = {"csrf_token": builders.token_in(second), "code": code, "next": wanted}
    assert client.post("/sign-in/code", data=data).location == leads_to


def test_the_unknown_are_asked_to_sign_in_and_come_back(client: FlaskClient, cast: Cast, database: Database) -> None:
    asked = client.get("/assessments?status=review")
    assert asked.status_code == 303
    assert asked.location == "/sign-in?next=/assessments?status%3Dreview"
    shown = client.get(asked.location)
    action = re.search(r'<form method="post" action="([^"]+)"', shown.text)
    assert action
    answer = client.post(
        action[1].replace("&amp;", "&"),
        data={
            "csrf_token": builders.token_in(shown),
            "email": "petra@acme.example",
            "password": builders.PASSWORD,
            "next": re.findall(r'name="next"[^>]*value="([^"]*)"', shown.text)[0],
        },
    )
    with database.writing() as session:
        code = builders.app_code(session, cast.petra)
    assert builders.post(client, answer.location, {"code": code}).location == "/assessments?status=review"


def test_disabling_an_account_ends_its_sessions_at_once(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        accounts.disable(session, "petra@acme.example", by=SYSTEM, now=builders.NOW)
    assert petra.get("/account").status_code == 303


def test_a_session_does_not_move_to_another_browser(petra: FlaskClient) -> None:
    assert petra.get("/account", headers={"User-Agent": "another browser"}).status_code == 303
    assert petra.get("/account").status_code == 303  # and it is over for good


def test_a_session_does_not_move_to_another_address(petra: FlaskClient) -> None:
    assert petra.get("/account", environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 303


def test_a_visitor_without_a_person_gets_no_cookie_but_the_session(client: FlaskClient) -> None:
    client.get("/sign-in")
    again = client.get("/privacy")
    assert "Set-Cookie" not in again.headers


def test_there_is_no_way_to_be_remembered(client: FlaskClient, cast: Cast) -> None:
    builders.post(client, "/sign-in", {"email": "petra@acme.example", "password": builders.PASSWORD, "remember": "y"})
    assert client.get_cookie("remember_token") is None


def test_ten_failures_close_the_door_for_five_minutes(app: Flask, cast: Cast, clock: Clock) -> None:
    for attempt in range(10):
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = f"192.0.2.{attempt}"
        assert give(browser, "petra@acme.example", "wrong").status_code == 422
    browser = app.test_client()
    browser.environ_base["REMOTE_ADDR"] = "192.0.2.99"
    closed = give(browser, "PETRA@acme.example")
    assert closed.status_code == 429
    assert 0 < int(closed.headers["Retry-After"]) <= 300
    assert give(browser, "adam@acme.example").status_code == 302
    clock.advance(minutes=5, seconds=1)
    assert give(app.test_client(), "petra@acme.example").status_code == 302


def test_ten_failures_from_one_address_close_it_whoever_is_meant(app: Flask, cast: Cast) -> None:
    for attempt in range(10):
        assert give(app.test_client(), f"nobody{attempt}@acme.example", "wrong").status_code == 422
    assert give(app.test_client(), "adam@acme.example").status_code == 429


def test_those_who_know_their_password_are_never_shut_out(app: Flask, cast: Cast) -> None:
    for _ in range(12):
        assert give(app.test_client(), "adam@acme.example").status_code == 302


def test_the_one_click_sign_in_exists_in_the_demonstration_only(
    app: Flask, runtime: Runtime, settings: Settings, client: FlaskClient, cast: Cast
) -> None:
    assert "/demo/sign-in" not in {str(rule) for rule in app.url_map.iter_rules()}
    assert "Try it as" not in client.get("/sign-in").text
    shown = client.get("/sign-in")
    refused = client.post("/demo/sign-in", data={"csrf_token": builders.token_in(shown), "email": "petra@acme.example"})
    assert refused.status_code == 404

    told = {"VENDORRISK_DEMO": "1", "VENDORRISK_DATABASE": settings.database, "VENDORRISK_MAIL": settings.mail}
    demo = Settings.from_env(told)
    made = factory.create_app(
        demo, Runtime(demo, runtime.database, runtime.library, runtime.rules, runtime.storage)
    ).test_client()
    page = made.get("/sign-in")
    assert "Try it as" in page.text
    assert "Demonstration" in page.text
    answer = builders.post(made, "/demo/sign-in", {"email": "petra@acme.example"}, page="/sign-in")
    assert answer.status_code == 303
    assert "Petra Novak" in made.get("/account").text
