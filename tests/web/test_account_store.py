"""The account store: hashes that a stolen database does not give away, and nothing held open between its calls."""

from __future__ import annotations

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from flask_login import current_user
from sqlalchemy import select, text

from tests import builders
from tests.cast import Cast, SignIn
from tests.web.sign_in_pages import give
from vendorrisk.db.engine import Database
from vendorrisk.db.models import User
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.roles import Role
from vendorrisk.services.people import accounts
from vendorrisk.web import access, edge


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
