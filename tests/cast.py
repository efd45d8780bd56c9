"""The people whom every test of pages knows, each in a browser of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import builders
from tests.application import Clock
from vendorrisk.db.engine import Database
from vendorrisk.db.models import User
from vendorrisk.domain.roles import Role

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def sign_in(app: Flask, database: Database, clock: Clock) -> SignIn:
    """Opens a browser in which this user is signed in, through both steps of the sign-in pages."""

    def opened(user: User) -> FlaskClient:
        browser = app.test_client()
        builders.sign_in(browser, database, user, clock.now)
        return browser

    return opened


@dataclass(frozen=True)
class Cast:
    """The people of the organisation who every test knows."""

    petra: User
    adam: User
    audrey: User


@pytest.fixture
def cast(database: Database) -> Cast:
    """Petra buys, Adam runs the service, Audrey audits: their accounts."""
    with database.writing() as session:
        return of(session)


def of(session: Session) -> Cast:
    """Their accounts, in whatever database."""
    return Cast(
        petra=builders.add_user(session),
        adam=builders.add_user(session, "adam@acme.example", name="Adam Reed", roles=[Role.ADMIN]),
        audrey=builders.add_user(session, "audrey@acme.example", name="Audrey Finch", roles=[Role.AUDITOR]),
    )


@pytest.fixture
def petra(cast: Cast, sign_in: SignIn) -> FlaskClient:
    """Petra's browser: staff."""
    return sign_in(cast.petra)


@pytest.fixture
def adam(cast: Cast, sign_in: SignIn) -> FlaskClient:
    """Adam's browser: admin."""
    return sign_in(cast.adam)


@pytest.fixture
def audrey(cast: Cast, sign_in: SignIn) -> FlaskClient:
    """Audrey's browser: auditor."""
    return sign_in(cast.audrey)
