"""`python -m vendorrisk serve`: pages and jobs in one process, as `python app.py` does."""

from __future__ import annotations

import argparse
from typing import Any

from vendorrisk.cli.output import OK, say
from vendorrisk.settings import Settings


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    parser = commands.add_parser("serve", help="run the service: pages and jobs in one process")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    settings = Settings.from_env(options.environ)

    def ready(_runtime: object) -> None:
        say(f"{settings.organisation}: {settings.base_url}   Stop: Ctrl-C")

    options.serve(settings, ready)
    return OK
