"""Asks ClamAV about a file over clamd's own socket, where the setting names one. Called before evidence is stored.

`open_scanner(settings.clamav)` gives a Scanner or None. What it cannot be asked about is not known to be clean:
`Unavailable` then means that the file is not taken.
"""

from __future__ import annotations

import socket
import struct
import time
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SECONDS = 60.0
"""For one file, all in all."""
_CHUNK = 256 * 1024
_LONGEST_REPLY = 4096


class Unavailable(Exception):
    """ClamAV did not answer, or would not look at the file. The text is for the operator and names no file."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """A clamd at a Unix socket (`path`) or on a port of this machine."""

    path: str = ""
    host: str = ""
    port: int = 0
    seconds: float = SECONDS

    def scan(self, content: bytes) -> str:
        """The name of what was found in it; empty where that is nothing. Raises Unavailable."""
        reply = self._ask(b"zINSTREAM\0", content)
        if reply == "stream: OK":
            return ""
        if reply.startswith("stream: ") and reply.endswith(" FOUND"):
            return reply.removeprefix("stream: ").removesuffix(" FOUND")
        raise Unavailable(f"clamd said {reply[:200]!r}")

    def ping(self) -> None:
        """Whether it is there: returns, or raises Unavailable."""
        reply = self._ask(b"zPING\0")
        if reply != "PONG":
            raise Unavailable(f"clamd answered a PING with {reply[:200]!r}")

    def _ask(self, command: bytes, content: bytes | None = None) -> str:
        until = time.monotonic() + self.seconds
        try:
            with closing(self._connect()) as connection:
                _send(connection, command, until)
                if content is not None:
                    _send_stream(connection, content, until)
                return _reply(connection, until)
        except OSError as error:
            raise Unavailable(f"clamd at {self.path or f'{self.host}:{self.port}'}: {error}") from error

    def _connect(self) -> socket.socket:
        if not self.path:
            return socket.create_connection((self.host, self.port), timeout=self.seconds)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self.seconds)
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection


def _send(connection: socket.socket, part: bytes | memoryview, until: float) -> None:
    connection.settimeout(max(0.001, until - time.monotonic()))
    connection.sendall(part)


def _send_stream(connection: socket.socket, content: bytes, until: float) -> None:
    """Length and bytes, part by part; a part of length 0 ends it."""
    view = memoryview(content)
    try:
        for at in range(0, len(content), _CHUNK):
            part = view[at : at + _CHUNK]
            _send(connection, struct.pack("!I", len(part)), until)
            _send(connection, part, until)
        _send(connection, struct.pack("!I", 0), until)
    except (BrokenPipeError, ConnectionResetError):
        # It stops listening where its own limit is reached, and says so: the reply is still to be read.
        return


def _reply(connection: socket.socket, until: float) -> str:
    said = b""
    while not said.endswith(b"\0") and len(said) < _LONGEST_REPLY:
        connection.settimeout(max(0.001, until - time.monotonic()))
        part = connection.recv(_LONGEST_REPLY)
        if not part:
            break
        said += part
    return said.rstrip(b"\0").decode("utf-8", "replace").strip()


def open_scanner(url: str) -> Scanner | None:
    """The scanner that the setting names (checked there): `unix:/path`, `tcp:127.0.0.1:3310`, or nothing."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return Scanner(path=unquote(parts.path))
    host, _, port = parts.path.rpartition(":")
    return Scanner(host=host.strip("[]"), port=int(port))
