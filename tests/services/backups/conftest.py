"""What the tests of backups back up, and where they put it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests import builders, erasing
from tests.erasing import Full
from vendorrisk.db.models import User
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import Storage, open_storage


@pytest.fixture
def petra(runtime: Runtime) -> User:
    """Who owns the cases."""
    with runtime.database.writing() as session:
        return builders.add_user(session)


@pytest.fixture
def full(runtime: Runtime, petra: User, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Full:
    """A vendor with something in every table."""
    return erasing.full_vendor(runtime, petra, monkeypatch, now=now)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Storage:
    """An empty storage to restore into."""
    return open_storage(str(tmp_path / "elsewhere"))
