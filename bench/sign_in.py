"""A refused sign-in with a known address against an unknown one: nobody learns from the time who is there."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete

from bench.measure import Line, side_by_side
from bench.pages import settings_in
from tests import builders
from vendorrisk import factory
from vendorrisk.db.models import Attempt
from vendorrisk.services.operating import keys, opening

KNOWN, UNKNOWN = "petra@acme.example", "nobody@acme.example"


def lines() -> list[Line]:
    """One line, with argon2id as in service."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        keys.create(settings.key_file)
        database = opening.database(settings)
        with database.writing() as session:
            builders.add_user(session, KNOWN, now=datetime.now(UTC))
        browser = factory.create_app(settings).test_client()
        token = builders.token_in(browser.get("/sign-in").text)

        def refused(email: str) -> None:
            with database.writing() as session:
                session.execute(delete(Attempt))  # the limit on tries would end the measurement
            data = {"csrf_token": token, "email": email, "password": "not the password"}
            assert browser.post("/sign-in", data=data).status_code == 422

        name, against = "sign-in refused, known address", "an unknown address"
        return [side_by_side(name, lambda: refused(KNOWN), against, lambda: refused(UNKNOWN), budget=1.1)]
