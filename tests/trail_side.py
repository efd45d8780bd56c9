"""What tests of the trail share: events, sealed and not, and a check of the whole database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import text

from tests import builders
from vendorrisk.db.engine import Database
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.domain.chain import Finding, Head
from vendorrisk.jobs.seal_trail import Sealer
from vendorrisk.services import audit
from vendorrisk.services.auditing import trail_checks
from vendorrisk.services.auditing.trail_checks import Anchored

NOW = builders.NOW
CASE = UUID(int=7)
SEALED = NOW + timedelta(hours=1)


def write(database: Database, count: int, *, first: datetime = NOW) -> None:
    """Events, a second after each other, not sealed yet."""
    with database.writing() as session:
        for number in range(count):
            audit.record(
                session, EventKind.ANSWER_SAVED, object_kind="assessment", object_id=CASE, by=SYSTEM,
                now=first + timedelta(seconds=number), details={"question": f"DS-{number:02d}"},
            )  # fmt: skip
            session.flush()


def sealer(database: Database, folder: Path, *, now: datetime = SEALED) -> Sealer:
    """The sealer of the database, with its anchor in the folder."""
    return Sealer(database, folder / "master.trail-head", lambda: now)


def sealed(database: Database, folder: Path, count: int = 8) -> None:
    """A trail of some events, all in the chain."""
    write(database, count)
    assert sealer(database, folder).round() >= count


def check(database: Database, beside: Anchored | None = None, *heads: Head) -> list[Finding]:
    """Everything that a check of the database finds."""
    found: list[Finding] = []
    with database.reading() as session:
        trail_checks.of_database(session, beside or Anchored(), heads, found.append)
    return found


@contextmanager
def unguarded(database: Database) -> Iterator[None]:
    """Somebody who owns the database takes the triggers away, and puts them back after."""
    with database.engine.begin() as connection:
        if database.is_sqlite:
            made = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for name, _ in made:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            _switch(connection, "DISABLE")
    yield
    with database.engine.begin() as connection:
        if database.is_sqlite:
            for _, sql in made:
                connection.execute(text(sql))
        else:
            _switch(connection, "ENABLE")


def _switch(connection: object, how: str) -> None:
    for table in ("trail_events", "trail_links"):
        connection.execute(text(f"ALTER TABLE {table} {how} TRIGGER ALL"))  # type: ignore[attr-defined]


def tamper(database: Database, *statements: str) -> None:
    """Write past the triggers, as who owns the database can. Foreign keys are no obstacle either."""
    with unguarded(database), database.engine.connect() as connection:
        if database.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        with connection.begin():
            for statement in statements:
                connection.execute(text(statement))
        if database.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]


def places(findings: Sequence[Finding]) -> list[tuple[str, int | None, int | None]]:
    """The findings without their words."""
    return [(finding.change.value, finding.position, finding.number) for finding in findings]


def some_id() -> str:
    """An id as SQLite and PostgreSQL both take it."""
    return uuid4().hex
