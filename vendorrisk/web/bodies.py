"""How much of what is sent the web server holds in memory, before anybody looks at who sends it: bounded here.

Waitress takes in a whole body before the application hears of the request, and 1,000 connections may send at once.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import Error, RequestEntityTooLarge

from vendorrisk.web import incoming

SLACK = 1024 * 1024
"""So much above the application's own limit is let through, so that its page can say what is too large."""
ALWAYS = 64 * 1024
"""Bodies up to this size are never sent away: saves and sign-ins go on while others fill the room with files."""
ROOM = 300 * 1024 * 1024
"""What all bodies above that may hold together."""

_log = logging.getLogger(__name__)


class NoRoom(Error):
    """Too much is held already."""

    code = 503
    reason = "Service Unavailable"

    def to_response(self, ident: str | None = None) -> Any:
        """The answer, with when to come back."""
        status, headers, body = super().to_response(ident)
        return status, [*headers, ("Retry-After", "5")], body


class _Held:
    """The bytes that all large bodies of this process hold."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.bytes = 0

    def change(self, by: int) -> None:
        """The server's loop takes bodies in, its threads let go of them."""
        with self._lock:
            self.bytes += by


held = _Held()


class Parser(HTTPRequestParser):
    """Refuses a body as soon as it is known to be too large, by its announced length or by what has come of it."""

    path: str  # set with the headers

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self._counted = 0

    def received(self, data: bytes) -> int:
        """Take in more of the request; how many of the bytes were its own."""
        consumed = super().received(data)
        if self.error is None and self.body_rcv is not None:
            self.error = self._refusal()
        if self.error is not None:
            self.completed, self.expect_continue = True, False  # "100 Continue" would ask for the body nevertheless
            self.close()
        return consumed

    def _refusal(self) -> Error | None:
        come = self.body_bytes_received
        most = incoming.most(self.path) + SLACK
        if max(self.content_length, come) > most:
            return RequestEntityTooLarge(f"At most {most} bytes may be sent here.")
        if come > ALWAYS:
            self._count(come)
        if self._counted and held.bytes > ROOM:
            _log.warning("%d MB of bodies are held: one more is sent away", held.bytes // 1024 // 1024)
            return NoRoom("Too much is being sent just now. Please try again in a few seconds.")
        return None

    def _count(self, size: int) -> None:
        held.change(size - self._counted)
        self._counted = size

    def close(self) -> None:
        """Let go of the body."""
        super().close()
        self._count(0)


class Channel(HTTPChannel):
    """A connection that lets go of a body which breaks off."""

    parser_class = Parser

    def handle_close(self) -> None:
        """The connection is closed, by whichever side."""
        super().handle_close()
        if self.request is not None:
            self.request.close()
