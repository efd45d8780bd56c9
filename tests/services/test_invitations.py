"""Links, codes and limits under pressure: parallel guesses and redeems, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import builders
from tests.web import vendor_visits as visits
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import AccessCode, Attempt, Event, Invitation, RespondentSession, Vendor
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.errors import NotFound
from vendorrisk.services import limits
from vendorrisk.services.answering import sittings
from vendorrisk.services.limits import Limit, TooMany
from vendorrisk.services.sending import access_codes, invitations
from vendorrisk.services.sending.access_codes import Refusal

NOW = builders.NOW
BROWSER = "the browser that asked"
THREE = Limit("test", 3, timedelta(minutes=10))


def together(count: int, what: Callable[[int], object]) -> list[object]:
    """Do something many times at once."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(what, range(count)))


@pytest.fixture
def token(database: Database) -> str:
    with database.writing() as session:
        return builders.add_link(session, builders.add_request(session))


@pytest.fixture
def code(database: Database, token: str) -> str:
    with database.writing() as session:
        found = invitations.find(session, token, now=NOW)
        assert found is not None
        access_codes.send(session, found, BROWSER, now=NOW)
    (letter,) = visits.letters(database, "access_code")
    return str(re.findall(r"code: (\d{6})", letter["text"])[0])


def redeem(database: Database, token: str, code: str) -> Refusal | None:
    with database.writing() as session:
        found = invitations.find(session, token, now=NOW)
        assert found is not None
        return access_codes.redeem(session, found, BROWSER, code, now=NOW).refusal


def test_a_code_redeemed_by_twenty_at_once_works_once(database: Database, token: str, code: str) -> None:
    outcomes = together(20, lambda _: redeem(database, token, code))
    assert outcomes.count(None) == 1


def test_twenty_guesses_at_once_are_five_tries(database: Database, token: str, code: str) -> None:
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    together(20, lambda _: redeem(database, token, wrong))
    with database.reading() as session:
        assert session.scalars(select(AccessCode.tries)).one() == 5
        refused = select(func.count()).where(Event.kind == "invitation.code_refused")
        assert session.scalar(refused) == 5
    assert redeem(database, token, code) is Refusal.LOCKED


def test_neither_token_nor_code_is_stored_in_plain(session: Session) -> None:
    request = builders.add_request(session)
    token = builders.add_link(session, request)
    row = session.scalars(select(Invitation)).one()
    assert row.token_hash == invitations.digest(token)
    assert len(token) == 43
    assert b"victor" not in row.email + row.name


def test_a_new_link_replaces_the_old_and_signs_another_person_out(session: Session) -> None:
    request = builders.add_request(session)
    old = invitations.find(session, builders.add_link(session, request), now=NOW)
    assert old is not None
    cookie = sittings.start(session, old, now=NOW)
    builders.add_link(session, request)
    assert sittings.find(session, request.reference, cookie, now=NOW).request is request
    builders.add_link(session, request, "Priya Rao", "priya@northwind.example")
    session.expire_all()
    with pytest.raises(NotFound):
        sittings.find(session, request.reference, cookie, now=NOW)


def test_a_link_dies_with_the_request_and_with_its_withdrawal(session: Session) -> None:
    request = builders.add_request(session)
    token = builders.add_link(session, request)
    assert invitations.find(session, token, now=request.closes_at - timedelta(seconds=1)) is not None
    assert invitations.find(session, token, now=request.closes_at) is None
    request.withdrawn_at = NOW
    session.flush()
    assert invitations.find(session, token, now=NOW) is None


def test_the_first_browser_opens_the_request_once(session: Session) -> None:
    link = invitations.find(session, builders.add_link(session, builders.add_request(session)), now=NOW)
    assert link is not None
    sittings.start(session, link, now=NOW)
    sittings.start(session, link, now=NOW + timedelta(hours=1))
    session.refresh(link.request)
    assert link.request.opened_at == NOW
    assert session.scalar(select(func.count()).select_from(RespondentSession)) == 2


@pytest.mark.parametrize(
    ("email", "shown"),
    [("dana@northwind.example", "d•••@n•••.example"), ("a@b.co.uk", "a•••@b•••.uk"), ("x@localhost", "x•••@l•••")],
)
def test_an_address_is_masked(email: str, shown: str) -> None:
    assert invitations.masked(email) == shown


def test_a_limit_lets_three_through_and_says_when_to_come_back(session: Session) -> None:
    for _ in range(3):
        limits.take(session, THREE, "somebody", now=NOW)
    with pytest.raises(TooMany) as refused:
        limits.take(session, THREE, "somebody", now=NOW + timedelta(minutes=4))
    assert refused.value.retry_after == timedelta(minutes=6)
    limits.take(session, THREE, "somebody else", now=NOW)
    limits.take(session, THREE, "somebody", now=NOW + timedelta(minutes=10))
    assert limits.is_reached(session, THREE, "somebody", now=NOW + timedelta(minutes=10)) is False
    limits.forget(session, THREE, "somebody else")
    assert session.scalar(select(func.count()).select_from(Attempt)) == 1


def test_a_limit_holds_under_twenty_at_once_and_survives_a_restart(database: Database) -> None:
    def take(_: int) -> bool:
        try:
            with database.writing() as session:
                limits.take(session, THREE, "somebody", now=NOW)
        except TooMany:
            return False
        return True

    assert together(20, take).count(True) == 3
    again = Database(database.engine, database.master)
    with again.writing() as session, pytest.raises(TooMany):
        limits.take(session, THREE, "somebody", now=NOW)


def test_issuing_a_link_is_in_the_trail(session: Session) -> None:
    request = builders.add_request(session)
    key_id = session.get_one(Vendor, request.vendor_id).key_id
    invitations.issue(session, request, "Victor", "victor@northwind.example", key_id=key_id, by=SYSTEM, now=NOW)
    event = session.scalars(select(Event).where(Event.kind == "invitation.issued")).one()
    assert vault.open_json(session, event.details, context="trail.details")["to"] == "victor@northwind.example"
