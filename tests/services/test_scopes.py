"""What an auditor is limited to: the days, the vendors, and that nothing widens it by chance."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, review_side
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Event, User, Vendor
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.domain.errors import NotFound
from vendorrisk.domain.roles import Role
from vendorrisk.services.auditing import trail, trail_search
from vendorrisk.services.auditing.trail_search import Sight
from vendorrisk.services.casework import decided
from vendorrisk.services.operating import erasure
from vendorrisk.services.people import scopes
from vendorrisk.services.people.scopes import EVERYTHING, Scope

NOW = builders.NOW
ADDRESS = "audrey@acme.example"
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


@pytest.fixture
def audrey(database: Database) -> UUID:
    """The id of an auditor's account."""
    with database.writing() as session:
        return builders.add_user(session, ADDRESS, name="Audrey Finch", roles=[Role.AUDITOR]).id


def limit(
    session: Session, *, first: date | None = None, last: date | None = None, vendors: Collection[str] | None = None
) -> Scope:
    """Limit Audrey, and read what came of it."""
    user, said = scopes.limit(session, ADDRESS, first=first, last=last, vendors=vendors, by=SYSTEM, now=NOW)
    kept = scopes.of(session, user.id, [Role.AUDITOR])
    assert kept == said
    return kept


def seen(session: Session, scope: Scope) -> set[str]:
    """The references of the cases that are covered."""
    return set(session.scalars(select(Assessment.reference).where(scopes.covers(scope))))


def add_decided(session: Session, moment: datetime, vendor: Vendor | None = None) -> str:
    """A case decided at this moment."""
    case = builders.add_assessment(session, vendor, status=AssessmentStatus.DECIDED)
    case.decided_at = moment
    session.flush()
    return case.reference


def test_both_days_are_whole_and_included(database: Database, audrey: UUID) -> None:
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    after = datetime(2026, 4, 1, tzinfo=UTC)
    with database.writing() as session:
        before, first, last, late = (
            add_decided(session, moment)
            for moment in (midnight - timedelta(microseconds=1), midnight, after - timedelta(microseconds=1), after)
        )
        assert seen(session, limit(session, first=MARCH[0], last=MARCH[1])) == {first, last}
        assert seen(session, limit(session, first=MARCH[0])) == {first, last, late}
        assert seen(session, limit(session, last=MARCH[1])) == {before, first, last}
        assert seen(session, limit(session, first=date.min, last=date.max)) == {before, first, last, late}


