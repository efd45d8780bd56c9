"""The second step of a sign-in: set up at first, asked for ever after, limited, and told of by letter."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests import builders
from tests.application import Clock
from tests.cast import Cast
from vendorrisk import factory
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Letter, RecoveryCode, User
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.letters import outbox
from vendorrisk.services.people import accounts, factors
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings


@pytest.fixture
def nora(database: Database) -> User:
    """Somebody new, who has nothing but a password."""
    with database.writing() as session:
        user = builders.add_user(session, "nora@acme.example", name="Nora Blum")
        factors.remove_all(session, user)
        return user


def password(client: FlaskClient, user: User) -> TestResponse:
    """The first step."""
    return builders.post(client, "/sign-in", {"email": user.email, "password": builders.PASSWORD})


def code(client: FlaskClient, typed: str, query: str = "") -> TestResponse:
    """The second step."""
    return builders.post(client, f"/sign-in/code{query}", {"code": typed})


def shown_by_app(database: Database, user: User) -> str:
    """What the person's app shows, as if none had been used."""
    with database.writing() as session:
        return builders.app_code(session, user)


def key_on(page: TestResponse) -> str:
    """The key of the app that a page shows as text."""
    found = re.search(r'class="app-key">([A-Z2-7 ]+)<', page.text)
    assert found, page.text
    return found[1].replace(" ", "")


def this_step() -> int:
    """The step of the codes that apps show now."""
    return int(builders.NOW.timestamp()) // factors.STEP


def first_code(secret: str) -> str:
    """What an app with this secret shows now."""
    return factors._code(secret, this_step())


def letters(database: Database) -> list[str]:
    """What happened, by the letters about it."""
    with database.reading() as session:
        rows = session.scalars(select(Letter).where(Letter.kind == "sign_in_changed").order_by(Letter.created_at))
        texts = [vault.open_json(session, row.content, context=outbox.CONTEXT)["text"] for row in rows]
    return [re.findall(r"account: (.+)\.\n", text)[0] for text in texts]


# ---------------------------------------------------------------- the second step itself


def test_after_the_password_no_page_opens_but_the_second_step(client: FlaskClient, cast: Cast) -> None:
    assert password(client, cast.petra).location == "/sign-in/code"
    for page in ("/", "/home", "/account", "/account/sign-in", "/vendors"):
        assert client.get(page).location.startswith("/sign-in")
    assert "Second step" in client.get("/sign-in/code").text


def test_a_wrong_code_opens_nothing_and_a_used_one_neither(client: FlaskClient, cast: Cast, database: Database) -> None:
    password(client, cast.petra)
    wrong = code(client, "000000")
    assert wrong.status_code == 422
    assert "The code is not right, or was used already." in wrong.text
    good = shown_by_app(database, cast.petra)
    assert code(client, f"{good[:3]} {good[3:]}").status_code == 303
    other = client.application.test_client()
    password(other, cast.petra)
    assert code(other, good).status_code == 422
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


def test_nothing_typed_says_what_is_missing(client: FlaskClient, cast: Cast) -> None:
    password(client, cast.petra)
    answer = code(client, "")
    assert answer.status_code == 422
    assert "Enter the code." in answer.text


def test_the_second_step_must_follow_within_ten_minutes(
    client: FlaskClient, cast: Cast, database: Database, clock: Clock
) -> None:
    password(client, cast.petra)
    shown = client.get("/sign-in/code")
    clock.advance(minutes=10)
    data = {"csrf_token": builders.token_in(shown), "code": shown_by_app(database, cast.petra)}
    assert client.post("/sign-in/code", data=data).location == "/sign-in"
    assert client.get("/account").status_code == 303


@pytest.mark.parametrize("change", [accounts.disable, accounts.sign_out_everywhere, accounts.reset_factors])
def test_what_happens_to_the_account_ends_a_sign_in_between_its_steps(
    client: FlaskClient, cast: Cast, database: Database, change: object
) -> None:
    password(client, cast.petra)
    good = shown_by_app(database, cast.petra)
    shown = client.get("/sign-in/code")
    with database.writing() as session:
        change(session, cast.petra.email, by=SYSTEM, now=builders.NOW)  # type: ignore[operator]
    answer = client.post("/sign-in/code", data={"csrf_token": builders.token_in(shown), "code": good})
    assert answer.location == "/sign-in"


def test_five_wrong_codes_close_the_step_for_five_minutes_and_a_restart_does_not_open_it(
    app: Flask, runtime: Runtime, settings: Settings, cast: Cast, database: Database, clock: Clock
) -> None:
    browser = app.test_client()
    password(browser, cast.petra)
    for _ in range(5):
        assert code(browser, "000000").status_code == 422
    restarted = factory.create_app(settings, runtime)
    restarted.config.update(TESTING=True, CLOCK=clock)
    again = restarted.test_client()
    again.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    password(again, cast.petra)
    closed = code(again, shown_by_app(database, cast.petra))
    assert closed.status_code == 429
    assert 0 < int(closed.headers["Retry-After"]) <= 300
    clock.advance(minutes=5, seconds=1)
    with database.writing() as session:
        good = builders.app_code(session, cast.petra, clock.now)
    assert code(again, good).status_code == 303


def test_the_limit_holds_for_an_address_whoever_is_meant(app: Flask, cast: Cast, database: Database) -> None:
    for number, user in enumerate((cast.petra, cast.adam, cast.audrey, cast.petra, cast.adam)):
        browser = app.test_client()
        password(browser, user)
        assert code(browser, f"00000{number}").status_code == 422
    browser = app.test_client()
    password(browser, cast.audrey)
    assert code(browser, shown_by_app(database, cast.audrey)).status_code == 429


