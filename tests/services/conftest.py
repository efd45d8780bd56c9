"""What tests of services share: who owns the cases, and a vendor about whom everything is kept."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests import builders, erasing
from tests.erasing import Full
from vendorrisk.db.models import User
from vendorrisk.services.runtime import Runtime


@pytest.fixture
def petra(runtime: Runtime) -> User:
    """Who owns the cases."""
    with runtime.database.writing() as session:
        return builders.add_user(session)


@pytest.fixture
def full(runtime: Runtime, petra: User, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Full:
    """A vendor with something in every table."""
    return erasing.full_vendor(runtime, petra, monkeypatch, now=now)
