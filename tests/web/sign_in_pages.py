"""The pages of signing in, filled in as people do; and what the trail says of it."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests import builders
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, User

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
