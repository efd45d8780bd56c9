"""Forgets what is past its use: counted tries, mailed codes, sign-ins that have run out. Called hourly by the jobs.

Only what nobody can use, and nothing shows, any more: the trail tells of codes and respondents in its own events.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, delete, select

from vendorrisk.db.engine import Database
from vendorrisk.db.models import AccessCode, Attempt, RespondentSession, SignIn
from vendorrisk.services.people import sign_ins

KEPT = timedelta(days=1)
"""After its end. A clock that is set back by less brings nothing back to life that is gone."""
LONGEST_LIMIT = timedelta(days=1)
"""The longest stretch of time over which tries are counted; a test holds every Limit to it."""
BATCH = 500
_MOST_BATCHES = 100

Model = type[Attempt] | type[AccessCode] | type[RespondentSession] | type[SignIn]


def forget(database: Database, *, now: datetime) -> int:
    """Delete what ended more than a day ago, in short transactions; returns how many rows. The rest is for later."""
    gone = 0
    for model, is_past in _past(now):
        some: Select[Any] = select(model.id).where(is_past).limit(BATCH)
        with database.reading() as session:
            if session.scalar(some.limit(1)) is None:
                continue
        for _ in range(_MOST_BATCHES):
            with database.writing() as session:
                done = session.execute(delete(model).where(model.id.in_(some)), execution_options=_BLINDLY)
            gone += (count := cast("CursorResult[tuple[()]]", done).rowcount)
            if count < BATCH:
                break
    return gone


_BLINDLY = {"synchronize_session": False}


def _past(now: datetime) -> tuple[tuple[Model, ColumnElement[bool]], ...]:
    ended = now - KEPT
    return (
        (Attempt, Attempt.at < ended - LONGEST_LIMIT),
        (AccessCode, AccessCode.expires_at < ended),
        (RespondentSession, RespondentSession.expires_at < ended),
        (SignIn, SignIn.at < ended - sign_ins.LIFE),
    )
