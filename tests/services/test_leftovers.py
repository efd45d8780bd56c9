"""What is past its use goes within the hour, in bounded steps; what still counts, lives or is shown stays."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import builders
from tests.databases import ON_SQLITE
from vendorrisk import services
from vendorrisk.db.engine import Database
from vendorrisk.db.models import AccessCode, Attempt, Event, RespondentSession, SignIn
from vendorrisk.services import limits
from vendorrisk.services.answering import sittings
from vendorrisk.services.limits import Limit, TooMany
from vendorrisk.services.operating import leftovers
from vendorrisk.services.people import sign_ins
from vendorrisk.services.sending import access_codes, invitations

TRY = Limit("try of", 1, timedelta(days=1))
MODELS = (Attempt, AccessCode, RespondentSession, SignIn)


def counts(database: Database) -> list[int]:
    """Rows of each kind."""
    with database.reading() as session:
        return [session.scalar(select(func.count()).select_from(model)) or 0 for model in MODELS]


def fill(session: Session, *, now: datetime) -> None:
    """One of each kind, by the ways that make them."""
    link = invitations.find(session, builders.add_link(session, builders.add_request(session)), now=now)
    assert link is not None
    access_codes.send(session, link, "browser", now=now)
    sittings.start(session, link, now=now)
    sign_ins.start(session, builders.add_user(session, "x@acme.example").id, now=now)


def test_what_has_ended_a_day_ago_goes_and_the_trail_stays(database: Database, now: datetime) -> None:
    with database.writing() as session:
        fill(session, now=now)
    with database.reading() as session:
        events = session.scalar(select(func.count()).select_from(Event))
        ends = session.scalars(select(RespondentSession.expires_at)).one()
    assert counts(database) == [2, 1, 1, 1]
    assert leftovers.forget(database, now=now + timedelta(hours=23)) == 0
    leftovers.forget(database, now=now + timedelta(days=2, hours=1))
    assert counts(database) == [0, 0, 1, 0], "the respondent may come back until the request closes"
    leftovers.forget(database, now=ends + timedelta(hours=25))
    assert counts(database) == [0, 0, 0, 0]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == events


def test_a_limit_of_a_day_still_holds_after_tidying(database: Database, now: datetime) -> None:
    with database.writing() as session:
        limits.take(session, TRY, "somebody", now=now)
    later = now + timedelta(hours=23)
    leftovers.forget(database, now=later)
    with database.writing() as session, pytest.raises(TooMany):
        limits.take(session, TRY, "somebody", now=later)


def test_no_limit_counts_over_longer_than_is_kept() -> None:
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.walk_packages(services.__path__, prefix=f"{services.__name__}.")
    ]
    found = {value.what: value.per for module in modules for value in vars(module).values() if isinstance(value, Limit)}
    assert len(found) > 8
    assert {what for what, per in found.items() if per > leftovers.LONGEST_LIMIT} == set()


def test_many_go_in_several_steps(database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "BATCH", 3)
    with database.writing() as session:
        session.add_all(Attempt(bucket=bytes(16), at=now) for _ in range(10))
    assert leftovers.forget(database, now=now + timedelta(days=3)) == 10


@ON_SQLITE  # PostgreSQL reads a small table whole, whatever indexes there are
def test_each_kind_is_found_by_an_index(database: Database, now: datetime) -> None:
    with database.reading() as session:
        for model, is_past in leftovers._past(now):
            asked = select(model.id).where(is_past).limit(1).compile(session.connection())
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", tuple("x" * len(asked.params)))
            assert "USING" in str(plan.all()), model
