"""How many vendors somebody has seen: each counts once an hour, and nothing forgets them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import builders
from vendorrisk.db.models import Event, User
from vendorrisk.services.people import vendors_opened


def alarms(session: Session) -> int:
    query = select(func.count()).where(Event.kind == "user.many_vendors_opened")
    return session.scalars(query).one()


def test_each_vendor_counts_once_an_hour_and_the_alarm_rings_once(session: Session, now: datetime) -> None:
    petra: User = builders.add_user(session)
    seen = [uuid4() for _ in range(vendors_opened.SEEN.tries)]
    for minutes in (0, 1, 2):
        vendors_opened.note(session, petra, vendors_opened.SEEN, seen, now=now + timedelta(minutes=minutes))
        vendors_opened.start_again(session, petra.id)
    assert alarms(session) == 0
    for minutes in (3, 4):
        vendors_opened.note(session, petra, vendors_opened.SEEN, [uuid4()], now=now + timedelta(minutes=minutes))
    assert alarms(session) == 1
    later = now + timedelta(minutes=63)
    vendors_opened.note(session, petra, vendors_opened.SEEN, seen, now=later)
    assert alarms(session) == 2, "those of this hour, and the last one before"


def test_until_when_a_page_counts_as_seen_is_known(session: Session, now: datetime) -> None:
    petra: User = builders.add_user(session)
    first, second = uuid4(), uuid4()
    vendors_opened.note(session, petra, vendors_opened.SEEN, [first], now=now)
    assert vendors_opened.seen_until(session, petra.id, [first, second], now=now) is None
    vendors_opened.note(session, petra, vendors_opened.SEEN, [first, second], now=now + timedelta(minutes=5))
    until = vendors_opened.seen_until(session, petra.id, [first, second], now=now + timedelta(minutes=5))
    assert until == now + timedelta(hours=1), "when the first of them is forgotten"
