"""The sealer: gives every committed event its place in the chain. Called by `jobs/seal_trail.py`.

Why nothing is skipped: an event's number is given before it is committed, so on PostgreSQL a lower number can become
visible after a higher one was sealed. The chain is ordered by position, not by number, so such an event is sealed late,
never left out. Rounds look at the last numbers only, above `Horizon.floor`: it lies below each number that was new less
than a minute ago. Each hour, and at the start, a round looks at all numbers, for transactions that took longer. SQLite
has one writer, so its numbers become visible in order, and the floor follows at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, text
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Event, Link
from vendorrisk.domain import chain
from vendorrisk.domain.chain import GENESIS, Entry, Joint
from vendorrisk.services import audit, paging

BATCH = 200
"""How many events are sealed in one transaction: some milliseconds, so that nobody who saves waits long."""

LATE = timedelta(minutes=1)
"""How long a transaction usually lasts at most, where several write at once."""

_LOOK_AT_ALL = timedelta(hours=1)
_ADVISORY_LOCK = 0x5EA1E2


@dataclass(slots=True)
class Horizon:
    """From which event number on a round has to look. `late`: how long a lower number may stay unseen."""

    late: timedelta
    floor: int = 0
    _looked_at_all: datetime | None = None
    _seen: deque[tuple[datetime, int]] = field(default_factory=deque)

    def begin(self, newest: int, *, now: datetime) -> None:
        """A round begins, with `newest` as the highest number there is."""
        # Either way: after a clock that was ahead was put right, the last time lies in the future.
        if self._looked_at_all is None or abs(now - self._looked_at_all) >= _LOOK_AT_ALL:
            self.floor, self._looked_at_all = 0, now
        if newest > (self._seen[-1][1] if self._seen else self.floor):
            self._seen.append((now, newest))

    def finish(self, *, now: datetime) -> None:
        """Nothing waits above the floor: raise it to what has been there long enough."""
        while self._seen and now - self._seen[0][0] >= self.late:
            self.floor = self._seen.popleft()[1]


def newest(session: Session) -> int:
    """The highest event number there is."""
    return session.scalar(select(func.max(Event.number))) or 0


def waiting(session: Session, floor: int = 0) -> list[int]:
    """The numbers above `floor` of events without a place, in the order in which they are to be sealed.

    By time first: what was written with an earlier moment in the same breath (an import) stands where it belongs.
    """
    query = select(Event.number).where(Event.number > floor, _has_no_link())
    return list(session.scalars(query.order_by(Event.at, Event.number)))


def seal(session: Session, numbers: Sequence[int], *, now: datetime) -> int:
    """Link the events with these numbers, in this order, in a writing transaction. Returns how many.

    Those that another process has linked meanwhile are left out; all are where one is sealing at this very moment.
    """
    if not _is_alone(session):
        return 0
    last = head(session)
    position, before = (last.position, last.chain) if last else (0, GENESIS)
    rows = session.execute(select(*_columns(Event, Entry)).where(Event.number.in_(numbers), _has_no_link()))
    events = {row.number: Entry(*row) for row in rows}
    in_order = [events[number] for number in numbers if number in events]
    keyed = audit.keyed(vault.keyring(session).master)
    joints = list(chain.extend(before, position + 1, in_order, sealed_at=now, keyed=keyed))
    if joints:
        session.execute(insert(Link), [joint._asdict() for joint in joints])
    return len(joints)


def _has_no_link() -> ColumnElement[bool]:
    return ~select(Link.position).where(Link.event_number == Event.number).exists()


def _columns(table: type[Event | Link], kind: type[Entry | Joint]) -> list[Any]:
    return [getattr(table, name) for name in kind._fields]


def _is_alone(session: Session) -> bool:
    """SQLite has one writer anyway; on PostgreSQL the lock is let go at the end of the transaction."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    taken = session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    return bool(taken)


def head(session: Session) -> Joint | None:
    """The last link there is."""
    last = session.execute(select(*_columns(Link, Joint)).order_by(Link.position.desc()).limit(1)).one_or_none()
    return Joint(*last) if last is not None else None


def link_at(session: Session, position: int) -> bytes | None:
    """The hash of one link."""
    return session.scalar(select(Link.chain).where(Link.position == position))


def count_waiting(session: Session) -> int:
    """How many of the latest events have no place yet; as many as lists are counted to are looked at, never all."""
    latest = Event.number > newest(session) - paging.COUNTED
    return paging.count(session, select(Event.number).where(latest, _has_no_link()))
