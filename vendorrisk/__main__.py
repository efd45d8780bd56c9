"""`python -m vendorrisk <noun> <verb>`: the commands, joined to the service that two of them start."""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # what imports make stays: looking through it for garbage, again and again, costs a quarter of a second
from vendorrisk import factory  # noqa: E402 - behind the line above
from vendorrisk.cli import main as cli  # noqa: E402 - behind it too

gc.freeze()
gc.enable()


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 fine, 1 found problems, 2 wrong use, 3 the environment is not fit."""
    os.umask(0o077)  # database, keys, letters and files are the service's own
    given = sys.argv[1:] if arguments is None else arguments
    return cli.run(given, os.environ, serve=factory.serve)


if __name__ == "__main__":
    sys.exit(main())
