"""What the tests of backups back up, and where they put it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vendorrisk.storage import Storage, open_storage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Storage:
    """An empty storage to restore into."""
    return open_storage(str(tmp_path / "elsewhere"))
