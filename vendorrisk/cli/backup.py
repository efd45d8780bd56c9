"""`python -m vendorrisk backup [FOLDER]` and `restore ARCHIVE`: everything into one sealed file, and back."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vendorrisk.cli.output import FOUND_PROBLEMS, OK, USAGE, give, say
from vendorrisk.cli.user import OPERATOR
from vendorrisk.services.operating import backup_keys, backups, keys, opening, restoring
from vendorrisk.services.operating.backups import Summary
from vendorrisk.services.operating.restoring import Restored
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

_MOST_NAMED = 20


def register(commands: Any) -> None:
    """Add the commands to the program's parser."""
    making = commands.add_parser("backup", help="write everything into one sealed file, while the service runs")
    making.add_argument("folder", metavar="FOLDER", nargs="?", type=Path, help="without it: VENDORRISK_BACKUPS")
    making.add_argument("--verify", metavar="ARCHIVE", type=Path, help="read a backup and compare it with its manifest")
    _add_keyring(making)
    making.set_defaults(run=backup)
    bringing = commands.add_parser("restore", help="bring a backup back into the empty deployment of the settings")
    bringing.add_argument("archive", metavar="ARCHIVE", type=Path)
    _add_keyring(bringing)
    bringing.add_argument(
        "--older-keyring",
        action="store_true",
        help="go on with a keyring older than the backup, and lose newer vendors",
    )
    bringing.set_defaults(run=restore)


def _add_keyring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keyring", metavar="FILE", type=Path, help="without it: the file keyring beside the backup")


def backup(options: argparse.Namespace) -> int:
    """Make a backup, or check one; 1 where stored files were not there, so that whoever runs it each night is told."""
    settings = Settings.from_env(options.environ)
    if options.verify is not None:
        return _verify(options, settings)
    folder = options.folder or settings.backups
    if folder is None:
        say("Name a folder: python -m vendorrisk backup FOLDER, or set VENDORRISK_BACKUPS.")
        return USAGE
    database, storage = opening.database(settings), open_storage(settings.storage)
    made = backups.make(database, storage, folder, by=OPERATOR, now=datetime.now(UTC))
    give(str(made.path))
    say(
        *_words(made.summary),
        f"{made.size:,} bytes, read back and compared. {folder / backup_keys.NAME}: {made.keys} keys.",
        *advice(folder, settings),
    )
    return FOUND_PROBLEMS if made.summary.missing else OK


def lost(summary: Summary) -> list[str]:
    """The stored files that a backup should hold and does not; nothing where there are none."""
    if not summary.missing:
        return []
    return [f"{len(summary.missing)} stored files were not there: {_named(summary.missing)}"]


def advice(folder: Path, settings: Settings) -> list[str]:
    """What to do where nobody renews the keyring that lies beside a backup."""
    if settings.backups is not None and settings.backups.resolve() == folder.resolve():
        return []
    return [f"Set VENDORRISK_BACKUPS={folder}, so that erasing a vendor takes its key out of the keyring at once."]


def _verify(options: argparse.Namespace, settings: Settings) -> int:
    keyring = _keyring(options, options.verify, settings)
    say(
        *_words(backups.check(options.verify, keyring.master)),
        "It holds what its manifest says, and its keyring opens.",
    )
    return OK


def restore(options: argparse.Namespace) -> int:
    """Bring a backup back."""
    settings = Settings.from_env(options.environ)
    keyring = _keyring(options, options.archive, settings)
    opening.make_folder(settings)
    done = restoring.restore(
        options.archive, keyring, settings.database, open_storage(settings.storage),
        older_keyring=options.older_keyring, by=OPERATOR, now=datetime.now(UTC),
    )  # fmt: skip
    say(*_words(done.summary), "Rows, files and the trail are those of the backup.")
    if done.erased:
        say(f"{len(done.erased)} vendors were erased since, and cannot be read: {_named(done.erased)}.")
    if done.letters_held:
        held = f"{done.letters_held} letters waited to be sent then"
        say(f"{held}; the page Stuck (/work) has them: send what is missing.")
    say(*_about_links(done), *_about_people(done))
    return OK


def _about_links(done: Restored) -> list[str]:
    lines = []
    if done.links:
        lines.append(
            f"{len(done.links)} requests have a link that works as it did then, with a code mailed anew: "
            f"{_named(done.links)}. One that had gone to the wrong person and was replaced since works for that person "
            "again: on the page of such a request, send a fresh link or withdraw it."
        )
    if done.links_ended:
        lines.append(
            f"{len(done.links_ended)} requests ask for no code, so their links were ended: {_named(done.links_ended)}. "
            "Send fresh ones."
        )
    return lines


def _about_people(done: Restored) -> list[str]:
    lines = [
        "Accounts are as they were then, with their passwords, phones and passkeys: look at `user list`. Everybody has "
        "to sign in again, and vendors to type a new code."
    ]
    if done.recovery_codes_of:
        lines.append(
            f"The recovery codes of {done.recovery_codes_of} people work no more. They sign in with app or passkey and "
            "make new ones on their page Account. For who has neither: python -m vendorrisk user reset-factors ADDRESS"
        )
    return lines


def _keyring(options: argparse.Namespace, archive: Path, settings: Settings) -> backup_keys.Keyring:
    return backup_keys.read(options.keyring or archive.parent / backup_keys.NAME, keys.load(settings.key_file))


def _words(summary: Summary) -> list[str]:
    rows, cases = sum(summary.tables.values()), summary.tables.get("assessments", 0)
    lines = [
        f"Backup of {summary.made:%Y-%m-%d %H:%M:%S} UTC by version {summary.version}, schema {summary.revision}:",
        f"  {cases:,} assessments, {rows:,} rows in {len(summary.tables)} tables, {summary.trail_events:,} events",
        f"  {summary.files:,} stored files, {summary.file_bytes:,} bytes",
    ]
    if summary.trail_head:
        lines.append(f"  head of the trail: {summary.trail_head}")
    return lines + [f"  {line}" for line in lost(summary)]


def _named(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
