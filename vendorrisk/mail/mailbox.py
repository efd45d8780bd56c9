"""Reads the letters that the file transport has written: for the demonstration's mailbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*\.eml")
_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Captured:
    """One letter as it lies in the folder. `link` is the one that its button opens, or empty."""

    name: str
    sender: str
    to: str
    reply_to: str
    subject: str
    written_at: datetime
    text: str
    html: str

    @property
    def link(self) -> str:
        """The address that the letter asks to open, or nothing."""
        found = _LINK.search(self.text)
        return found[0] if found else ""


def newest(folder: Path, limit: int = 100) -> list[Captured]:
    """The letters, the newest first."""
    files = [path for path in folder.glob("*.eml") if _NAME.fullmatch(path.name)]
    files.sort(key=lambda path: (path.name[:15], path.stat().st_mtime_ns), reverse=True)
    return [_parsed(path) for path in files[:limit]]


def find(folder: Path, name: str) -> Captured | None:
    """The letter of this name, if there is one."""
    path = folder / name
    return _parsed(path) if _NAME.fullmatch(name) and path.is_file() else None


def _parsed(path: Path) -> Captured:
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return Captured(
        name=path.name, sender=str(mail["From"]), to=str(mail["To"]), reply_to=str(mail["Reply-To"] or ""),
        subject=str(mail["Subject"]), written_at=parsedate_to_datetime(mail["Date"]), text=_part(mail, "plain"),
        html=_part(mail, "html"),
    )  # fmt: skip


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
