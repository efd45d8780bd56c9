"""`python -m vendorrisk user …`: the accounts of staff and auditors, and the way back in for who is locked out.

Whatever changes an account here ends its sessions at once, on all processes: they live in the database.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from vendorrisk.cli import user_scope
from vendorrisk.cli.output import OK, USAGE, give, say
from vendorrisk.domain.audit import Actor, ActorKind
from vendorrisk.domain.roles import DESCRIPTIONS, Role
from vendorrisk.services.operating import opening
from vendorrisk.services.people import accounts, scopes
from vendorrisk.services.people.accounts import Account
from vendorrisk.services.people.scopes import Scope
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
    _verb(verbs, "disable", disable, "close an account and end its sessions at once")
    _verb(verbs, "enable", enable, "open a closed account again")
    _verb(verbs, "sign-out", sign_out, "end all sessions of an account at once")
    role = _verb(verbs, "role", change_roles, "give or take roles; ends the account's sessions")
    names = [role.value for role in Role]
    role.add_argument("--add", action="append", default=[], choices=names, help="a role to give")
    role.add_argument("--remove", action="append", default=[], choices=names, help="a role to take")
    user_scope.register(verbs, OPERATOR)
    reset = _verb(
        verbs, "reset-factors", reset_factors, "lost phone: take app, passkeys and recovery codes off an account"
    )
    reset.add_argument("--new-password", action="store_true", help="set a new password too; it is printed once")
    unlock_ = _verb(verbs, "unlock", unlock, "forget failed tries to sign in")
    unlock_.add_argument("--address", default="", metavar="IP", help="forget those from this address too")


def _verb(verbs: Any, name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
    """A command about one account."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text)
    parser.add_argument("email", metavar="EMAIL")
    parser.set_defaults(run=run)
    return parser


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
        found, limited = accounts.listed(session), scopes.everybodys(session)
    if options.json:
        give(*(json.dumps(_plain(account, limited.get(account.id)), ensure_ascii=False) for account in found))
        return OK
    width = max((len(account.email) for account in found), default=0)
    for account in found:
        state = "" if account.active else "  disabled"
        sees = f"  sees {scopes.words(limited[account.id])}" if account.id in limited else ""
        give(f"{account.email:<{width}}  {', '.join(account.roles):<14}  {account.name}{state}{sees}")
    if not found:
        say("There are no accounts yet.", "Next: python -m vendorrisk user add EMAIL --name NAME --role admin")
    return OK


def disable(options: argparse.Namespace) -> int:
    """Close an account."""
    with _changing(options) as session:
        user = accounts.disable(session, options.email, by=OPERATOR, now=datetime.now(UTC))
    say(f"{user.email} can no longer sign in, and is signed out everywhere.")
    return OK


def enable(options: argparse.Namespace) -> int:
    """Open a closed account."""
    with _changing(options) as session:
        user = accounts.enable(session, options.email, by=OPERATOR, now=datetime.now(UTC))
    say(f"{user.email} can sign in again, with the same password and second factors as before.")
    return OK


def sign_out(options: argparse.Namespace) -> int:
    """End all sessions of an account."""
    with _changing(options) as session:
        user = accounts.sign_out_everywhere(session, options.email, by=OPERATOR, now=datetime.now(UTC))
    say(f"{user.email} is signed out everywhere.")
    return OK


def change_roles(options: argparse.Namespace) -> int:
    """Give and take roles."""
    if not options.add and not options.remove:
        say("Say which role: --add ROLE or --remove ROLE.")
        return USAGE
    add, remove = ([Role(name) for name in names] for names in (options.add, options.remove))
    with _changing(options) as session:
        user = accounts.change_roles(session, options.email, add=add, remove=remove, by=OPERATOR, now=datetime.now(UTC))
        names = sorted(row.name for row in user.roles)
    say(f"{user.email} now is: {', '.join(names) or 'nothing'}. Their sessions have ended.")
    return OK


def reset_factors(options: argparse.Namespace) -> int:
    """Take all second factors off an account."""
    password = accounts.random_password() if options.new_password else None
    settings = Settings.from_env(options.environ)
    with opening.database(settings).writing() as session:
        user = accounts.reset_factors(session, options.email, password=password, by=OPERATOR, now=datetime.now(UTC))
        accounts.unlock(session, options.email, by=OPERATOR, now=datetime.now(UTC))
    say(f"{user.email} has no second factor any more, and is signed out everywhere.")
    if password is not None:
        say("The new password, shown this once:")
        give(password)
    say(f"Next: sign in at {settings.base_url}/sign-in, at once: it leads to setting up a new second factor.")
    return OK


def unlock(options: argparse.Namespace) -> int:
    """Forget failed tries."""
    with _changing(options) as session:
        user = accounts.unlock(session, options.email, address=options.address, by=OPERATOR, now=datetime.now(UTC))
    say(f"{user.email} can try again to sign in.")
    return OK


def _changing(options: argparse.Namespace) -> AbstractContextManager[Session]:
    return opening.database(Settings.from_env(options.environ)).writing()


def _plain(account: Account, scope: Scope | None) -> dict[str, Any]:
    last = account.last_seen.isoformat() if account.last_seen else None
    return {
        "email": account.email,
        "name": account.name,
        "roles": [role.value for role in account.roles],
        "active": account.active,
        "last_sign_in": last,
        "scope": scopes.plain(scope) if scope else None,
    }
