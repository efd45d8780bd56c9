"""Sign-in, sign-out and new passwords; and that the account store never keeps a lock or a connection."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from flask_login import current_user
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from tests import builders
from tests.conftest import Cast, Clock, SignIn
from vendorrisk import factory
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Letter, User
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.roles import Role
from vendorrisk.services.letters import outbox
from vendorrisk.services.people import accounts
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.web import access, edge

GENERIC = "The e-mail address or the password is not right."


def give(client: FlaskClient, email: str, password: str = builders.PASSWORD, query: str = "") -> TestResponse:
    """Fill in the sign-in page."""
    return builders.post(client, f"/sign-in{query}", {"email": email, "password": password})


def give_code(client: FlaskClient, user: User, database: Database) -> TestResponse:
    """Fill in the page of the second step with the code that the person's app shows."""
    with database.writing() as session:
        code = builders.app_code(session, user)
    return builders.post(client, "/sign-in/code", {"code": code})


def events(database: Database, prefix: str = "user.") -> list[str]:
    """The kinds of events in the trail about accounts, the oldest first."""
    with database.reading() as session:
        kinds = session.scalars(select(Event.kind).order_by(Event.number))
        return [kind for kind in kinds if kind.startswith(prefix) and kind != "user.added"]


def links(database: Database) -> list[str]:
    """The links in the reset letters that were written."""
    with database.reading() as session:
        rows = session.scalars(select(Letter).where(Letter.kind == "sign_in_reset").order_by(Letter.created_at))
        bodies = [vault.open_json(session, row.content, context=outbox.CONTEXT) for row in rows]
    return [re.findall(r"http://\S+", body["text"])[0] for body in bodies]


# ---------------------------------------------------------------- in and out


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


# ---------------------------------------------------------------- how sessions end


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


# ---------------------------------------------------------------- limits


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


# ---------------------------------------------------------------- new passwords

NEW = "four unrelated words here"


def ask(client: FlaskClient, email: str) -> TestResponse:
    """Fill in the page for a forgotten password."""
    return builders.post(client, "/forgotten-password", {"email": email})


def follow(client: FlaskClient, link: str, first: str = NEW, again: str = NEW) -> TestResponse:
    """Open a reset link and fill in its page."""
    path = link.removeprefix("http://127.0.0.1:8000")
    return builders.post(client, path, {"password": first, "password_confirm": again})


def test_a_forgotten_password_is_replaced_through_the_mailed_link(
    client: FlaskClient, petra: FlaskClient, database: Database
) -> None:
    ask(client, "petra@acme.example")
    (link,) = links(database)
    assert link.startswith("http://127.0.0.1:8000/forgotten-password/")
    assert follow(client, link).status_code == 302
    assert petra.get("/account").status_code == 303, "sessions from before have ended"
    assert give(client, "petra@acme.example").status_code == 422, "the old password is dead"
    assert give(client, "petra@acme.example", NEW).location == "/sign-in/code", "a mailbox is no second factor"
    assert "user.password_changed" in events(database)


def test_the_link_works_once_and_for_two_hours(client: FlaskClient, cast: Cast, database: Database) -> None:
    ask(client, "petra@acme.example")
    (link,) = links(database)
    assert follow(client, link).status_code == 302
    again = client.get(link.removeprefix("http://127.0.0.1:8000"))
    assert again.status_code == 302
    assert again.location == "/forgotten-password"


def test_an_old_link_is_refused(client: FlaskClient, cast: Cast, app: Flask, database: Database) -> None:
    ask(client, "petra@acme.example")
    (link,) = links(database)
    app.config["SECURITY_RESET_PASSWORD_WITHIN"] = timedelta(seconds=-1)
    answer = client.get(link.removeprefix("http://127.0.0.1:8000"), follow_redirects=True)
    assert "That link has expired." in answer.text


def test_asking_says_the_same_for_everybody(client: FlaskClient, cast: Cast, database: Database) -> None:
    with database.writing() as session:
        builders.add_user(session, "dora@acme.example")
        accounts.disable(session, "dora@acme.example", by=SYSTEM, now=builders.NOW)
    said = []
    for email in ("petra@acme.example", "nobody@acme.example", "dora@acme.example"):
        page = ask(client, email)
        assert page.status_code == 200
        said.append(re.sub(r'value="[^"]*"', "", page.text.replace(email, "…")))
    assert said[0] == said[1] == said[2]
    assert "is on its way" in said[0]
    assert len(links(database)) == 1, "only the living account gets a letter"


