"""Limits on what may be tried how often: counted in the database, so that they survive a restart.

Called by invitations (codes, fresh links), by sign-in, and by the watch on how many vendors somebody sees.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Attempt


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `tries` of `what` within any stretch of time as long as `per`."""

    what: str
    tries: int
    per: timedelta


class TooMany(Exception):
    """The limit is reached: answer 429, and say when to come back."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"too many tries; again in {retry_after}")
        self.retry_after = retry_after


def network(address: str) -> str:
    """An IP address as tries from it are counted: an IPv6 address as its /64, of which one customer has them all."""
    try:
        found = plain(ip_address(address))
    except ValueError:
        return address
    return str(found) if isinstance(found, IPv4Address) else str(IPv6Network((found, 64), strict=False))


def plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that ::ffff:192.0.2.1 means; any other as it is."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def take(session: Session, limit: Limit, whom: str, *, now: datetime) -> None:
    """Count one try at `limit.what` by or at `whom`. Raises TooMany, and counts nothing, where none is left."""
    bucket = vault.bucket(session, limit.what, whom)
    _one_at_a_time(session, bucket)
    session.execute(delete(Attempt).where(Attempt.bucket == bucket, Attempt.at <= now - limit.per))
    count, oldest = session.execute(select(func.count(), func.min(Attempt.at)).where(Attempt.bucket == bucket)).one()
    if count >= limit.tries:
        raise TooMany(max(oldest + limit.per - now, timedelta(seconds=1)))
    session.add(Attempt(bucket=bucket, at=now))
    session.flush()


def is_reached(session: Session, limit: Limit, whom: str, *, now: datetime) -> bool:
    """Whether `take` would refuse; counts nothing."""
    bucket = vault.bucket(session, limit.what, whom)
    recent = select(func.count()).where(Attempt.bucket == bucket, Attempt.at > now - limit.per)
    return session.scalars(recent).one() >= limit.tries


def untried(session: Session, limits: Collection[Limit], whom: str, *, now: datetime) -> list[Limit]:
    """Those of the limits at which nothing was tried within their time, with one query."""
    known = tried(session, limits, whom, now=now)
    return [limit for limit in limits if limit not in known]


def tried(session: Session, limits: Collection[Limit], whom: str, *, now: datetime) -> dict[Limit, datetime]:
    """When each of the limits was last tried at, where that was within its time. One query.

    What a clock that was ahead dated into the future counts for nothing, here and in `count`.
    """
    buckets = {vault.bucket(session, limit.what, whom): limit for limit in limits}
    latest = (
        select(Attempt.bucket, func.max(Attempt.at))
        .where(Attempt.bucket.in_(buckets), Attempt.at <= now)
        .group_by(Attempt.bucket)
    )
    return {buckets[bucket]: at for bucket, at in session.execute(latest) if at > now - buckets[bucket].per}


def count(session: Session, limit: Limit, whom: str, *, now: datetime) -> int:
    """How many tries were counted within the time of the limit."""
    bucket = vault.bucket(session, limit.what, whom)
    recent = select(func.count()).where(Attempt.bucket == bucket, Attempt.at > now - limit.per, Attempt.at <= now)
    return session.scalars(recent).one()


def add(session: Session, limits: Collection[Limit], whom: str, *, now: datetime) -> None:
    """Count a try at each, whether or not any is left, with one statement."""
    rows = [{"bucket": vault.bucket(session, limit.what, whom), "at": now} for limit in limits]
    session.execute(insert(Attempt).values(rows))


def one_at_a_time(session: Session, limit: Limit, whom: str) -> None:
    """Until this transaction ends, nobody else counts at this limit: for who looks first, and counts then."""
    _one_at_a_time(session, vault.bucket(session, limit.what, whom))


def give_back(session: Session, limit: Limit, whom: str) -> None:
    """Uncount the latest try: it was a good one, and must not make up for the bad ones before it."""
    bucket = vault.bucket(session, limit.what, whom)
    latest = select(func.max(Attempt.id)).where(Attempt.bucket == bucket).scalar_subquery()
    session.execute(delete(Attempt).where(Attempt.id == latest))


def forget(session: Session, limit: Limit, whom: str) -> None:
    """Give all tries back: after a success, say."""
    session.execute(delete(Attempt).where(Attempt.bucket == vault.bucket(session, limit.what, whom)))


def _one_at_a_time(session: Session, bucket: bytes) -> None:
    # SQLite has one writer anyway; on PostgreSQL, parallel tries at one bucket queue up until the other's commit.
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(bucket[:8], "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
