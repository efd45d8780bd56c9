"""The anchor: the chain's head in a small file beside the master key, outside the database.

Who can write the database can cut off the end of the trail, or put an older copy in its place, and what is left still
fits together. The anchor remembers how far the chain had come. The sealer moves it on; a check compares. Each machine
has its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from vendorrisk import private_files
from vendorrisk.domain.chain import Head, Keyed
from vendorrisk.settings import Settings

WORDS = "the anchor beside the key"
_PURPOSE = b"vendorrisk trail anchor 1\0"


class BadAnchor(Exception):
    """The file is no anchor, or was not written by this service. The text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the chain had come, and when."""

    position: int
    chain: bytes
    at: datetime

    @property
    def head(self) -> Head:
        """The same, for a check."""
        return Head(self.position, self.chain.hex(), WORDS)


def path_of(settings: Settings) -> Path:
    """Where this machine's anchor lies: beside the master key, with its name."""
    return settings.key_file.with_name(f"{settings.key_file.stem}.trail-head")


def read(path: Path, keyed: Keyed) -> Anchor | None:
    """The anchor; None where there is none. Raises BadAnchor."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BadAnchor(f"The anchor {path} cannot be read: {error}") from None
    try:
        plain = json.loads(text)
        anchor = Anchor(plain["position"], bytes.fromhex(plain["chain"]), datetime.fromisoformat(plain["at"]))
        genuine = _text(anchor, keyed) == text
    except (ValueError, KeyError, TypeError, AttributeError):
        genuine = False
    if not genuine:
        raise BadAnchor(f"The anchor {path} was not written with this key, or was changed.")
    return anchor


def write(path: Path, anchor: Anchor, keyed: Keyed) -> None:
    """Put the anchor in place of the one before, in one step, readable by its owner only."""
    private_files.replace(path, _text(anchor, keyed).encode("ascii"))


def _text(anchor: Anchor, keyed: Keyed) -> str:
    plain: dict[str, Any] = {
        "position": anchor.position, "chain": anchor.chain.hex(), "at": anchor.at.isoformat(),
    }  # fmt: skip
    mac = keyed(_PURPOSE + json.dumps(plain).encode("ascii")).hex()
    return json.dumps({**plain, "mac": mac}) + "\n"