def test_a_person_is_not_flooded_with_letters(client: FlaskClient, cast: Cast, database: Database) -> None:
    assert [ask(client, "petra@acme.example").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert len(links(database)) == 3


@pytest.mark.parametrize(
    ("first", "again", "says"),
    [("short", "short", "at least 12 characters"), (NEW, NEW + "!", "The two passwords are not the same.")],
)
def test_a_bad_new_password_is_refused(
    client: FlaskClient, cast: Cast, database: Database, first: str, again: str, says: str
) -> None:
    ask(client, "petra@acme.example")
    answer = follow(client, links(database)[0], first, again)
    assert answer.status_code == 422
    assert says in answer.text


def test_the_link_never_follows_a_forged_host(client: FlaskClient, cast: Cast, database: Database) -> None:
    shown = client.get("/forgotten-password")
    data = {"csrf_token": builders.token_in(shown), "email": "petra@acme.example"}
    assert client.post("/forgotten-password", data=data, headers={"Host": "evil.example"}).status_code == 400
    assert links(database) == []


def test_a_changed_password_ends_the_other_sessions(cast: Cast, sign_in: SignIn) -> None:
    here, elsewhere = sign_in(cast.petra), sign_in(cast.petra)
    answer = builders.post(
        here,
        "/account/password",
        {"password": builders.PASSWORD, "new_password": NEW, "new_password_confirm": NEW},
    )
    assert answer.status_code == 302
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303


# ---------------------------------------------------------------- the demonstration


def test_the_one_click_sign_in_exists_in_the_demonstration_only(
    runtime: Runtime, settings: Settings, client: FlaskClient, cast: Cast
) -> None:
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


# ---------------------------------------------------------------- our hash and theirs; the store


def test_a_password_is_argon2id_with_a_pepper_from_outside_the_database(database: Database, cast: Cast) -> None:
    with database.reading() as session:
        stored = session.get_one(User, cast.petra.id).password
    assert stored
    assert stored.startswith("$argon2id$")
    with pytest.raises(Exception, match="does not match"):
        accounts._HASHER.verify(stored, builders.PASSWORD)  # without the pepper, not even the right password fits


def test_signing_in_leaves_the_hash_as_it_was(client: FlaskClient, database: Database, cast: Cast) -> None:
    give(client, "petra@acme.example")
    with database.reading() as session:
        assert session.get_one(User, cast.petra.id).password == cast.petra.password


def test_nothing_is_held_open_between_two_calls_of_the_account_store(
    app: Flask, cast: Cast, sign_in: SignIn, database: Database
) -> None:
    """A view that writes can look up, change and commit an account before, while and after it does."""
    seen: list[int] = []

    @app.post("/writes")
    @access.open_to(Role.STAFF)
    def writes() -> str:
        store = current_app.extensions["security"].datastore
        user = store.find_user(email=current_user.email)
        user.phone = "1"
        store.put(user)
        seen.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
        with edge.writing() as session:
            session.execute(text("UPDATE users SET phone = '2' WHERE email = 'adam@acme.example'"))
            assert store.find_user(email="adam@acme.example").phone != "2", "it sees what is committed"
        store.commit()
        seen.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
        return "written"

    browser = sign_in(cast.petra)
    answer = builders.post(browser, "/writes", page="/account")
    assert answer.text == "written"
    assert seen == [0, 0]
    with database.reading() as session:
        phones = {user.email: user.phone for user in session.scalars(select(User))}
    assert phones["petra@acme.example"] == "1"
    assert phones["adam@acme.example"] == "2"


def test_only_what_was_changed_is_written(app: Flask, cast: Cast, database: Database) -> None:
    """A row that was loaded long ago does not undo what others changed meanwhile."""
    with app.test_request_context("/"):
        store = app.extensions["security"].datastore
        user = store.find_user(email="petra@acme.example")
        with database.writing() as session:
            accounts.disable(session, "petra@acme.example", by=SYSTEM, now=builders.NOW)
        user.login_count = 7
        store.put(user)
        store.commit()
    with database.reading() as session:
        stored = session.get_one(User, cast.petra.id)
        assert (stored.login_count, stored.active) == (7, False)
