"""What every storage can do, and what can go wrong; services know no more of it than this."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


class Missing(Exception):
    """There is nothing under this name."""


class AlreadyThere(Exception):
    """A name is written once; this one is taken."""


class BadName(ValueError):
    """Names are ours alone (small letters, digits, hyphens): nothing that a person typed ever becomes a path."""


class BadStorage(Exception):
    """The setting names a storage that cannot be used. The text is for the operator."""


class Away(Exception):
    """The storage does not answer just now, or has no room: nothing was stored, and the same may work later."""

    def __init__(self, words: str, *, is_full: bool = False) -> None:
        super().__init__(words)
        self.is_full = is_full


class Storage(Protocol):
    """Sealed files by name. A file is there as a whole or not at all, and is never changed."""

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        """Keep the chunks as one file; on disk when this returns. Raises AlreadyThere, and Away or OSError."""

    def get(self, name: str) -> Iterator[bytes]:
        """The file's bytes, in chunks. Raises Missing, before the first chunk is asked for, and Away or OSError."""

    def delete(self, name: str) -> None:
        """Make sure that there is nothing under this name."""

    def probe(self) -> None:
        """Try whether anything can be stored, and leave nothing behind. Raises BadStorage."""


def checked(name: str) -> str:
    """The name, if it is one of ours. Raises BadName."""
    if not _NAME.fullmatch(name):
        raise BadName(f"{name!r} is not a name for a stored file")
    return name
