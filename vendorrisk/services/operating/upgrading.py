"""Bringing a deployment's database to the schema of this version: at start where that is safe, else by `upgrade`.

An empty database is made. A SQLite database belongs to one process, so a start migrates it, after a copy. A PostgreSQL
database may serve others that still run: its operator says when, with `python -m vendorrisk upgrade`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, make_url

from vendorrisk.db import engine, migrate, schema
from vendorrisk.db.schema import Standing, newest

__all__ = [
    "NeedsUpgrade", "Upgraded", "at_start", "check_known", "is_older", "needs_backup", "newest", "revision",
    "sqlite_file", "upgrade",
]  # fmt: skip


class NeedsUpgrade(Exception):
    """The database's schema is not the one of this version. The text is for the operator."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did: nothing where `before` and `after` are equal."""

    before: str | None
    after: str
    copy: Path | None

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return self.before != self.after


def at_start(opened: Engine, url: str) -> Upgraded:
    """See to it that the schema fits. Raises NeedsUpgrade."""
    with opened.connect() as connection:
        before = schema.current(connection)
    if schema.standing(before) is Standing.FITS:
        return Upgraded(before, newest(), None)
    if needs_backup(url, before):
        raise NeedsUpgrade(
            f"The database is at {before}, and this version needs {newest()}. Stop the older processes, then: "
            "python -m vendorrisk upgrade --backup FOLDER"
        )
    return upgrade(url, before)


def upgrade(url: str, before: str | None, *, copied: bool = True) -> Upgraded:
    """Migrate a database that is at `before`. Raises NeedsUpgrade where it is newer than this version.

    `copied`: a SQLite database with something in it is copied first; there is no need where a backup was made.
    """
    check_known(before)
    target = _copy_of(url) if copied and before is not None else None
    found = migrate.upgrade(url, copy_to=target)
    return Upgraded(found, newest(), target if target is not None and found != newest() else None)


def check_known(before: str | None) -> None:
    """Refuse a database that a later version has made. Raises NeedsUpgrade."""
    if schema.standing(before) is Standing.NEWER:
        raise NeedsUpgrade(
            f"The database is at {before}, which this version does not know: a later version has been here. "
            f"Run that one, or restore the backup from before its upgrade (this version needs {newest()})."
        )


def revision(url: str) -> str | None:
    """The revision that a database is at; None for an empty one, and for a file that is not there."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return None
    made = engine.make_engine(url)
    try:
        with made.connect() as connection:
            return schema.current(connection)
    finally:
        made.dispose()


def is_older(before: str | None) -> bool:
    """Whether a database at `before` has something to lose when it is migrated."""
    return schema.standing(before) is Standing.OLDER


def needs_backup(url: str, before: str | None) -> bool:
    """Whether only its operator can say that there is a way back: PostgreSQL with something to lose."""
    return is_older(before) and sqlite_file(url) is None


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL and for databases in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _copy_of(url: str) -> Path | None:
    file = sqlite_file(url)
    return file and file.with_name(f"{file.name}.before-{newest()}")
