"""A real mail server on 127.0.0.1 that behaves as badly as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message as AnyMail
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Office:
    """What the server does with a letter. Replies are whole SMTP lines; None means "fine"."""

    def __init__(self) -> None:
        self.greeting: str | None = None
        self.drip = 0.0
        self.talking: set[SMTP] = set()
        self.mail_reply: str | None = None
        self.rcpt_reply: str | None = None
        self.data_reply: str | None = None
        self.drop_after_data = False
        self.drop_after_reply = False
        self.pause = 0.0
        self.taken: list[AnyMail] = []
        self.envelopes: list[tuple[str | None, list[str]]] = []

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(self.pause)
        if self.mail_reply:
            return self.mail_reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt_reply:
            return self.rcpt_reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.data_reply:
            return self.data_reply
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(message_from_bytes(content, policy=policy.default))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        if self.drop_after_data:
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]
        if self.drop_after_reply:
            assert server.transport is not None
            asyncio.get_running_loop().call_later(0.01, server.transport.abort)  # type: ignore[attr-defined]
        return "250 taken"


class Moody(SMTP):
    """The conversation: `greeting` stands instead of the usual one; with `drip`, each byte comes after a pause."""

    def connection_made(self, transport: Any) -> None:
        self.event_handler.talking.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.event_handler.talking.discard(self)

    def eof_received(self) -> bool:
        # False: the connection is closed now, also in the middle of a command.
        super().eof_received()
        return False

    async def push(self, status: Any) -> None:
        office = self.event_handler
        if office.greeting and str(status).startswith("220 "):
            status = office.greeting
        if not office.drip:
            await super().push(status)
            return
        for byte in f"{status}\r\n".encode():
            if not office.drip:
                break
            self._writer.write(bytes([byte]))
            await self._writer.drain()
            await asyncio.sleep(office.drip)


class MoodyController(Controller):
    """Makes conversations of that kind; with port 0 on any free port, which `port` says once it runs."""

    def factory(self) -> SMTP:
        return Moody(self.handler, **self.SMTP_kwargs)

    def _create_server(self) -> Any:
        listening = socket.create_server((self.hostname, self.port))
        self.port = listening.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listening)


@contextlib.contextmanager
def running(office: Office, **options: Any) -> Iterator[int]:
    """The server for a while; gives its port."""
    controller = MoodyController(office, hostname="127.0.0.1", port=0, ready_timeout=60, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        office.drip, until = 0.0, time.monotonic() + 3
        while office.talking and time.monotonic() < until:
            time.sleep(0.005)
        controller.stop()


@contextlib.contextmanager
def nobody() -> Iterator[int]:
    """A port on which nobody listens, and that no other program is given meanwhile."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield int(kept.getsockname()[1])


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A server that takes connections and then says nothing at all; gives its port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield int(listening.getsockname()[1])


def seconds(begun: float) -> float:
    """The time since `begun`."""
    return time.monotonic() - begun
