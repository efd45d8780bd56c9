"""A folder of sealed files that only the service's own user can read; the storage of a single machine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from vendorrisk import private_files
from vendorrisk.storage.base import AlreadyThere, BadStorage, Missing, checked

_CHUNK = 64 * 1024


class LocalStorage:
    """Files under one folder, spread over 256 folders by the end of their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write beside, then link into place: no half file ever has the name, and an existing one is never replaced."""
        path = self._path(name)
        self._make_folder(path.parent)
        draft = _draft(path)
        try:
            file = private_files.create(draft)
        except FileExistsError:
            raise AlreadyThere(name) from None
        try:
            _write(file, chunks)
            os.link(draft, path)
        except FileExistsError:
            raise AlreadyThere(name) from None
        finally:
            draft.unlink(missing_ok=True)
        private_files.sync_folder(path.parent)

    def get(self, name: str) -> Iterator[bytes]:
        """Open the file at once, read it as asked for."""
        path = self._path(name)
        if not path.is_file():
            raise Missing(name)
        return _read(path)

    def delete(self, name: str) -> None:
        """Remove the file, if there is one, and what a killed process has left of writing it."""
        path = self._path(name)
        if not path.parent.exists():
            return
        # The draft first: who is still writing it cannot link it into place any more.
        _draft(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        private_files.sync_folder(path.parent)

    def _make_folder(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            private_files.sync_folder(self._folder)

    def probe(self) -> None:
        """Write a file, and remove it again. Raises BadStorage."""
        draft = self._folder / f".{secrets.token_hex(8)}.part"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _write(private_files.create(draft), [bytes(_CHUNK)])
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            words = f"The folder {self._folder} for stored files cannot be written: {error.strerror}."
            raise BadStorage(words) from None

    def _path(self, name: str) -> Path:
        name = checked(name)
        return self._folder / name[-2:] / name


def from_url(url: str) -> LocalStorage:
    """The storage in a folder: `var/files` or `file:/srv/files`. Raises BadStorage where it cannot be written."""
    parts = urlsplit(url)
    storage = LocalStorage(Path(unquote(parts.path) if parts.scheme else url))
    storage.probe()
    return storage


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _write(file: BinaryIO, chunks: Iterable[bytes]) -> None:
    with file:
        for chunk in chunks:
            file.write(chunk)
        private_files.sync(file)


def _read(path: Path) -> Iterator[bytes]:
    # Opened with the first chunk: who asks for the head only, or goes away, leaves nothing open behind.
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