def test_vendors_and_days_must_both_fit(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        mine, other = builders.add_vendor(session), builders.add_vendor(session)
        march, june = (add_decided(session, datetime(2026, month, 15, tzinfo=UTC), mine) for month in (3, 6))
        add_decided(session, datetime(2026, 3, 15, tzinfo=UTC), other)
        assert seen(session, limit(session, vendors=[mine.reference.lower()])) == {march, june}
        scope = limit(session, first=MARCH[0], last=MARCH[1], vendors=[mine.reference])
        assert seen(session, scope) == {march}
        assert scope.vendors == (mine.reference,)


@pytest.mark.parametrize("status", [status for status in AssessmentStatus if status is not AssessmentStatus.DECIDED])
def test_what_is_not_decided_is_nobodys(database: Database, audrey: UUID, status: AssessmentStatus) -> None:
    with database.writing() as session:
        case = builders.add_assessment(session, status=status)
        case.decided_at = NOW
        session.flush()
        for scope in (EVERYTHING, limit(session, first=date(2026, 1, 1))):
            assert seen(session, scope) == set()


def test_the_latest_decision_counts(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        petra = builders.add_user(session)
        case = review_side.answered(session)
        review_side.decide(session, case, petra, now=NOW)
        scope = limit(session, first=NOW.date(), last=NOW.date())
        assert decided.find(session, case.reference, scope).case.id == case.id
        assert decided.years(session, scope) == (2026,)
        assert [row.reference for row in decided.page(session, decided.Filters(), 1, scope).items] == [case.reference]
        case.decided_at = NOW + timedelta(days=1)
        session.flush()
        with pytest.raises(NotFound):
            decided.find(session, case.reference, scope)
        assert (decided.years(session, scope), decided.page(session, decided.Filters(), 1, scope).total) == ((), 0)


def test_limits_take_the_place_of_those_before(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        vendor = builders.add_vendor(session)
        limit(session, first=MARCH[0], vendors=[vendor.reference])
        assert limit(session, last=MARCH[1]) == Scope(audrey, None, MARCH[1], None)
        assert scopes.lift(session, ADDRESS, by=SYSTEM, now=NOW).id == audrey
        assert scopes.of(session, audrey, [Role.AUDITOR]) == EVERYTHING


def test_every_change_is_in_the_trail_with_what_was_before(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        vendor = builders.add_vendor(session).reference
        limit(session, first=MARCH[0], last=MARCH[1])
        limit(session, vendors=[vendor])
        scopes.lift(session, ADDRESS, by=SYSTEM, now=NOW)
        rows = session.scalars(select(Event).where(Event.kind == EventKind.SCOPE_SET.value).order_by(Event.number))
        bodies = [trail.opened(session, row)[0] for row in rows]
    nothing = {"from": "", "to": "", "vendors": "all"}
    march = {"from": "2026-03-01", "to": "2026-03-31", "vendors": "all"}
    one = {"from": "", "to": "", "vendors": [vendor]}
    assert [(body["before"], body["after"]) for body in bodies] == [(nothing, march), (march, one), (one, nothing)]


def test_limits_hold_for_auditors_and_come_back_with_the_role(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        scope = limit(session, first=MARCH[0])
        assert scopes.of(session, audrey, [Role.ADMIN]) == EVERYTHING
        assert scopes.of(session, audrey, [Role.ADMIN, Role.AUDITOR]) == scope
        assert scopes.everybodys(session) == {audrey: scope}


def test_who_or_what_is_unknown_is_said_and_changes_nothing(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        before = limit(session, first=MARCH[0])
        with pytest.raises(NotFound, match="There is no vendor V-NONE"):
            limit(session, vendors=[builders.add_vendor(session).reference, "v-none"])
        with pytest.raises(NotFound, match="There is no account"):
            scopes.lift(session, "nobody@acme.example", by=SYSTEM, now=NOW)
        assert scopes.of(session, audrey, [Role.AUDITOR]) == before


def test_when_the_only_vendor_is_erased_what_is_left_of_it_is_seen_and_nothing_else(
    database: Database, audrey: UUID
) -> None:
    with database.writing() as session:
        vendor = builders.add_vendor(session)
        mine = add_decided(session, NOW, vendor)
        add_decided(session, NOW)
        limit(session, vendors=[vendor.reference])
        erasure.erase(session, vendor.reference, "The contract has ended for good.", by=SYSTEM, now=NOW)
    with database.reading() as session:
        scope = scopes.of(session, audrey, [Role.AUDITOR])
        assert scope.vendors == (vendor.reference,)
        assert seen(session, scope) == {mine}


def test_without_any_vendor_left_nothing_is_seen(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        add_decided(session, NOW)
        scope = limit(session, vendors=[])
        assert (scope.vendors, seen(session, scope)) == ((), set())
        assert scopes.words(scope) == "decided cases of 0 vendors"


def test_an_account_that_goes_takes_its_limits_along(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        limit(session, vendors=[builders.add_vendor(session).reference])
        session.delete(session.get_one(User, audrey))
        session.flush()
        assert scopes.everybodys(session) == {}


def test_a_limited_reader_finds_events_about_their_cases_only(database: Database, audrey: UUID) -> None:
    with database.writing() as session:
        vendor = builders.add_vendor(session)
        petra = builders.add_user(session)
        builders.add_user(session, "pavel@acme.example", name="Pavel Brook")
        case = builders.add_assessment(session, vendor, status=AssessmentStatus.DECIDED, owner=petra)
        add_decided(session, NOW)
        sight = Sight(sees_open=False, scope=limit(session, vendors=[vendor.reference]))
        found = trail_search.page(session, trail_search.Filters(), 1, sight)
        assert {line.thing.reference for line in found.items} == {case.reference} and found.total == len(found.items)
        everybody = [words for _, words in trail_search.people(session, sight)]
        assert everybody == ["People at vendors", "The service itself", "Petra Novak (petra@acme.example)"]
        for about in (ADDRESS, vendor.reference, "trail"):
            assert trail_search.page(session, trail_search.Filters(about=about), 1, sight).total == 0


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (EVERYTHING, "every decided case"),
        (Scope(UUID(int=1), *MARCH), "cases decided from 2026-03-01 to 2026-03-31 (UTC)"),
        (Scope(UUID(int=1), MARCH[0]), "cases decided from 2026-03-01 on (UTC)"),
        (Scope(UUID(int=1), None, MARCH[1], ("V-1",)), "cases decided up to 2026-03-31 (UTC), of 1 vendor"),
        (Scope(UUID(int=1), vendors=("V-1", "V-2")), "decided cases of 2 vendors"),
    ],
)
def test_it_is_said_in_words(scope: Scope, words: str) -> None:
    assert scopes.words(scope) == words
