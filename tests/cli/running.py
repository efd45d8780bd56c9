"""Runs one command as the shell would, but in this process; for the tests of commands."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from vendorrisk.cli import main as cli

OK, FOUND_PROBLEMS, USAGE, ENVIRONMENT = 0, 1, 2, 3


def _serving(*_arguments: object) -> None:
    """Stands for the service."""
    raise AssertionError("nobody asked for the service")


def run(environ: dict[str, str], *words: str) -> int:
    """The exit code of one command."""
    return cli.run(list(words), environ, serve=_serving)


def set_revision(folder: Path, revision: str) -> None:
    """Make the database of the deployment in this folder say that it is at another revision."""
    with closing(sqlite3.connect(folder / "data" / "v.sqlite")) as there, there:
        there.execute("UPDATE alembic_version SET version_num = ?", (revision,))
