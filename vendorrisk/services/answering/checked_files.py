"""Files of evidence before they are stored: name, size and structure checked, and the virus scanner asked.

Called by the vendor's pages outside any transaction, for a scan may take a while.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from vendorrisk.antivirus import Scanner, Unavailable
from vendorrisk.domain import filetypes
from vendorrisk.domain.errors import InvalidFile

_log = logging.getLogger(__name__)


class Infected(InvalidFile):
    """A virus scanner has found something in the file; `found` is its name for it."""

    def __init__(self, name: str, sha256: str, found: str) -> None:
        super().__init__("The virus scanner found something in it, and it was not taken. Tell whoever made the file.")
        self.name, self.sha256, self.found = name, sha256, found


class NotScanned(InvalidFile):
    """The virus scanner that every file has to pass did not answer."""

    def __init__(self) -> None:
        super().__init__(
            "The virus scanner does not answer just now, so the file was not taken. Attach it again in a few minutes."
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was found to be what it says, still in memory."""

    id: UUID
    name: str
    kind: str
    sha256: str
    content: bytes = field(repr=False)
    scanned_at: datetime | None

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)

    @property
    def storage_name(self) -> str:
        """Where its sealed bytes go."""
        return f"evidence-{self.id.hex}"


def check(name: str, content: bytes, *, scanner: Scanner | None, now: datetime) -> Checked:
    """Check a file's name, size and structure, and ask the virus scanner where there is one.

    Raises InvalidFile; Infected and NotScanned are kinds of it.
    """
    name = filetypes.clean_name(name)
    kind = filetypes.check(name, content)
    sha256 = hashlib.sha256(content).hexdigest()
    if scanner is not None:
        _scan(scanner, name, content, sha256)
    return Checked(uuid4(), name, kind, sha256, content, now if scanner is not None else None)


def _scan(scanner: Scanner, name: str, content: bytes, sha256: str) -> None:
    try:
        found = scanner.scan(content)
    except Unavailable as error:
        _log.error("a file of evidence was refused, for it could not be scanned: %s", error)
        raise NotScanned from error
    if found:
        raise Infected(name, sha256, found)
