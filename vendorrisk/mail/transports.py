"""Who carries a letter: a mail server, a folder, or a list in memory; the job asks for one by the setting's URL.

A transport either takes a letter, or says why not: `NotNow` (try again) or `Refused` (never will).
"""

from __future__ import annotations

import re
import secrets
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from vendorrisk import private_files
from vendorrisk.settings import BadSettings

TIMEOUT = 20.0
"""Seconds to wait for a mail server to say anything."""
LONGEST = 120.0
"""Seconds for one letter, all in all; its lease (services/letters/outbox.py) outlasts them."""

_GOODBYE = 2.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9.-]+")


class NotNow(Exception):
    """It could not be sent at the moment: the server is away, slow, or asks to come back later."""


class Refused(Exception):
    """The server will not have this letter, now or later."""


class Transport(Protocol):
    """Takes one letter to one person."""

    def send(self, mail: EmailMessage) -> None:
        """Send it from its From to its To. Raises NotNow or Refused; otherwise it is the next one's charge."""

    def probe(self) -> None:
        """Try whether it could take a letter, without one. Raises NotNow or Refused."""


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """A mail server: TLS from the start (smtps), after STARTTLS, or, on this machine only, none."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    starttls: bool = True
    timeout: float = TIMEOUT
    longest: float = LONGEST

    def send(self, mail: EmailMessage) -> None:
        """One connection for each letter: there are few, and none waits for another."""
        sender, to = mail["From"].addresses[0].addr_spec, mail["To"].addresses[0].addr_spec
        with self._let_in() as server:
            server.send_message(mail, sender, [to])

    def probe(self) -> None:
        """Connect, sign in, and hang up."""
        with self._let_in() as server:
            server.noop()

    @contextmanager
    def _let_in(self) -> Iterator[smtplib.SMTP]:
        """A conversation with the server, behind its door; never longer than `longest`."""
        server = self._server()
        with _said_in_our_words(), _cut_off_after(self.longest, server):
            try:
                self._connect(server)
                self._introduce(server)
                yield server
            finally:
                _say_goodbye(server)

    def _server(self) -> smtplib.SMTP:
        if self.tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(timeout=self.timeout, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(timeout=self.timeout)
        # The name that a certificate must show. smtplib takes it in its constructor, which connects at once, and then
        # nobody could cut off a server whose greeting never ends.
        server._host = self.host  # type: ignore[attr-defined]  # not in its types
        return server

    def _connect(self, server: smtplib.SMTP) -> None:
        code, said = server.connect(self.host, self.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)

    def _introduce(self, server: smtplib.SMTP) -> None:
        try:
            if self.starttls and not self.tls:
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
        except smtplib.SMTPException as error:
            # Whatever the code: it is about us and the server, not about the letter, which may go once that is mended.
            raise NotNow(f"signing in at the mail server: {_words(error)}") from error


def _say_goodbye(server: smtplib.SMTP) -> None:
    # What was taken is taken, whatever the server says now; and the sooner that is noted, the better.
    with suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(_GOODBYE)
        server.quit()
    server.close()


@contextmanager
def _cut_off_after(seconds: float, server: smtplib.SMTP) -> Iterator[None]:
    """Hang up when the time is over, whatever is being said: one that drips its answers outlasts every other limit."""
    over = threading.Event()
    watch = threading.Thread(target=_cut_off, args=(over, seconds, server), name="mail-watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _cut_off(over: threading.Event, seconds: float, server: smtplib.SMTP) -> None:
    while not over.wait(seconds):
        connection = server.sock
        with suppress(OSError):
            if connection is not None:
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not SSLSocket's own, which also forgets the TLS
        seconds = 0.2


@contextmanager
def _said_in_our_words() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        # 451 (greylisting) and 550 (no such mailbox) arrive alike.
        code, said = next(iter(error.recipients.values()))
        raise _judged(code, said) from error
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
        raise NotNow(_words(error)) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Refused(str(error)) from error
    except smtplib.SMTPResponseException as error:
        raise _judged(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotNow(str(error) or type(error).__name__) from error


def _judged(code: int, said: bytes | str) -> NotNow | Refused:
    text = f"{code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return Refused(text) if 500 <= code < 600 else NotNow(text)


def _words(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__


@dataclass(frozen=True, slots=True)
class FileTransport:
    """A folder of .eml files instead of a mail server: for the demonstration and for trying things out."""

    folder: Path

    def send(self, mail: EmailMessage) -> None:
        """Write the letter under a name of its own; sent twice, it is still there once."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self.folder / f".{secrets.token_hex(8)}.part"
            with private_files.create(draft) as file:
                file.write(mail.as_bytes(policy=policy.SMTP))
            draft.replace(self.folder / _file_name(mail))
        except OSError as error:
            raise NotNow(f"the folder for letters cannot be written: {error.strerror}") from error

    def probe(self) -> None:
        """Have the folder."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NotNow(f"the folder for letters cannot be made: {error.strerror}") from error


def _file_name(mail: EmailMessage) -> str:
    written = parsedate_to_datetime(mail["Date"])
    identity = _NOT_IN_NAMES.sub("-", mail["Message-ID"].strip("<>").rpartition("@")[0])
    return f"{written:%Y%m%dT%H%M%S}-{identity}.eml"


@dataclass(frozen=True, slots=True)
class MemoryTransport:
    """A list of what was sent, for tests."""

    sent: list[EmailMessage] = field(default_factory=list)

    def send(self, mail: EmailMessage) -> None:
        """Keep the letter."""
        self.sent.append(mail)

    def probe(self) -> None:
        """There is always room in a list."""


def _smtp(parts: SplitResult) -> SmtpTransport:
    tls, host = parts.scheme == "smtps", parts.hostname or ""
    wanted = parse_qs(parts.query).get("starttls", ["0" if host in _LOOPBACK else "1"])[-1]
    if not host or wanted not in ("0", "1") or parse_qs(parts.query).keys() - {"starttls"}:
        raise BadSettings(
            ["VENDORRISK_MAIL must look like smtp://user:password@host:587 or smtps://user:password@host:465."]
        )
    if wanted == "0" and not tls and host not in _LOOPBACK:
        raise BadSettings(
            ["VENDORRISK_MAIL says starttls=0: letters hold links, and would travel unencrypted to another machine."]
        )
    return SmtpTransport(
        host, parts.port or (465 if tls else 587 if wanted == "1" else 25), unquote(parts.username or ""),
        unquote(parts.password or ""), tls=tls, starttls=wanted == "1",
    )  # fmt: skip


def _file(parts: SplitResult) -> FileTransport:
    return FileTransport(Path(unquote(parts.path)))


TRANSPORTS: dict[str, Callable[[SplitResult], Transport]] = {
    "smtp": _smtp,
    "smtps": _smtp,
    "file": _file,
    "memory": lambda _parts: MemoryTransport(),
}
"""By the scheme of the setting's URL."""


def open_transport(url: str) -> Transport:
    """The transport that `url` names. Raises BadSettings, without the URL: it may hold a password."""
    parts = urlsplit(url)
    try:
        make = TRANSPORTS[parts.scheme]
    except KeyError:
        wrong = f"VENDORRISK_MAIL: there is no mail by {parts.scheme!r}; use smtp, smtps or file."
        raise BadSettings([wrong]) from None
    return make(parts)
