"""`python -m vendorrisk vendor erase REFERENCE`: destroys the key of a vendor's data."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from vendorrisk.cli.output import FOUND_PROBLEMS, OK, say
from vendorrisk.cli.user import OPERATOR
from vendorrisk.library import shipped
from vendorrisk.services.casework import vendors
from vendorrisk.services.operating import erasure, opening
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    noun = commands.add_parser("vendor", help="vendors")
    verbs = noun.add_subparsers(title="commands", metavar="COMMAND", required=True)
    erasing = verbs.add_parser("erase", help="destroy the key of a vendor's data: nobody can read it any more")
    erasing.add_argument("reference", metavar="REFERENCE", help="for example V-7F3K2")
    erasing.add_argument("--reason", required=True, help="kept in the trail; do not name the vendor")
    erasing.add_argument("--yes", action="store_true", help="do not ask for the reference once more")
    erasing.set_defaults(run=erase)


def erase(options: argparse.Namespace) -> int:
    """Erase a vendor, after asking; 1 where its key could not be taken out of everything yet."""
    settings = Settings.from_env(options.environ)
    reference = options.reference.upper()
    database = opening.database(settings)
    with database.reading() as session:
        vendors.get(session, reference)
    if not options.yes and not _is_meant(reference):
        say("Nothing was erased.")
        return FOUND_PROBLEMS
    library = shipped.load()
    runtime = Runtime(settings, database, library, library.rules, open_storage(settings.storage))
    now = datetime.now(UTC)
    with database.writing() as session:
        erasure.erase(session, reference, options.reason, by=OPERATOR, now=now)
    left = erasure.sweep(runtime, now=now)
    say(f"{reference} was erased.", *left)
    return FOUND_PROBLEMS if left else OK


def _is_meant(reference: str) -> bool:
    say(f"This cannot be undone. Type {reference} to erase it:")
    return sys.stdin.readline().strip().upper() == reference
