"""A real mail server in a process of its own: `python -m bench.faults.mail_server PORT FILE`.

It takes a mood from each line of stdin, and writes each letter that it has taken as a line of JSON to FILE.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message as AnyMail
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from bench.faults.service import ROOT
from tests.mail.server import MoodyController, Office

GONE = "gone"
"""Mailboxes whose name begins so do not exist."""
_MOODS: dict[str, dict[str, Any]] = {
    "well": {},
    "greets with 421": {"greeting": "421 4.3.2 Too busy"},
    "greets with 554": {"greeting": "554 5.7.1 Not you"},
    "451 to MAIL": {"mail_reply": "451 4.3.0 Try again"},
    "451 to RCPT": {"rcpt_reply": "451 4.7.1 Try again"},
    "452 to DATA": {"data_reply": "452 4.3.1 Full"},
    "550 to MAIL": {"mail_reply": "550 5.7.1 Not from you"},
    "550 to RCPT": {"rcpt_reply": "550 5.1.1 Unknown"},
    "554 to DATA": {"data_reply": "554 5.7.1 Looks odd"},
    "slow": {"drip": 0.002},
    "hangs up before its 250": {"drop_after_data": True},
    "hangs up after its 250": {"drop_after_reply": True},
    "greylists": {"greylists": True},
}
MOODS = (*_MOODS, "down")


class Clerk(Office):
    """Writes down what it takes; `greylists` sends each recipient away the first time."""

    def __init__(self, book: Path) -> None:
        super().__init__()
        self.greylists = False
        self._known: set[str] = set()
        self._book = book.open("a", encoding="utf-8")

    def become(self, mood: str) -> None:
        """Behave so from now on."""
        calm = {"greeting": None, "mail_reply": None, "rcpt_reply": None, "data_reply": None, "drip": 0.0,
                "drop_after_data": False, "drop_after_reply": False, "greylists": False}  # fmt: skip
        for name, value in (calm | _MOODS[mood]).items():
            setattr(self, name, value)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """As the office, with unknown mailboxes and greylisting."""
        if address.startswith(GONE):
            return "550 5.1.1 No such mailbox"
        if self.greylists and address not in self._known:
            self._known.add(address)
            return "451 4.7.1 Greylisted"
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """As the office, and in the book before the answer."""
        before = len(self.taken)
        drops = self.drop_after_data
        reply = await super().handle_DATA(server, session, envelope)
        for mail in self.taken[before:]:
            self._write(mail, dropped=drops)
        self.taken.clear()
        return reply

    def _write(self, mail: AnyMail, *, dropped: bool) -> None:
        links = re.findall(r"https?://[^\s\"<>]+/q/[A-Za-z0-9_-]+", str(mail).replace("=\n", ""))
        line = {"to": str(mail["To"]), "id": str(mail["Message-ID"]), "date": str(mail["Date"]),
                "links": sorted(set(links)), "dropped": dropped}  # fmt: skip
        self._book.write(json.dumps(line) + "\n")
        self._book.flush()


def main(port: int, book: Path) -> None:
    """Serve until stdin ends."""
    clerk = Clerk(book)
    controller: MoodyController | None = None
    for line in sys.stdin:
        mood = line.strip()
        if mood != "down":
            clerk.become(mood)
        if (mood == "down") == (controller is not None):
            controller = _toggle(controller, clerk, port)
        print("is", mood, flush=True)
    if controller is not None:
        controller.stop()


def _toggle(controller: MoodyController | None, clerk: Clerk, port: int) -> MoodyController | None:
    if controller is not None:
        controller.stop()
        return None
    controller = MoodyController(clerk, hostname="127.0.0.1", port=port)
    controller.start()
    return controller


class MailServer:
    """The process as the fault test sees it."""

    def __init__(self, port: int, book: Path) -> None:
        self.port, self.book = port, book
        command = [sys.executable, "-m", "bench.faults.mail_server", str(port), str(book)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.DEVNULL, **pipes)

    def become(self, mood: str) -> None:
        """Change its mood; returns once it has."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{mood}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().strip()
        assert said == f"is {mood}", said

    def taken(self) -> list[dict[str, Any]]:
        """Every letter that it has taken so far."""
        return [json.loads(line) for line in self.book.read_text(encoding="utf-8").splitlines()]

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@contextmanager
def serving(port: int, book: Path) -> Iterator[MailServer]:
    """The mail server for a while, well at first."""
    book.touch()
    server = MailServer(port, book)
    try:
        server.become("well")
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
