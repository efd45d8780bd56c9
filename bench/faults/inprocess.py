"""The application in this process with everybody in a browser, for fault tests that send thousands of requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import argon2
from flask import Flask
from flask.testing import FlaskClient

from bench.pages import settings_in
from tests import builders
from tests.application import Clock
from tests.cast import Cast
from tests.web import worlds
from tests.web.worlds import World
from vendorrisk import factory
from vendorrisk.db.models import User
from vendorrisk.domain.roles import Role
from vendorrisk.library import shipped
from vendorrisk.services.operating import opening
from vendorrisk.services.people import accounts
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import open_storage
from vendorrisk.web.vendor import dead_ends


@dataclass(frozen=True)
class Stage:
    """The application and who plays on it."""

    app: Flask
    runtime: Runtime
    world: World


@contextmanager
def stage(asked: Sequence[str]) -> Iterator[Stage]:
    """Two vendors with requests in every state. Errors come back as answers with 500, as in service."""
    accounts._HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # signing in is not the matter
    dead_ends.SAME_TIME = 0
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        settings = settings_in(Path(folder))
        library = shipped.load()
        database = opening.database(settings)
        runtime = Runtime(settings, database, library, library.rules, open_storage(settings.storage))
        app = factory.create_app(settings, runtime)
        app.config["CLOCK"] = Clock(builders.NOW)
        with database.writing() as session:
            cast = Cast(
                builders.add_user(session),
                builders.add_user(session, "adam@acme.example", name="Adam Reed", roles=[Role.ADMIN]),
                builders.add_user(session, "audrey@acme.example", name="Audrey Finch", roles=[Role.AUDITOR]),
            )

        def sign_in(user: User) -> FlaskClient:
            browser = app.test_client()
            builders.sign_in(browser, database, user)
            return browser

        yield Stage(app, runtime, worlds.build(app, runtime, cast, sign_in, asked))
        database.close()
