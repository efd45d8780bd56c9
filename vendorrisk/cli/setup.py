"""`python -m vendorrisk setup`: makes the master key and the database, where there are none yet."""

from __future__ import annotations

import argparse
from typing import Any

from vendorrisk.cli.output import OK, say
from vendorrisk.services.operating import keys, opening
from vendorrisk.settings import Settings


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    parser = commands.add_parser("setup", help="make the master key and the database; safe to repeat")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make what is missing; what is there stays as it is."""
    settings = Settings.from_env(options.environ)
    if settings.key_file.exists():
        say(f"key       {settings.key_file} is there")
    else:
        keys.create(settings.key_file)
        say(f"key       {settings.key_file} made. Without it nothing can be read: write it down with keys export.")
    opening.database(settings)
    say("database  ready", "Next: python -m vendorrisk user add you@example.com --name 'Your Name' --role admin")
    return OK
