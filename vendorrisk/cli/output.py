"""What all commands share: exit codes and where words go."""

from __future__ import annotations

import sys

OK, FOUND_PROBLEMS, USAGE, ENVIRONMENT = 0, 1, 2, 3
INTERRUPTED = 130
"""Stopped by Ctrl-C before it was done; the number that a shell gives for that."""


def say(*lines: str) -> None:
    """Talk to the person: stderr."""
    for line in lines:
        print(line, file=sys.stderr)


def give(*lines: str) -> None:
    """Hand over a result: stdout."""
    for line in lines:
        print(line)
