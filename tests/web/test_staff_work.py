"""Staff see what is stuck, on Home, in the menu and on its page, and have it tried again."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders, staff_side, stuck_work
from tests.application import Clock
from tests.builders import NOW
from tests.cast import Cast
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Letter, Report
from vendorrisk.domain.assessment import WorkState
from vendorrisk.services import work


@pytest.fixture
def letter_id(database: Database, cast: Cast) -> str:
    """An invitation that the mail server refused."""
    with database.writing() as session:
        sent = staff_side.send(session, staff_side.ready(session, cast.petra, "Northwind Mail"), cast.petra)
        staff_side.refuse_letters(session, sent, "550 5.1.1 no such mailbox")
        return str(session.scalars(select(Letter.id)).one())


def state_of(database: Database) -> tuple[WorkState, int]:
    with database.reading() as session:
        row = session.scalars(select(Letter)).one()
        return row.state, row.attempts


def test_a_letter_that_failed_is_shown_everywhere_and_tried_again(
    petra: FlaskClient, database: Database, letter_id: str
) -> None:
    home, page = petra.get("/home").text, petra.get("/work").text
    assert "1 letter was not delivered" in home and 'href="/work"' in home
    for words in ("Northwind Mail", "Invitation to victor@northwind.example", "550 5.1.1 no such mailbox", "1 try"):
        assert words in page
    answer = builders.post(petra, f"/letters/{letter_id}/retry?back=work", page="/work")
    assert (answer.status_code, answer.location) == (303, "/work")
    assert state_of(database) == (WorkState.QUEUED, 0)
    with database.reading() as session:
        assert "letter.retried" in session.scalars(select(Event.kind)).all()
    assert "Nothing is stuck" in petra.get("/work").text
    assert "Stuck" not in petra.get("/home").text


def test_a_letter_that_is_put_off_shows_its_next_try_and_can_be_tried_now(
    petra: FlaskClient, adam: FlaskClient, database: Database, clock: Clock
) -> None:
    with database.writing() as session:
        row = stuck_work.put_off(session, clock.now)
    page = adam.get("/work").text
    assert "Tried 1 time; next try" in page and "451 later" in page and "Try now" in page
    assert "1 letter or report waits for another try" in petra.get("/home").text
    assert builders.post(petra, f"/letters/{row.id}/retry?back=work", page="/work").status_code == 303
    with database.reading() as session:
        again = session.get_one(Letter, row.id)
        assert (again.state, again.attempts, again.not_before) == (WorkState.QUEUED, 0, NOW)
        assert row.id in work.due(session, Letter, now=NOW)


def test_a_letter_that_nobody_takes_asks_whether_the_jobs_run(
    petra: FlaskClient, database: Database, clock: Clock
) -> None:
    with database.writing() as session:
        stuck_work.put(session, clock.now)
    clock.advance(minutes=6)
    page = petra.get("/work").text
    assert "Nobody works on it" in page and "Are the jobs running?" in page
    assert "Try now" not in page


def test_a_report_that_failed_is_tried_again_from_the_list(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        report = stuck_work.report(session, NOW, failed=True)
    assert "1 report could not be made" in petra.get("/home").text
    page = petra.get("/work").text
    assert f"Report {report.reference}" in page and "Not made" in page and "not ready after 28 seconds" in page
    answer = builders.post(petra, f"/reports/{report.reference}/retry?back=work", page="/work")
    assert (answer.status_code, answer.location) == (303, "/work")
    with database.reading() as session:
        assert session.get_one(Report, report.id).state is WorkState.QUEUED
