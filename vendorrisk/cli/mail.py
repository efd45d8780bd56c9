"""`python -m vendorrisk mail test ADDRESS`: sends one letter now, past the outbox, and says what came of it."""

from __future__ import annotations

import argparse
import secrets
from datetime import UTC, datetime
from typing import Any

from vendorrisk.cli.output import FOUND_PROBLEMS, OK, say
from vendorrisk.mail import envelope
from vendorrisk.mail.messages import Message
from vendorrisk.mail.transports import NotNow, Refused, open_transport
from vendorrisk.settings import Settings


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    noun = commands.add_parser("mail", help="letters")
    verbs = noun.add_subparsers(title="commands", metavar="COMMAND", required=True)
    testing = verbs.add_parser("test", help="send one letter now and say what became of it")
    testing.add_argument("address", metavar="ADDRESS")
    testing.set_defaults(run=test)


def test(options: argparse.Namespace) -> int:
    """Send one letter; 1 if it was not taken."""
    settings = Settings.from_env(options.environ)
    transport = open_transport(settings.mail)
    text = f"This letter was sent by the command 'mail test' of {settings.base_url}. Nothing else depends on it."
    message = Message(options.address, "", "", "A test of the mail settings", text, f"<p>{text}</p>")
    try:
        letter = envelope.build(
            message,
            organisation=settings.organisation,
            mail_from=settings.mail_from,
            message_id=f"test-{secrets.token_hex(8)}",
            thread="test",
            written_at=datetime.now(UTC),
        )
        transport.send(letter)
    except (NotNow, Refused, ValueError) as error:
        say(f"Not sent: {error}")
        return FOUND_PROBLEMS
    say(f"Taken for {options.address}, from {settings.mail_from}. Look into the mailbox, and into its spam folder.")
    return OK
