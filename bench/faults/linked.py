"""A real service with requests that wait behind links, for the fault tests about links."""

from __future__ import annotations

import email
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.faults.service import Service, environment, free_port
from tests import builders
from vendorrisk.db.engine import Database
from vendorrisk.db.models import User
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.services.operating import opening
from vendorrisk.settings import Settings

ORGANISATION = "Canary Purchasing Ltd"
CANARIES = ("canary purchasing", "kanaria", "victoria", "mailcanary", "petra", "acme.example", "novak")
"""Words of the organisation, the vendor, the contact, the service and the sender, in small letters: none so short that
a random token might hold it.
"""
PATIENCE_SECONDS = 30


@dataclass
class Waiting:
    """One link: its token, its request's reference, and the mailbox that it was sent to."""

    token: str
    reference: str
    mailbox: str


@dataclass
class Scene:
    """The service, its database seen from outside, and the links."""

    folder: Path
    service: Service
    database: Database
    settings: Settings
    links: list[Waiting] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.service.port

    def letters(self, to: str) -> list[str]:
        """The plain texts of the letters to this mailbox, the oldest first."""
        found = []
        for file in sorted((self.folder / "mail").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns):
            letter = email.message_from_bytes(file.read_bytes(), policy=policy.default)
            if to in str(letter["To"]):
                body = letter.get_body(("plain",))
                found.append(f"{letter['Subject']}\n{body.get_content() if body else ''}")
        return found

    def codes(self, to: str, at_least: int = 1) -> list[str]:
        """The codes that were mailed here; waits until there are so many."""

        def read() -> list[str]:
            return [code for text in self.letters(to) for code in re.findall(r"code: (\d{6})", text)]

        wait_until(lambda: len(read()) >= at_least)
        return read()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait, but not for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


@contextmanager
def scene(count: int, *, log: str = "warning") -> Iterator[Scene]:
    """A started service with so many links, each of a vendor of its own."""
    with TemporaryDirectory() as there:
        folder = Path(there)
        environ = environment(folder, port=free_port())
        environ |= {"VENDORRISK_LOG": log, "VENDORRISK_ORGANISATION": ORGANISATION}
        settings = Settings.from_env(environ)
        database = opening.database(settings)
        service = Service(environ, log=folder / "service.log")
        made = Scene(folder, service, database, settings)
        made.links = _links(database, count)
        service.start()
        try:
            yield made
        finally:
            service.stop()
            database.close()


def _links(database: Database, count: int) -> list[Waiting]:
    now, made = datetime.now(UTC), []
    with database.writing() as session:
        sender: User = builders.add_user(session, now=now)
        for number in range(count):
            mailbox = f"victoria{number}@kanaria.example"
            vendor = builders.add_vendor(session, f"Kanaria {number} Ltd", now=now)
            contact = builders.add_contact(session, vendor, "Victoria Kanaria", mailbox, now=now)
            case = builders.add_assessment(
                session, vendor, status=AssessmentStatus.READY, service=f"Mailcanary {number}", owner=sender, now=now
            )
            request = builders.add_request(session, case, contact=contact, sender=sender, now=now)
            token = builders.add_link(session, request, "Victoria Kanaria", mailbox, now=now)
            made.append(Waiting(token, request.reference, mailbox))
    return made
