"""The environment in which commands are tried."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a deployment of this test's own; nothing is set up."""
    return {
        "VENDORRISK_DATABASE": f"sqlite:///{tmp_path}/data/v.sqlite",
        "VENDORRISK_KEY_FILE": f"{tmp_path}/keys/master.key",
        "VENDORRISK_STORAGE": f"{tmp_path}/files",
        "VENDORRISK_MAIL": f"file:{tmp_path}/mail",
    }
