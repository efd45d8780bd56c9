"""`python -m vendorrisk user scope …`: which decided cases an auditor sees. Called by the command `user`.

A change holds at the auditor's next request, so nobody has to be signed out.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

from vendorrisk.cli.output import OK, USAGE, say
from vendorrisk.domain.audit import Actor
from vendorrisk.domain.roles import Role
from vendorrisk.services.operating import opening
from vendorrisk.services.people import scopes
from vendorrisk.settings import Settings

_WIDER = {
    Role.ADMIN: "As an admin they see everything on the pages of staff all the same.",
    Role.STAFF: "As staff they see every case on the pages of staff all the same.",
}


def register(verbs: Any, by: Actor) -> None:
    """Add the verb to the parser of `user`; `by` is who acts."""
    parser = verbs.add_parser("scope", help="limit an auditor to cases decided on some days, or of some vendors")
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument("--from", type=_day, metavar="DAY", dest="first", help="decided on this day (UTC) or later")
    parser.add_argument("--to", type=_day, metavar="DAY", dest="last", help="decided on this day (UTC) or earlier")
    parser.add_argument("--vendor", nargs="+", action="extend", metavar="REFERENCE", dest="vendors",
                        help="of these vendors only, such as V-7F3K2")  # fmt: skip
    parser.add_argument("--all", action="store_true", dest="everything", help="no limit any more")
    parser.set_defaults(run=scope, by=by)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-01-31") from None


def scope(options: argparse.Namespace) -> int:
    """Set or lift the limits of one account. What is not said is not limited: nothing is kept from before."""
    wrong = _wrong(options)
    if wrong:
        say(wrong)
        return USAGE
    now = datetime.now(UTC)
    with opening.database(Settings.from_env(options.environ)).writing() as session:
        if options.everything:
            user, seen = scopes.lift(session, options.email, by=options.by, now=now), scopes.EVERYTHING
        else:
            user, seen = scopes.limit(
                session, options.email, first=options.first, last=options.last, vendors=options.vendors,
                by=options.by, now=now,
            )  # fmt: skip
        roles = {Role(row.name) for row in user.roles}
    say(f"As an auditor, {user.email} sees {scopes.words(seen)}, from the next page on.", *_remarks(roles))
    return OK


def _wrong(options: argparse.Namespace) -> str:
    limits = options.first, options.last, options.vendors
    if options.everything == any(limit is not None for limit in limits):
        return "Say what they see: --from DAY, --to DAY, --vendor REFERENCE …, or else --all."
    if options.first and options.last and options.first > options.last:
        return "--to must not be before --from."
    return ""


def _remarks(roles: Collection[Role]) -> list[str]:
    """What else the operator should know before they rely on it."""
    later = [] if Role.AUDITOR in roles else ["They are no auditor: it holds once they are."]
    return [*later, *(words for role, words in _WIDER.items() if role in roles)]
