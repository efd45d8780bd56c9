"""`python -m vendorrisk user add|list|disable`: the accounts of staff and auditors."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from vendorrisk.cli.output import OK, give, say
from vendorrisk.domain.audit import Actor, ActorKind
from vendorrisk.domain.roles import DESCRIPTIONS, Role
from vendorrisk.services import accounts, opening
from vendorrisk.services.accounts import Account
from vendorrisk.settings import Settings

OPERATOR = Actor(ActorKind.SYSTEM, "command", "command line")


def register(commands: Any) -> None:
    """Add the commands to the program's parser."""
    noun = commands.add_parser("user", help="accounts of staff and auditors")
    verbs = noun.add_subparsers(title="commands", metavar="COMMAND", required=True)
    adding = verbs.add_parser("add", help="make an account; its password is printed once")
    adding.add_argument("email", metavar="EMAIL")
    adding.add_argument("--name", required=True, help="as vendors see it in letters")
    adding.add_argument("--phone", default="", help="vendors see it, so that they can check who asks")
    adding.add_argument(
        "--role",
        action="append",
        required=True,
        choices=[role.value for role in Role],
        dest="roles",
        help="; ".join(f"{role.value}: {text}" for role, text in DESCRIPTIONS.items()),
    )
    adding.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    adding.set_defaults(run=add)
    listing = verbs.add_parser("list", help="all accounts")
    listing.add_argument("--json", action="store_true", help="one JSON object on each line")
    listing.set_defaults(run=show)
    disabling = verbs.add_parser("disable", help="close an account and end its sessions at once")
    disabling.add_argument("email", metavar="EMAIL")
    disabling.set_defaults(run=disable)


def add(options: argparse.Namespace) -> int:
    """Make an account."""
    settings = Settings.from_env(options.environ)
    given = sys.stdin.readline().rstrip("\r\n") if options.password_stdin else None
    password = accounts.random_password() if given is None else given
    roles = [Role(name) for name in dict.fromkeys(options.roles)]
    with opening.database(settings).writing() as session:
        user = accounts.add(
            session,
            options.email,
            name=options.name,
            roles=roles,
            password=password,
            phone=options.phone,
            by=OPERATOR,
            now=datetime.now(UTC),
        )
    say(f"Added {user.email} ({', '.join(roles)}).")
    if given is None:
        say("The password, shown this once:")
        give(password)
    say(f"Next: sign in at {settings.base_url}/sign-in")
    return OK


def show(options: argparse.Namespace) -> int:
    """List all accounts."""
    database = opening.database(Settings.from_env(options.environ))
    with database.reading() as session:
        found = accounts.listed(session)
    if options.json:
        give(*(json.dumps(_plain(account), ensure_ascii=False) for account in found))
        return OK
    width = max((len(account.email) for account in found), default=0)
    for account in found:
        state = "" if account.active else "  disabled"
        give(f"{account.email:<{width}}  {', '.join(account.roles):<14}  {account.name}{state}")
    if not found:
        say("There are no accounts yet.", "Next: python -m vendorrisk user add EMAIL --name NAME --role admin")
    return OK


def disable(options: argparse.Namespace) -> int:
    """Close an account."""
    with opening.database(Settings.from_env(options.environ)).writing() as session:
        user = accounts.disable(session, options.email, by=OPERATOR, now=datetime.now(UTC))
    say(f"{user.email} can no longer sign in, and is signed out everywhere.")
    return OK


def _plain(account: Account) -> dict[str, Any]:
    last = account.last_seen.isoformat() if account.last_seen else None
    return {
        "email": account.email,
        "name": account.name,
        "roles": [role.value for role in account.roles],
        "active": account.active,
        "last_sign_in": last,
    }
