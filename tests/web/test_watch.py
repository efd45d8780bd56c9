"""Whoever opens very many vendors in an hour proves who they are first, and the admins hear of it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders
from tests.application import Clock
from tests.cast import Cast
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Letter
from vendorrisk.services.letters import outbox
from vendorrisk.services.limits import Limit
from vendorrisk.services.people import vendors_opened

FEW = 5


@pytest.fixture
def references(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Eight vendors; the limit is five instead of sixty, which `test_the_promise_is_sixty` sees to."""
    monkeypatch.setattr(vendors_opened, "OPENED", Limit("vendors opened by", FEW, vendors_opened.AN_HOUR))
    with database.writing() as session:
        return [builders.add_vendor(session).reference for _ in range(8)]


def opened(browser: FlaskClient, references: list[str]) -> list[int]:
    """What becomes of opening each."""
    return [browser.get(f"/vendors/{reference}").status_code for reference in references]


def alarms(database: Database) -> tuple[int, list[str]]:
    """How many events, and the addresses of the letters."""
    with database.reading() as session:
        events = session.scalars(select(Event).where(Event.kind == "user.many_vendors_opened")).all()
        letters = session.scalars(select(Letter).where(Letter.kind == "many_vendors")).all()
        return len(events), [vault.open_json(session, row.content, context=outbox.CONTEXT)["to"] for row in letters]


def test_the_promise_is_sixty() -> None:
    assert (vendors_opened.OPENED.tries, vendors_opened.OPENED.per.total_seconds()) == (60, 3600)


def test_one_vendor_more_asks_and_alarms_once(
    petra: FlaskClient, cast: Cast, database: Database, references: list[str]
) -> None:
    assert opened(petra, references) == [200] * FEW + [303] * 3
    assert petra.get(f"/vendors/{references[6]}").location == f"/sign-in/again?next=/vendors/{references[6]}&why=many"
    assert "very many vendors" in petra.get(petra.get(f"/vendors/{references[6]}").location).text
    assert alarms(database) == (1, [cast.adam.email])
    assert opened(petra, references[:FEW]) == [200] * FEW, "those that are open already stay open"


def test_after_the_proof_there_are_as_many_again(
    petra: FlaskClient, cast: Cast, database: Database, references: list[str]
) -> None:
    opened(petra, references)
    with database.writing() as session:
        code = builders.app_code(session, cast.petra)
    builders.post(petra, "/sign-in/again", {"password": builders.PASSWORD, "code": code})
    assert opened(petra, references) == [200] * 8


def test_the_same_vendor_counts_once_by_whatever_page(
    petra: FlaskClient, database: Database, references: list[str]
) -> None:
    with database.writing() as session:
        case = builders.add_assessment(session)
        request = builders.add_request(session, case)
        pages = [
            f"/assessments/{case.reference}",
            f"/requests/{request.reference}",
            f"/assessments/{case.reference}/trail",
        ]
    for page in pages * 4:
        assert petra.get(page).status_code == 200
    assert opened(petra, references) == [200] * (FEW - 1) + [303] * 4


def test_an_hour_later_it_begins_anew(petra: FlaskClient, references: list[str], clock: Clock) -> None:
    opened(petra, references[:FEW])
    clock.advance(hours=1)
    assert opened(petra, references[FEW:]) == [200] * 3


def test_what_does_not_exist_is_not_counted(petra: FlaskClient, references: list[str]) -> None:
    assert opened(petra, ["V-NOTHING"] * 9) == [404] * 9
    assert opened(petra, references[:FEW]) == [200] * FEW


def test_people_are_counted_apart(petra: FlaskClient, adam: FlaskClient, references: list[str]) -> None:
    opened(petra, references)
    assert opened(adam, references[:FEW]) == [200] * FEW
