"""`python -m vendorrisk keys rotate|export|import`: changing the master key, and its copy for the safe."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vendorrisk import private_files
from vendorrisk.cli.output import FOUND_PROBLEMS, OK, USAGE, give, say
from vendorrisk.cli.user import OPERATOR
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.domain.audit import EventKind
from vendorrisk.services import audit
from vendorrisk.services.operating import backup_keys, escrow, keys, opening, rotation
from vendorrisk.settings import Settings

_WRITE_IT_DOWN = "Write the new key down (keys export) and put the old paper out of reach: docs/how-to/keep-the-keys.md"

_STILL_NEEDED = (
    "So the old master key was not forgotten: the backups need it. Keep its paper too. The key file holds both, and "
    "everything works. Put that right, and go on with: python -m vendorrisk keys rotate"
)
_LEFT_BEHIND = (
    "Backups were made, but VENDORRISK_BACKUPS is not set here: they still open with the old master key only. Keep its "
    "paper until you have run, for each folder of backups: python -m vendorrisk backup FOLDER\n"
    f"Then: {_WRITE_IT_DOWN}"
)


def register(commands: Any) -> None:
    """Add the commands to the program's parser."""
    noun = commands.add_parser("keys", help="the master key: change it, write it down for the safe, read it back")
    verbs = noun.add_subparsers(title="commands", metavar="COMMAND", required=True)
    rotating = verbs.add_parser(
        "rotate", help="change the master key, while serving too; stopped, it goes on when run again"
    )
    rotating.add_argument(
        "--begin", action="store_true",
        help="only add the new key to the key file: copy that file to your other machines, then run this without it",
    )  # fmt: skip
    rotating.set_defaults(run=rotate)
    exporting = verbs.add_parser("export", help="write the master key down for the safe")
    exporting.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a new file; without it: standard output")
    exporting.add_argument("--yes", action="store_true", help="show the key on this screen")
    exporting.set_defaults(run=export)
    importing = verbs.add_parser("import", help="make the key file anew from what was written down")
    importing.add_argument("file", metavar="FILE", help="what was typed from the paper; - for standard input")
    importing.set_defaults(run=bring_back)


def rotate(options: argparse.Namespace) -> int:
    """Change the master key, or go on where this was stopped."""
    settings = Settings.from_env(options.environ)
    database = opening.database(settings)
    resumed = rotation.is_under_way(settings.key_file)
    rotation.begin(settings.key_file)
    if options.begin:
        say(
            f"{settings.key_file} holds the new key and the present one. Copy it to every machine, then run:",
            "  python -m vendorrisk keys rotate",
        )
        return OK
    say("Going on with the change of the master key that was begun." if resumed else "Changing the master key:")
    try:
        done = rotation.finish(
            database, settings.key_file, backups=settings.backups, by=OPERATOR, now=datetime.now(UTC),
            progress=_progress,
        )  # fmt: skip
    except rotation.NotForgotten as error:
        say(str(error), _STILL_NEEDED)
        return FOUND_PROBLEMS
    say(f"The master key is now {done.new}; {done.wrapped} data keys are wrapped by it. {done.old} is forgotten here.")
    if settings.backups is None and _backups_were_made(database):
        say(_LEFT_BEHIND)
        return FOUND_PROBLEMS
    say(f"Next: {_WRITE_IT_DOWN}")
    return OK


def _backups_were_made(database: Database) -> bool:
    with database.reading() as session:
        return backup_keys.last_made(session) is not None


def _progress(done: int, total: int) -> None:
    say(f"  {done} of {total}")


def export(options: argparse.Namespace) -> int:
    """Write the key down. Never onto a screen by accident."""
    settings = Settings.from_env(options.environ)
    held = keys.load(settings.key_file)
    if len(held) > 1:
        say("The master key is being changed. Finish that first: python -m vendorrisk keys rotate")
        return FOUND_PROBLEMS
    if options.file is None and sys.stdout.isatty() and not options.yes:
        say("This would show the master key on your screen. Name a file, pipe it to a printer, or say --yes.")
        return USAGE
    now = datetime.now(UTC)
    text = escrow.write(held[0], organisation=settings.organisation, on=now.date())
    with opening.database(settings).writing() as session:
        # First the trail, then the key: what left is always known.
        audit.record(
            session, EventKind.KEYS_EXPORTED, object_kind="key", object_id=vault.ROOT_KEY, by=OPERATOR, now=now,
            details={"key": held[0].id, "fingerprint": escrow.fingerprint(held[0])},
        )  # fmt: skip
    if options.file is None:
        give(text)
    else:
        with private_files.create(options.file) as file:
            file.write(text.encode("ascii"))
        say(f"Written to {options.file}. Print it, check it with: keys import, and delete the file.")
    say(f"Fingerprint {escrow.fingerprint(held[0])}. Who keeps it, where, and when again: docs/how-to/keep-the-keys.md")
    return OK


def bring_back(options: argparse.Namespace) -> int:
    """Make the key file from paper. One that is there is only compared."""
    settings = Settings.from_env(options.environ)
    typed = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
    try:
        key = escrow.read(typed)
    except escrow.BadPaper as error:
        say(str(error))
        return FOUND_PROBLEMS
    if settings.key_file.exists():
        return _compare(settings, key)
    keys.create(settings.key_file, key)
    say(f"{settings.key_file} made: key {key.id}, fingerprint {escrow.fingerprint(key)}.")
    return OK


def _compare(settings: Settings, key: vault.MasterKey) -> int:
    same = key in keys.load(settings.key_file)
    say(
        f"What was written down is the key in {settings.key_file}: the paper is good."
        if same
        else f"What was written down is another key than the one in {settings.key_file}. Nothing was changed."
    )
    return OK if same else FOUND_PROBLEMS
