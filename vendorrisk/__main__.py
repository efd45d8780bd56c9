"""`python -m vendorrisk <noun> <verb>`: the commands, joined to the service that two of them start."""

from __future__ import annotations

import os
import sys

from vendorrisk import factory
from vendorrisk.cli import main as cli


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 fine, 1 found problems, 2 wrong use, 3 the environment is not fit."""
    os.umask(0o077)  # database, keys, letters and files are the service's own
    given = sys.argv[1:] if arguments is None else arguments
    return cli.run(given, os.environ, serve=factory.serve)


if __name__ == "__main__":
    sys.exit(main())
