"""Whoever opens very many vendors in an hour proves who they are first, and the admins hear of it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders, review_side
from tests.application import Clock
from tests.cast import Cast, SignIn
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Letter, User
from vendorrisk.services.letters import outbox
from vendorrisk.services.limits import Limit
from vendorrisk.services.people import vendors_opened

FEW = 5


@pytest.fixture
def references(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Eight vendors; the limits are five instead of sixty, which `test_the_promise_is_sixty` sees to."""
    monkeypatch.setattr(vendors_opened, "OPENED", Limit("vendors opened by", FEW, vendors_opened.AN_HOUR))
    monkeypatch.setattr(vendors_opened, "READ", Limit("vendors read by", FEW, vendors_opened.AN_HOUR))
    monkeypatch.setattr(vendors_opened, "SEEN", Limit("vendors seen in lists by", FEW, vendors_opened.AN_HOUR))
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


def prove(browser: FlaskClient, database: Database, user: User) -> None:
    """The person says once more who they are."""
    with database.writing() as session:
        code = builders.app_code(session, user)
    builders.post(browser, "/sign-in/again", {"password": builders.PASSWORD, "code": code})


def test_the_promise_is_sixty() -> None:
    for limit, tries in ((vendors_opened.OPENED, 60), (vendors_opened.READ, 60), (vendors_opened.SEEN, 250)):
        assert (limit.tries, limit.per.total_seconds()) == (tries, 3600)


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
    prove(petra, database, cast.petra)
    assert opened(petra, references) == [200] * 8


@pytest.mark.parametrize("signs_in_anew", [False, True])
def test_whoever_proves_early_is_told_of_all_the_same(
    petra: FlaskClient, cast: Cast, database: Database, references: list[str], sign_in: SignIn, clock: Clock,
    signs_in_anew: bool,
) -> None:  # fmt: skip
    assert opened(petra, references[:FEW]) == [200] * FEW
    if signs_in_anew:
        clock.advance(minutes=1)  # a code holds once
        petra = sign_in(cast.petra)
    else:
        prove(petra, database, cast.petra)
    assert alarms(database) == (0, [])
    assert opened(petra, references[FEW:]) == [200] * 3
    assert alarms(database) == (1, [cast.adam.email])


def test_lists_count_what_they_show_for_the_alarm_and_hold_nobody_back(
    petra: FlaskClient, cast: Cast, database: Database, references: list[str]
) -> None:
    assert opened(petra, references[:FEW]) == [200] * FEW
    assert petra.get("/vendors?search=no-such-vendor").status_code == 200
    assert petra.get(f"/vendors?search={references[0]}").text.count("/vendors/V-") <= 1
    assert alarms(database) == (0, []), "the same ones again are nothing new"
    for _ in range(2):
        assert petra.get("/vendors").status_code == 200
    assert alarms(database) == (1, [cast.adam.email])
    assert opened(petra, references[FEW:]) == [303] * 3, "seen in a list is not opened"


def test_all_lists_of_names_count(
    petra: FlaskClient, audrey: FlaskClient, cast: Cast, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendors_opened, "SEEN", Limit("vendors seen in lists by", 60, vendors_opened.AN_HOUR))
    with database.writing() as session:
        for number in range(61):
            case, _ = review_side.under_review(session, vendor=f"Vendor {number}")
            review_side.decide(session, case, cast.petra)
    for browser, path in ((petra, "/assessments"), (audrey, "/audit")):
        before = alarms(database)[0]
        for page in (1, 2):
            browser.get(f"{path}?page={page}")
        assert alarms(database)[0] == before, "50 are not too many"
        browser.get(f"{path}?page=3")
        assert alarms(database)[0] == before + 1, path


def test_a_clock_that_was_ahead_silences_no_alarm(
    petra: FlaskClient, database: Database, references: list[str], clock: Clock, sign_in: SignIn, cast: Cast
) -> None:
    clock.advance(days=30)
    petra = sign_in(cast.petra)
    opened(petra, references)
    assert alarms(database)[0] == 1
    clock.advance(days=-30)
    petra = sign_in(cast.petra)
    opened(petra, references)
    assert alarms(database)[0] == 2


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
