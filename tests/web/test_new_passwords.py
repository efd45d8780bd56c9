"""New passwords: through the mailed link, and from the account page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests import builders
from tests.cast import Cast, SignIn
from tests.web.sign_in_pages import events, give
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Letter
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.letters import outbox
from vendorrisk.services.people import accounts

NEW = "four unrelated words here"


def links(database: Database) -> list[str]:
    """The links in the reset letters that were written."""
    with database.reading() as session:
        rows = session.scalars(select(Letter).where(Letter.kind == "sign_in_reset").order_by(Letter.created_at))
        bodies = [vault.open_json(session, row.content, context=outbox.CONTEXT) for row in rows]
    return [re.findall(r"http://\S+", body["text"])[0] for body in bodies]


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
