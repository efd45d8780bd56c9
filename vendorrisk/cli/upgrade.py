"""`python -m vendorrisk upgrade`: backs the database up, brings it to the schema of this version, and verifies it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vendorrisk.cli import backup
from vendorrisk.cli.output import FOUND_PROBLEMS, OK, say
from vendorrisk.cli.user import OPERATOR
from vendorrisk.services.operating import backups, checkups, doctor, keys, opening, upgrading
from vendorrisk.services.operating.health import State
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

_VERIFIED = {name: doctor.CHECKS[name] for name in ("database", "key", "database file")} | {
    "trail": checkups.whole_trail
}
_GOING_BACK = (
    "Going back: stop the service, put the older version in place, and let its `restore` bring the backup into an "
    "empty database. The `restore` of this version takes it too, and brings it to the newer schema. What was entered "
    "since the backup is lost."
)


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    parser = commands.add_parser(
        "upgrade", help="bring the database to this version: stop the service first", epilog=_GOING_BACK
    )
    way_back = parser.add_mutually_exclusive_group()
    way_back.add_argument(
        "--backup", metavar="FOLDER", type=Path,
        help="first write a backup of everything as it is into FOLDER, encrypted, and read it back; nothing is "
        "migrated without it",
    )  # fmt: skip
    way_back.add_argument(
        "--backed-up", action="store_true",
        help="there is a backup that was tried out: PostgreSQL needs this or --backup",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Back up, migrate and verify; 1 if there is no way back, or the verification finds something."""
    settings = Settings.from_env(options.environ)
    keys.load(settings.key_file)
    before = upgrading.revision(settings.database)
    upgrading.check_known(before)
    if options.backup is not None:
        _back_up(settings, before, options.backup)
    elif upgrading.needs_backup(settings.database, before) and not options.backed_up:
        say(
            f"The database is at {before}; this version needs {upgrading.newest()}.",
            "To have it backed up first:       python -m vendorrisk upgrade --backup FOLDER",
            "With a backup that was tried out: python -m vendorrisk upgrade --backed-up",
        )
        return FOUND_PROBLEMS
    done = upgrading.upgrade(settings.database, before, copied=options.backup is None)
    opening.after_upgrade(settings)
    say(f"database  {done.before or 'empty'} → {done.after}" if done.changed else f"database  is at {done.after}")
    if done.copy is not None:
        say(
            f"copy      {done.copy}, as it was before. Delete it once this version has proven itself:",
            "          it holds the keys of vendors that are erased from now on.",
        )
    return _verify(settings)


def _back_up(settings: Settings, before: str | None, folder: Path) -> None:
    """Make the backup, or say why there is none to make. Whatever stops it stops the upgrade."""
    if not upgrading.is_older(before):
        say(f"backup    none: {'the database is empty' if before is None else 'there is nothing to migrate'}")
        return
    try:
        database = opening.before_upgrade(settings)
        try:
            storage = open_storage(settings.storage)
            made = backups.make(database, storage, folder, by=OPERATOR, now=datetime.now(UTC))
        finally:
            database.close()
    except (Exception, KeyboardInterrupt):
        say("The backup failed, and nothing was migrated:")  # the program says why, as for every command
        raise
    held = made.summary
    content = f"schema {held.revision}, {sum(held.tables.values()):,} rows, {held.files:,} stored files"
    say(
        f"backup    {made.path}: {content}; read back and compared",
        *(f"          {line}" for line in (*backup.lost(held), *backup.advice(folder, settings))),
    )


def _verify(settings: Settings) -> int:
    found = dict(doctor.examine(settings, now=datetime.now(UTC), checks=_VERIFIED))
    wrong = [finding for finding in found.values() if finding.state is State.STOP]
    say(*(f"STOP      {finding.text} → {finding.remedy}" for finding in wrong))
    if wrong:
        return FOUND_PROBLEMS
    say(f"verified  schema, key and file. {found['trail'].text}", "Start the service.")
    return OK
