"""At which revision a database stands, and which one this version needs; for start, readiness and doctor.

It reads the migrations as text: Alembic, which runs them, costs a tenth of a second at each start and has nothing to do
at most of them.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

MIGRATIONS = Path(__file__).parents[2] / "migrations"
VERSION_TABLE = "alembic_version"
_LINE = re.compile(r'^(down_)?revision(?:: [^=]+)? = "(\w+)"', re.MULTILINE)


class Standing(StrEnum):
    """How a database's schema fits this version of the service."""

    EMPTY = "empty"
    OLDER = "older"
    FITS = "fits"
    NEWER = "newer"


def newest() -> str:
    """The revision that this version of the service needs."""
    known, followed = _revisions()
    (head,) = known - followed
    return head


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    return found


def standing(revision: str | None) -> Standing:
    """What is to be thought of a database at this revision. One that we do not know was made by a later version."""
    if revision is None:
        return Standing.EMPTY
    if revision == newest():
        return Standing.FITS
    return Standing.OLDER if is_known(revision) else Standing.NEWER


def is_known(revision: str) -> bool:
    """Whether this version has a migration that leads to this revision."""
    return revision in _revisions()[0]


@lru_cache(maxsize=1)
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """All revisions that there are, and those that another one follows."""
    known: set[str] = set()
    followed: set[str] = set()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        for down, revision in _LINE.findall(path.read_text(encoding="utf-8")):
            (followed if down else known).add(revision)
    return frozenset(known), frozenset(followed)
