"""How many statements a page takes is fixed: it does not grow with vendors, cases or answers."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders, statements
from tests.databases import ON_SQLITE
from tests.web import vendor_visits as visits
from tests.web.vendor_visits import Visit
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Request
from vendorrisk.domain.assessment import AssessmentStatus

pytestmark = ON_SQLITE
SECTION = "/sections/follow-up/remote_work"


@pytest.mark.parametrize(("page", "most"), [("/home", 12), ("/vendors", 6), ("/assessments", 7)])
def test_a_list_takes_as_many_statements_for_three_cases_as_for_thirty(
    petra: FlaskClient, database: Database, page: str, most: int
) -> None:
    found = []
    for more in (3, 27):
        with database.writing() as session:
            for _ in range(more):
                builders.add_request(session, builders.add_assessment(session, status=AssessmentStatus.READY))
        looks = []
        for _ in range(3):  # whose names somebody sees is counted at the first, and remembered at the second
            with statements.reaching_the_driver(database) as seen:
                assert petra.get(page).status_code == 200
            looks.append(len(seen))
        found.append(looks)
    assert found[0] == found[1], seen
    assert looks[0] <= most + 4 and looks[2] <= most, looks


def test_a_case_takes_as_many_statements_with_answers_as_without(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        request = builders.add_request(session)
        reference = session.get_one(Assessment, request.assessment_id).reference
    petra.get(f"/assessments/{reference}")  # that somebody opens a vendor is counted once
    found = []
    for question_id in ("", "remote_access"):
        if question_id:
            with database.writing() as session:
                builders.add_answer(session, session.scalars(select(Request)).one(), question_id, "own")
        with statements.reaching_the_driver(database) as seen:
            assert petra.get(f"/assessments/{reference}").status_code == 200
        found.append(len(seen))
    assert found[0] == found[1], seen


@pytest.fixture
def victor(app: Flask, database: Database) -> Visit:
    """Victor's browser, past Start."""
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session))
    return visits.enter(app, database, token)


def test_a_section_takes_as_many_statements_with_three_answers_as_with_one(victor: Visit, database: Database) -> None:
    found = []
    for question_id in ("remote_access", "own_devices_checked", "remote_access_logged"):
        victor.save(question_id, value="own" if question_id == "remote_access" else "yes")
        with statements.reaching_the_driver(database) as seen:
            assert victor.get(SECTION).status_code == 200
        found.append(len(seen))
    assert len(set(found)) == 1 and found[0] <= 6, seen


def test_a_save_takes_six_statements_however_many_answers_there_are(victor: Visit, database: Database) -> None:
    token = builders.token_in(victor.get(SECTION))
    found = []
    for question_id, value in (
        ("remote_access", "own"),
        ("own_devices_checked", "yes"),
        ("remote_access_logged", "no"),
    ):
        data = {"csrf_token": token, f"q-{question_id}": value, f"q-{question_id}-version": "0"}
        with statements.reaching_the_driver(database) as seen:
            assert victor.browser.post(victor.url(f"/answers/{question_id}"), data=data).status_code == 200
        found.append(seen)
    # Who saves, the answer, the outline of all; the answer, its event, the counts.
    assert [len(each) for each in found] == [6, 6, 6], found
