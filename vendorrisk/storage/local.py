"""A folder of sealed files that only the service's own user can read; the storage of a single machine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vendorrisk.storage.base import AlreadyThere, BadStorage, Missing, checked

_CHUNK = 64 * 1024


class LocalStorage:
    """Files under one folder, spread over 256 folders by the end of their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write beside, then link into place: no half file ever has the name, and an existing one is never replaced."""
        path = self._path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            _write(draft, chunks)
            try:
                os.link(draft, path)
            except FileExistsError:
                raise AlreadyThere(name) from None
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)

    def get(self, name: str) -> Iterator[bytes]:
        """Open the file at once, read it as asked for."""
        path = self._path(name)
        if not path.is_file():
            raise Missing(name)
        return _read(path)

    def delete(self, name: str) -> None:
        """Remove the file, if there is one."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        name = checked(name)
        return self._folder / name[-2:] / name


def from_url(url: str) -> LocalStorage:
    """The storage in a folder: `var/files` or `file:/srv/files`. Raises BadStorage where it cannot be written."""
    parts = urlsplit(url)
    folder = Path(unquote(parts.path) if parts.scheme else url)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(8)}.part"
        _write(probe, ())
        probe.unlink()
    except OSError as error:
        raise BadStorage(f"The folder {folder} for stored files cannot be written: {error.strerror}.") from None
    return LocalStorage(folder)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    # Without this the name itself could be lost with the power.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> Iterator[bytes]:
    # Opened with the first chunk: who asks for the head only, or goes away, leaves nothing open behind.
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
