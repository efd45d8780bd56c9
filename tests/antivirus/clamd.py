"""A small clamd on a real socket: it speaks ClamAV's protocol and knows one virus, the harmless EICAR test file."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
FOUND = "Win.Test.EICAR_HDB-1"


@dataclass
class Clamd:
    """What it saw, and how it behaves: `mood` is "well", "silent", "hangs up", "odd" or "small"."""

    mood: str = "well"
    seen: list[bytes] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        """Take one connection after the other until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection, contextlib.suppress(OSError, EOFError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        if self.mood == "hangs up":
            return
        command = _until_nul(connection)
        if self.mood == "silent":
            connection.settimeout(5)
            while connection.recv(65536):
                continue
        elif self.mood == "odd":
            connection.sendall(b"UNKNOWN COMMAND\0")
        elif command == b"zPING":
            connection.sendall(b"PONG\0")
        elif command == b"zINSTREAM":
            connection.sendall(self._judged(connection) + b"\0")

    def _judged(self, connection: socket.socket) -> bytes:
        content = b""
        while length := struct.unpack("!I", _exactly(connection, 4))[0]:
            content += _exactly(connection, length)
            if self.mood == "small" and len(content) > 1000:
                return b"INSTREAM size limit exceeded. ERROR"
        self.seen.append(content)
        return f"stream: {FOUND} FOUND".encode() if EICAR in content else b"stream: OK"


def _exactly(connection: socket.socket, length: int) -> bytes:
    said = b""
    while len(said) < length:
        part = connection.recv(length - len(said))
        if not part:
            raise EOFError
        said += part
    return said


def _until_nul(connection: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\0"):
        said += _exactly(connection, 1)
    return said[:-1]


@contextlib.contextmanager
def running(clamd: Clamd, path: Path | None = None) -> Iterator[str]:
    """The server for a while, at a Unix socket or on a port; gives the setting that names it."""
    if path is not None:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        listening.listen()
        url = f"unix:{path}"
    else:
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"tcp:127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=clamd.serve, args=(listening,), daemon=True)
    thread.start()
    try:
        yield url
    finally:
        # shutdown wakes accept; close alone would leave the thread in it.
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
