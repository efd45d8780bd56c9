"""The application under test: its clock, its settings, what it is made of, and a browser."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import argon2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import builders
from vendorrisk import factory
from vendorrisk.db.engine import Database
from vendorrisk.library import shipped
from vendorrisk.services.people import accounts
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage


@pytest.fixture
def now() -> datetime:
    """The moment at which the test happens."""
    return builders.NOW


class Clock:
    """The clock of the application under test: it stands still until told to move."""

    def __init__(self, moment: datetime) -> None:
        self.now = moment

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        """Let time pass: advance(days=3)."""
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock(now: datetime) -> Clock:
    """What time it is for the application; `clock.advance(minutes=11)` moves on."""
    return Clock(now)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> None:
    """Argon2 as cheap as it gets: the tests sign in hundreds of times."""
    accounts._HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with everything in a folder of this test's own."""
    return Settings.from_env(
        {
            "VENDORRISK_DATABASE": database_url,
            "VENDORRISK_KEY_FILE": str(tmp_path / "master.key"),
            "VENDORRISK_STORAGE": str(tmp_path / "files"),
            "VENDORRISK_MAIL": f"file:{tmp_path / 'mail'}",
            "VENDORRISK_MAIL_FROM": "risk@acme.example",
        }
    )


@pytest.fixture
def runtime(settings: Settings, database: Database) -> Runtime:
    """What the application is made of."""
    library = shipped.load()
    return Runtime(settings, database, library, library.rules, open_storage(settings.storage))


@pytest.fixture
def app(settings: Settings, runtime: Runtime, clock: Clock) -> Flask:
    """The web application, with the clock of the test and CSRF protection as in service."""
    made = factory.create_app(settings, runtime)
    made.config.update(TESTING=True, CLOCK=clock)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in with: mallory's, or a vendor's. Send forms with `builders.post`."""
    return app.test_client()
