"""How sign-ins end, in every copy of a cookie; and that dangerous actions ask again, with nothing typed lost."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders, review_side
from tests.application import Clock
from tests.cast import Cast, SignIn
from vendorrisk import factory
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Decision, Event, User
from vendorrisk.db.models import SignIn as Row
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.roles import Role
from vendorrisk.services.people import accounts
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.web import access

NEW = "four unrelated words here"


def copy_of(browser: FlaskClient, app: Flask) -> FlaskClient:
    """A thief's browser with the same cookie: same address, same kind of browser, perhaps another process."""
    cookie = browser.get_cookie("vendorrisk")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("vendorrisk", cookie.value)
    return thief


def is_in(browser: FlaskClient) -> bool:
    """Whether somebody is signed in there."""
    return browser.get("/account").status_code == 200


# ---------------------------------------------------------------- how they end


def test_signing_out_kills_every_copy_of_the_cookie(app: Flask, petra: FlaskClient) -> None:
    thief = copy_of(petra, app)
    assert is_in(thief)
    builders.post(petra, "/sign-out", page="/account")
    assert not is_in(thief)
    assert not is_in(petra)


def test_signing_out_here_leaves_other_browsers_signed_in(cast: Cast, sign_in: SignIn) -> None:
    here, there = sign_in(cast.petra), sign_in(cast.petra)
    builders.post(here, "/sign-out", page="/account")
    assert is_in(there)


@pytest.mark.parametrize(
    "change",
    [
        lambda session, email: accounts.disable(session, email, by=SYSTEM, now=builders.NOW),
        lambda session, email: accounts.sign_out_everywhere(session, email, by=SYSTEM, now=builders.NOW),
        lambda session, email: accounts.change_roles(session, email, add=[Role.ADMIN], by=SYSTEM, now=builders.NOW),
        lambda session, email: accounts.change_roles(session, email, remove=[Role.STAFF], by=SYSTEM, now=builders.NOW),
        lambda session, email: accounts.reset_factors(session, email, by=SYSTEM, now=builders.NOW),
    ],
)
def test_what_is_done_to_an_account_ends_its_sessions_at_the_next_click(
    app: Flask, runtime: Runtime, settings: Settings, clock: Clock, cast: Cast, sign_in: SignIn,
    database: Database, change: Callable[..., User],
) -> None:  # fmt: skip
    browser = sign_in(cast.petra)
    other_process = factory.create_app(settings, runtime)
    other_process.config.update(TESTING=True, CLOCK=clock)
    copied = copy_of(browser, other_process)
    assert is_in(copied)
    with database.writing() as session:
        change(session, cast.petra.email)
    assert not is_in(copied)
    assert not is_in(browser)


