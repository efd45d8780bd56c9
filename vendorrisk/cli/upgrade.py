"""`python -m vendorrisk upgrade`: brings the database to the schema of this version, and verifies it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from vendorrisk.cli.output import FOUND_PROBLEMS, OK, say
from vendorrisk.services.operating import doctor, keys, upgrading
from vendorrisk.services.operating.health import State
from vendorrisk.settings import Settings

_VERIFIED = ("database", "key", "database file", "trail")


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    parser = commands.add_parser("upgrade", help="bring the database to this version: stop the service first")
    parser.add_argument(
        "--backed-up", action="store_true", help="there is a backup that was tried out: needed for PostgreSQL"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Migrate and verify; 1 if there is no backup to go back to, or the verification finds something."""
    settings = Settings.from_env(options.environ)
    keys.load(settings.key_file)
    before = upgrading.revision(settings.database)
    if upgrading.needs_backup(settings.database, before) and not options.backed_up:
        say(
            f"The database is at {before}; this version needs {upgrading.newest()}.",
            "Make a backup with the version that made it, and try it out.",
            "Then: python -m vendorrisk upgrade --backed-up",
        )
        return FOUND_PROBLEMS
    done = upgrading.upgrade(settings.database, before)
    say(f"database  {done.before or 'empty'} → {done.after}" if done.changed else f"database  is at {done.after}")
    if done.copy is not None:
        say(
            f"copy      {done.copy}, as it was before. Delete it once this version has proven itself:",
            "          it holds the keys of vendors that are erased from now on.",
        )
    return _verify(settings)


def _verify(settings: Settings) -> int:
    checks = {name: doctor.CHECKS[name] for name in _VERIFIED}
    found = dict(doctor.examine(settings, now=datetime.now(UTC), checks=checks))
    wrong = [finding for finding in found.values() if finding.state is State.STOP]
    say(*(f"STOP      {finding.text} → {finding.remedy}" for finding in wrong))
    if wrong:
        return FOUND_PROBLEMS
    say(f"verified  schema, key and file. {found['trail'].text}", "Start the service.")
    return OK
