"""The chain's head by mail, once a day, to all admins and auditors: a copy of it that the service cannot reach."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from vendorrisk.db.models import MailedHead, User
from vendorrisk.db.models import Role as RoleRow
from vendorrisk.domain.chain import Joint
from vendorrisk.domain.roles import Role
from vendorrisk.mail import messages
from vendorrisk.services.auditing import sealing
from vendorrisk.services.letters import outbox

READERS = (Role.ADMIN, Role.AUDITOR)


def is_due(session: Session, *, now: datetime) -> bool:
    """Whether there is a head, and nobody has mailed one today (in UTC)."""
    return sealing.head(session) is not None and session.get(MailedHead, _day(now)) is None


def mail(session: Session, *, organisation: str, now: datetime) -> int:
    """Queue today's letters; returns how many. The row of the day decides: of several workers one gets it."""
    head = sealing.head(session)
    if head is None or not _is_first(session, head, now):
        return 0
    day = _day(now)
    to = readers(session)
    for address in to:
        letter = messages.trail_head(
            to=address, organisation=organisation, day=day, position=head.position, chain=head.chain.hex(),
            sealed_at=head.sealed_at,
        )  # fmt: skip
        outbox.put(session, letter, kind="trail_head", now=now)
    return len(to)


def readers(session: Session) -> list[str]:
    """The addresses of whoever gets the letter."""
    names = [role.value for role in READERS]
    able = select(User.email).where(User.active, User.roles.any(RoleRow.name.in_(names)))
    return list(session.scalars(able.order_by(User.email)))


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _is_first(session: Session, head: Joint, now: datetime) -> bool:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = (
        insert(MailedHead)
        .values(day=_day(now), position=head.position, chain=head.chain, mailed_at=now)
        .on_conflict_do_nothing()
        .returning(MailedHead.day)
    )
    return session.scalar(statement) is not None