def test_a_row_that_is_gone_ends_the_session_by_itself(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        session.delete(session.scalars(select(Row)).one())
    assert not is_in(petra)


def test_a_cookie_without_a_row_is_nobodys(petra: FlaskClient) -> None:
    with petra.session_transaction() as kept:
        del kept["sign_in"]
    assert not is_in(petra)


def test_a_stolen_cookie_that_turns_up_elsewhere_ends_the_session_for_all(app: Flask, petra: FlaskClient) -> None:
    thief = copy_of(petra, app)
    thief.environ_base["REMOTE_ADDR"] = "192.0.2.66"
    assert not is_in(thief)
    assert not is_in(petra)


def test_nobody_stays_signed_in_longer_than_twelve_hours(petra: FlaskClient, clock: Clock) -> None:
    clock.advance(hours=11, minutes=59)
    assert is_in(petra)
    clock.advance(minutes=1)
    assert not is_in(petra)


def test_a_new_sign_in_is_another_session(cast: Cast, app: Flask, database: Database) -> None:
    """What was planted in a browser before is worth nothing after: the session and its id are new."""
    browser = app.test_client()
    with browser.session_transaction() as planted:
        planted["sign_in"], planted["planted"] = "0" * 32, "x"
    builders.post(browser, "/sign-in", {"email": cast.petra.email, "password": builders.PASSWORD})
    with database.writing() as session:
        code = builders.app_code(session, cast.petra)
    builders.post(browser, "/sign-in/code", {"code": code})
    with browser.session_transaction() as kept:
        assert kept["sign_in"] != "0" * 32
        assert "planted" not in kept
        assert "halfway" not in kept


def test_a_reset_password_ends_all_sessions_and_a_changed_one_all_others(cast: Cast, sign_in: SignIn) -> None:
    here, there = sign_in(cast.petra), sign_in(cast.petra)
    data = {"password": builders.PASSWORD, "new_password": NEW, "new_password_confirm": NEW}
    before = copy_of(here, here.application)
    assert builders.post(here, "/account/password", data).status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert not is_in(before), "nor what the cookie was before"


# ---------------------------------------------------------------- asked again


def wait(browser: FlaskClient, clock: Clock) -> None:
    """Long enough that dangerous actions ask."""
    assert is_in(browser)
    clock.advance(minutes=10)


def prove(browser: FlaskClient, database: Database, user: User, clock: Clock, fields: dict[str, str]) -> object:
    """Fill in the page that asks; `fields` are those that it carries."""
    with database.writing() as session:
        code = builders.app_code(session, user, clock.now)
    return browser.post("/sign-in/again", data={**fields, "password": builders.PASSWORD, "code": code})


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the first form in the page's main part."""
    form = page.split("<main", 1)[1].split("</form>", 1)[0]
    pairs = re.findall(r'<input[^>]*type="hidden"[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', form)
    pairs += re.findall(r'<input[^>]*id="csrf_token"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in pairs}


def test_a_dangerous_page_asks_once_ten_minutes_have_passed_and_leads_back(
    petra: FlaskClient, cast: Cast, clock: Clock, database: Database
) -> None:
    assert petra.get("/account/sign-in").status_code == 200
    wait(petra, clock)
    asked = petra.get("/account/sign-in?x=1")
    assert (asked.status_code, asked.location) == (303, "/sign-in/again?next=/account/sign-in?x%3D1")
    page = petra.get(asked.location)
    answer = prove(petra, database, cast.petra, clock, hidden(page.text))
    assert answer.location == "/account/sign-in?x=1"  # type: ignore[attr-defined]
    assert petra.get("/account/sign-in").status_code == 200


@pytest.mark.parametrize(("password", "code"), [("wrong wrong wrong", None), (builders.PASSWORD, "000000"), ("", "")])
def test_a_wrong_answer_proves_nothing(
    petra: FlaskClient, cast: Cast, clock: Clock, database: Database, password: str, code: str | None
) -> None:
    wait(petra, clock)
    with database.writing() as session:
        good = builders.app_code(session, cast.petra, clock.now)
    answer = builders.post(petra, "/sign-in/again", {"password": password, "code": good if code is None else code})
    assert answer.status_code == 422
    assert petra.get("/account/sign-in").status_code == 303


def test_the_page_that_asks_is_limited_as_signing_in_is(petra: FlaskClient, clock: Clock) -> None:
    wait(petra, clock)
    tried = [builders.post(petra, "/sign-in/again", {"password": "wrong", "code": "1"}).status_code for _ in range(11)]
    assert tried == [422] * 10 + [429]


def test_what_was_typed_is_kept_while_the_page_asks(
    petra: FlaskClient, cast: Cast, clock: Clock, database: Database
) -> None:
    with database.writing() as session:
        case = review_side.clearview(session).reference
    page = f"/assessments/{case}/decision"
    form = petra.get(page)
    seen = re.findall(r'name="seen"[^>]*value="([^"]+)"', form.text)[0]
    typed = {
        "outcome": "rejected", "reason": "They sell what they took. “No” & never <again>.", "valid_until": "2027-01-31",
        "seen": seen, "accepts_provisional": "y",
    }  # fmt: skip
    wait(petra, clock)
    stale = petra.post(page, data={"csrf_token": builders.token_in(form), **typed})
    assert stale.status_code == 403
    assert "What you sent is kept" in stale.text
    wrong = petra.post("/sign-in/again", data={**hidden(stale.text), "password": "wrong", "code": "000000"})
    assert wrong.status_code == 422
    passed = prove(petra, database, cast.petra, clock, hidden(wrong.text))
    again = hidden(passed.text)  # type: ignore[attr-defined]
    assert {name: again[name] for name in typed} == typed
    with database.reading() as session:
        assert session.scalars(select(Decision)).all() == []
    assert petra.post(page, data=again).status_code == 303
    with database.reading() as session:
        assert len(session.scalars(select(Decision)).all()) == 1


def test_a_stale_sending_without_fields_comes_back_too(
    petra: FlaskClient, cast: Cast, clock: Clock, database: Database
) -> None:
    token = builders.token_in(petra.get("/account/sign-in"))
    wait(petra, clock)
    stale = petra.post("/account/recovery-codes", data={"csrf_token": token})
    passed = prove(petra, database, cast.petra, clock, hidden(stale.text))
    assert 'action="/account/recovery-codes"' in passed.text  # type: ignore[attr-defined]
    assert "shown this once" in petra.post("/account/recovery-codes", data=hidden(passed.text)).text  # type: ignore[attr-defined]


def test_a_field_of_the_page_that_asks_is_not_taken_from_what_was_sent(
    petra: FlaskClient, cast: Cast, clock: Clock, database: Database
) -> None:
    token = builders.token_in(petra.get("/account/sign-in"))
    wait(petra, clock)
    stale = petra.post("/account/recovery-codes", data={"csrf_token": token, "credential": "x", "next": "/evil"})
    fields = hidden(stale.text)
    assert fields["kept-credential"] == "x"
    assert fields["next"] == "/account/recovery-codes"
    passed = prove(petra, database, cast.petra, clock, fields)
    assert hidden(passed.text)["credential"] == "x"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        ("/account/password", dict.fromkeys(("password", "new_password", "new_password_confirm"), "Hush hush hush 1")),
        ("/account/app", {"code": "Hush hush hush 1"}),
    ],
)
def test_a_form_with_a_secret_is_not_carried_through_a_page_but_filled_in_anew(
    petra: FlaskClient, cast: Cast, clock: Clock, database: Database, page: str, typed: dict[str, str]
) -> None:
    token = builders.token_in(petra.get(page))
    wait(petra, clock)
    stale = petra.post(page, data={"csrf_token": token, **typed}, follow_redirects=True)
    assert "Hush hush" not in stale.text
    assert "to be filled in anew" in stale.text
    passed = prove(petra, database, cast.petra, clock, hidden(stale.text))
    assert passed.location == page  # type: ignore[attr-defined]
    assert petra.get(page).status_code == 200


def test_who_may_not_see_a_page_is_not_asked_either(app: Flask, cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    @app.get("/dangerous")
    @access.open_to(Role.ADMIN, fresh=True)
    def dangerous() -> str:
        return "done"

    petra, adam = sign_in(cast.petra), sign_in(cast.adam)
    assert adam.get("/dangerous").text == "done"
    clock.advance(minutes=10)
    assert petra.get("/dangerous").status_code == 404
    assert adam.get("/dangerous").location == "/sign-in/again?next=/dangerous"
    assert app.test_client().get("/dangerous").location == "/sign-in?next=/dangerous"


def test_failures_at_the_page_that_asks_are_in_the_trail(petra: FlaskClient, clock: Clock, database: Database) -> None:
    builders.post(petra, "/sign-in/again", {"password": "wrong", "code": "1"})
    builders.post(petra, "/sign-in/again", {"password": builders.PASSWORD, "code": "000000"})
    with database.reading() as session:
        kinds = session.scalars(select(Event.kind).order_by(Event.number)).all()
    assert kinds[-2:] == ["user.sign_in_failed"] * 2
