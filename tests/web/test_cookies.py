"""Cookies and form tokens that were examined before: known again, and still refused where they no longer fit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask, session
from flask.testing import FlaskClient

from tests import builders
from tests.cast import Cast, SignIn


def value_of(browser: FlaskClient) -> str:
    """What the session cookie says, signed."""
    cookie = browser.get_cookie("vendorrisk")
    assert cookie is not None
    return cookie.value


def is_in(browser: FlaskClient) -> bool:
    """Whether somebody is signed in there."""
    return browser.get("/account").status_code == 200


def add_vendor(browser: FlaskClient, token: str, name: str) -> int:
    """Send the form of a new vendor with this token; the status of the answer."""
    form = {"csrf_token": token, "name": name, "website": f"https://{name}.example"}
    return browser.post("/vendors/new", data=form).status_code


@pytest.mark.parametrize("at", [0, 5, -2])  # the last letter holds two bits that mean nothing: another may say the same
def test_one_changed_letter_makes_a_known_cookie_nobodys(petra: FlaskClient, app: Flask, at: int) -> None:
    assert is_in(petra)
    value = value_of(petra)
    changed = list(value)
    changed[at] = "A" if changed[at] != "A" else "B"
    thief = app.test_client()
    thief.set_cookie("vendorrisk", "".join(changed))
    assert not is_in(thief)
    thief.set_cookie("vendorrisk", value)
    assert is_in(thief)


def test_a_known_cookie_is_too_old_one_day_like_any_other(petra: FlaskClient, app: Flask) -> None:
    assert is_in(petra)
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(seconds=-1)
    assert not is_in(petra)


def test_what_a_request_does_to_its_session_does_not_stay_in_memory(cast: Cast, app: Flask) -> None:
    browser = app.test_client()
    builders.post(browser, "/sign-in", {"email": cast.petra.email, "password": builders.PASSWORD})
    cookie = {"Cookie": f"vendorrisk={value_of(browser)}"}
    with app.test_request_context(headers=cookie):
        said = list(session["halfway"])
        session["halfway"][0] = "somebody else"
        session["left"] = "behind"
    with app.test_request_context(headers=cookie):
        assert session["halfway"] == said
        assert "left" not in session


def test_a_token_that_fitted_one_session_fits_no_other(cast: Cast, sign_in: SignIn) -> None:
    here, there = sign_in(cast.petra), sign_in(cast.petra)
    token = builders.token_in(here.get("/vendors/new"))
    assert add_vendor(here, token, "first") == 303
    assert add_vendor(here, token, "second") == 303
    assert add_vendor(there, token, "third") == 400
    assert add_vendor(here, token[:-1], "fourth") == 400
    assert add_vendor(here, "", "fifth") == 400
