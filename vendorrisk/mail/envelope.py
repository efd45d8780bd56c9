"""Turns a letter into the message that goes over the wire; called by the job that sends.

Everything in it is the same at each try, to the byte but for the boundary between its parts: identity, date and thread.
"""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from vendorrisk.mail.messages import Message, one_line

_LONGEST_NAME = 100


def build(
    message: Message, *, organisation: str, mail_from: str, message_id: str, thread: str, written_at: datetime
) -> EmailMessage:
    """The message from the organisation, with a text part and an HTML part.

    `thread` ties the letters of one request together in mail programs. Raises ValueError for an impossible address.
    """
    domain = mail_from.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(organisation, mail_from)
    mail["To"] = _address(message.to_name, message.to)
    if message.reply_to:
        mail["Reply-To"] = _address("", message.reply_to)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(written_at)
    mail["Message-ID"] = f"<{message_id}@{domain}>"
    mail["In-Reply-To"] = mail["References"] = f"<{thread}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail


def _address(name: str, address: str) -> Address:
    local, at, domain = address.rpartition("@")
    if not (local and at and domain):
        raise ValueError(f"{address!r} is not an e-mail address")
    # Mail servers know domains by their ASCII form.
    ascii_domain = domain.encode("idna").decode("ascii")
    return Address(display_name=one_line(name)[:_LONGEST_NAME], username=local, domain=ascii_domain)
