"""The browsers in which people are signed in: a row each, so that a deleted row ends whatever copies a cookie has.

Called by web/browsers.py, which ties a row to a cookie, and by accounts and commands, which end them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from vendorrisk.db.models import SignIn, User

LIFE = timedelta(hours=12)
"""The longest that anybody stays signed in, however busy they are."""


def start(session: Session, user_id: UUID, *, now: datetime) -> UUID:
    """Somebody has proven who they are. Returns the id for their cookie, which is signed and so cannot be made up."""
    session.execute(delete(SignIn).where(SignIn.user_id == user_id, SignIn.at <= now - LIFE))
    row = SignIn(id=uuid4(), user_id=user_id, at=now, confirmed_at=now)
    session.add(row)
    session.flush()
    return row.id


def find(session: Session, sign_in_id: UUID, uniquifier: str, *, now: datetime) -> SignIn | None:
    """The living sign-in of the account that has this `uniquifier` still; None where it has ended."""
    alive = (
        select(SignIn)
        .join(User, User.id == SignIn.user_id)
        .where(SignIn.id == sign_in_id, SignIn.at > now - LIFE, User.fs_uniquifier == uniquifier, User.active)
    )
    return session.scalar(alive)


def confirm(session: Session, sign_in_id: UUID, *, now: datetime) -> None:
    """The person has proven once more who they are."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(confirmed_at=now))


def end(session: Session, sign_in_id: UUID) -> None:
    """Sign out one browser."""
    session.execute(delete(SignIn).where(SignIn.id == sign_in_id))


def end_all(session: Session, user_id: UUID, *, but: UUID | None = None) -> None:
    """Sign out every browser of an account, `but` one."""
    others = delete(SignIn).where(SignIn.user_id == user_id)
    session.execute(others if but is None else others.where(SignIn.id != but))