def test_a_recovery_code_stands_for_a_lost_phone_once(client: FlaskClient, cast: Cast, database: Database) -> None:
    with database.writing() as session:
        codes = factors.make_recovery_codes(session, cast.petra, by=SYSTEM, now=builders.NOW)
    password(client, cast.petra)
    assert "Use one of your recovery codes" in client.get("/sign-in/code").text
    assert code(client, codes[0], "?with=recovery").status_code == 303
    assert client.get("/account").status_code == 200
    again = client.application.test_client()
    password(again, cast.petra)
    refused = code(again, codes[0], "?with=recovery")
    assert refused.status_code == 422
    assert "none of your recovery codes" in refused.text
    assert "a recovery code was used to sign in" in letters(database)


# ---------------------------------------------------------------- setting one up


def test_whoever_has_none_is_led_to_set_one_up_before_any_page_opens(
    client: FlaskClient, nora: User, database: Database
) -> None:
    password(client, nora)
    assert client.get("/sign-in/code").location == "/sign-in/set-up"
    assert client.get("/account").status_code == 303
    page = client.get("/sign-in/set-up")
    assert "<svg" in page.text
    assert " style=" not in page.text
    wrong = builders.post(client, "/sign-in/set-up", {"code": "000000"})
    assert wrong.status_code == 422
    assert key_on(wrong) == key_on(page), "a mistyped code costs nothing"
    done = builders.post(client, "/sign-in/set-up", {"code": first_code(key_on(page))})
    assert done.status_code == 200
    codes = re.findall(r"<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>", done.text)
    assert len(codes) == factors.RECOVERY_CODES
    assert client.get("/account").status_code == 200
    assert letters(database) == ["an authenticator app was set up", "new recovery codes were made"]
    with database.reading() as session:
        assert session.query(RecoveryCode).count() == factors.RECOVERY_CODES


def test_the_key_that_is_proposed_lies_in_no_cookie_and_no_database(
    client: FlaskClient, nora: User, database: Database
) -> None:
    password(client, nora)
    secret = key_on(client.get("/sign-in/set-up"))
    cookie = client.get_cookie("vendorrisk")
    assert cookie is not None
    assert secret not in cookie.value
    with database.reading() as session:
        assert session.get_one(User, nora.id).totp_secret is None


def test_whoever_knows_only_a_password_cannot_add_a_factor_of_their_own(
    client: FlaskClient, cast: Cast, database: Database
) -> None:
    password(client, cast.petra)
    assert client.get("/sign-in/set-up").location == "/sign-in/code"
    token = builders.token_in(client.get("/sign-in/code"))
    with database.reading() as session, client.session_transaction() as kept:
        kept["app_nonce"] = "n"
        secret = factors.proposed_secret(session, cast.petra.id, "n")
    answer = client.post("/sign-in/set-up", data={"csrf_token": token, "code": first_code(secret)})
    assert answer.location == "/sign-in/code"
    for address in ("/sign-in/set-up/passkey", "/sign-in/set-up/passkey/options"):
        assert client.post(address, data={"csrf_token": token, "credential": "{}"}).status_code == 404
    assert shown_by_app(database, cast.petra) == factors._code(builders.APP_SECRET, this_step()), "it is as it was"


# ---------------------------------------------------------------- on the account's page


def test_another_app_replaces_the_first(petra: FlaskClient, cast: Cast, database: Database) -> None:
    page = petra.get("/account/app")
    secret = key_on(page)
    assert builders.post(petra, "/account/app", {"code": "000000"}).status_code == 422
    assert builders.post(petra, "/account/app", {"code": first_code(secret)}).location == "/account/sign-in"
    assert letters(database) == ["an authenticator app was set up"]
    old = factors._code(builders.APP_SECRET, this_step() + 1)
    other = petra.application.test_client()
    password(other, cast.petra)
    assert code(other, old).status_code == 422
    assert key_on(petra.get("/account/app")) != secret, "the next one will be another"


def test_recovery_codes_are_shown_once(petra: FlaskClient, database: Database) -> None:
    made = builders.post(petra, "/account/recovery-codes", page="/account/sign-in")
    codes = re.findall(r"<code>([a-z0-9-]{14})</code>", made.text)
    assert len(codes) == factors.RECOVERY_CODES
    shown = petra.get("/account/sign-in")
    assert "10 codes left" in shown.text
    assert not any(each in shown.text for each in codes)
    assert letters(database) == ["new recovery codes were made"]


def test_the_demonstration_shows_the_code_and_nothing_else_does(
    runtime: Runtime, settings: Settings, client: FlaskClient, cast: Cast, clock: Clock
) -> None:
    password(client, cast.petra)
    assert "In real life" not in client.get("/sign-in/code").text
    told = {"VENDORRISK_DEMO": "1", "VENDORRISK_DATABASE": settings.database, "VENDORRISK_MAIL": settings.mail}
    demo = Settings.from_env(told)
    made = factory.create_app(demo, Runtime(demo, runtime.database, runtime.library, runtime.rules, runtime.storage))
    made.config.update(TESTING=True, CLOCK=clock)
    browser = made.test_client()
    password(browser, cast.petra)
    found = re.search(r'name="code" value="(\d{6})"', browser.get("/sign-in/code").text)
    assert found
    assert code(browser, found[1]).status_code == 303
