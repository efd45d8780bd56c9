"""Nights when the clocks change, and clocks that are set: no link, code or sitting lives longer than it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import builders
from tests.application import Clock
from tests.web import vendor_visits as visits
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Request
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.services import limits
from vendorrisk.services.limits import Limit, TooMany
from vendorrisk.services.sending import access_codes, requests

LONDON = ZoneInfo("Europe/London")
NIGHTS = {
    "clocks go forward": datetime(2026, 3, 29, 1, tzinfo=UTC),
    "clocks go back": datetime(2026, 10, 25, 1, tzinfo=UTC),
}
"""The moments at which London changes its clocks."""
each_night = pytest.mark.parametrize("change", NIGHTS.values(), ids=list(NIGHTS))
SECOND = timedelta(seconds=1)


def at(clock: Clock, moment: datetime) -> datetime:
    """Set the application's clock, which here tells London's time: at night an hour is missing, or comes twice."""
    clock.now = moment.astimezone(LONDON)
    return moment


def asked(app: Flask, database: Database, token: str) -> tuple[FlaskClient, str]:
    """A browser that has asked for a code, and the code."""
    browser = app.test_client()
    return browser, visits.ask_for_code(browser, database, token)


def link_at(database: Database, moment: datetime, *, days: int = 14) -> str:
    with database.writing() as session:
        request = builders.add_request(session, due=moment + timedelta(days=days), now=moment)
        return builders.add_link(session, request, now=moment)


@each_night
@pytest.mark.parametrize(("after", "taken"), [(timedelta(minutes=10) - SECOND, True), (timedelta(minutes=10), False)])
def test_a_code_works_for_ten_minutes_on_nights_that_have_an_hour_more_or_less(
    app: Flask, database: Database, clock: Clock, change: datetime, after: timedelta, taken: bool
) -> None:
    made = at(clock, change - timedelta(minutes=5))
    token = link_at(database, made)
    browser, code = asked(app, database, token)
    at(clock, made + after)
    answer = builders.post(browser, visits.code_page(database, token), {"code": code})
    assert (answer.status_code == 303) is taken
    assert taken or "That code has expired" in answer.text


@each_night
def test_a_due_date_is_five_in_the_afternoon_there_whatever_the_night_before_did(change: datetime) -> None:
    now = change - timedelta(days=requests.DEFAULT_DAYS, hours=12)
    due = requests.default_due("Europe/London", now=now)
    assert (due.hour, due.minute, due.utcoffset()) == (17, 0, due.replace(fold=1).utcoffset())
    assert due.astimezone(UTC).hour in (16, 17)


@each_night
def test_a_link_and_its_sitting_end_at_the_moment_that_the_letter_names(
    app: Flask, database: Database, clock: Clock, change: datetime
) -> None:
    # Due two days before the change, closing twelve after it, at the same time of day in London.
    sent = at(clock, change - timedelta(days=10))
    due = datetime.combine((change - timedelta(days=2)).date(), requests.DUE_TIME, LONDON)
    with database.writing() as session:
        request = builders.add_request(session, due=due, now=sent)
        token = builders.add_link(session, request, now=sent)
        closes = request.closes_at
    assert closes.astimezone(LONDON).time() == requests.DUE_TIME
    visit = visits.enter(app, database, token)
    for moment, open_still in ((closes - SECOND, True), (closes, False), (closes + timedelta(hours=2), False)):
        at(clock, moment)
        assert (visit.get("").status_code == 200) is open_still
        assert ("Continue" in app.test_client().get(f"/q/{token}").text) is open_still


def test_a_code_is_not_taken_before_it_was_made_so_a_clock_set_back_lengthens_none(
    app: Flask, database: Database, clock: Clock
) -> None:
    made = clock.now
    token = link_at(database, made)
    browser, code = asked(app, database, token)
    clock.now = made - timedelta(hours=1)
    answer = builders.post(browser, visits.code_page(database, token), {"code": code})
    assert answer.status_code == 422
    assert "That code has expired" in answer.text
    clock.now = made - access_codes.CLOCKS_MAY_DIFFER  # two machines of one service, a little apart
    assert builders.post(browser, visits.code_page(database, token), {"code": code}).status_code == 303


def test_a_clock_set_back_gives_nobody_more_tries(database: Database, now: datetime) -> None:
    limit = Limit("tried", 3, timedelta(minutes=5))
    with database.writing() as session:
        for _ in range(limit.tries):
            limits.take(session, limit, "mallory", now=now)
        for back in (timedelta(0), timedelta(minutes=4), timedelta(days=1)):
            with pytest.raises(TooMany):
                limits.take(session, limit, "mallory", now=now - back)


def test_a_case_that_is_due_is_due_by_the_clock_of_its_zone(database: Database) -> None:
    """What is stored is a moment in UTC: no later change of clocks or rules of a zone moves it."""
    due = datetime(2026, 10, 25, 17, tzinfo=LONDON)
    with database.writing() as session:
        case = builders.add_assessment(session, status=AssessmentStatus.READY)
        request = builders.add_request(session, case, due=due)
        request_id = request.id
    with database.reading() as session:
        stored = session.get_one(Request, request_id).due_at
    assert stored == datetime(2026, 10, 25, 17, tzinfo=UTC)
    assert stored.tzinfo is UTC
