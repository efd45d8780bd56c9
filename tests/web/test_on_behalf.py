"""Answers on the vendor's behalf, as staff enter them, and the review begun on them."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests import builders, review_side
from tests.web import vendor_visits
from tests.web.answer_pages import FACTS, address, behalf, under_review
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Answer, Assessment
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.services.casework import dossiers


@pytest.fixture
def still_open(database: Database) -> str:
    """A case that the vendor may still answer."""
    with database.writing() as session:
        request = builders.add_request(session, status=RequestStatus.OPEN)
        return session.get_one(Assessment, request.assessment_id).reference


def test_staff_answer_from_public_facts(petra: FlaskClient, still_open: str) -> None:
    answer = builders.post(petra, behalf(still_open), FACTS)
    assert answer.status_code == 303
    page = petra.get(answer.location).text
    assert "Public facts" in page and "https://example.org/finding" in page
    assert "Entered by" in page and "Petra Novak, 1 Mar 2026" in page


@pytest.mark.parametrize(
    ("changed", "where", "says"),
    [
        ({"origin": ""}, "origin", "Say where the answer comes from."),
        ({"source": ""}, "source", "Give the link to the public source."),
        ({"source": "javascript:alert(1)"}, "source", "is not a web address"),
        ({"answered_on": "2026"}, "answered_on", "Enter the whole date"),
        ({"answered_on": "2026-07-01"}, "answered_on", "must not lie in the future"),
        ({"q-remote_access": ""}, "q-remote_access", "Enter the answer."),
        ({"q-remote_access": "nonsense"}, "q-remote_access", "is not one of the answers offered"),
        ({"q-remote_access-na": "1", "q-remote_access-na-reason": "no"}, "q-remote_access-na-reason", "15 characters"),
    ],
)
def test_bad_input_is_refused_and_nothing_typed_is_lost(
    petra: FlaskClient, database: Database, still_open: str, changed: dict[str, str], where: str, says: str
) -> None:
    answer = builders.post(petra, behalf(still_open), {**FACTS, "q-remote_access-comment": "kept words", **changed})
    assert answer.status_code == 422
    assert says in html.unescape(answer.text) and f'href="#{where}"' in answer.text
    assert f'id="{where}"' in answer.text
    assert "kept words" in answer.text and changed.get("source", FACTS["source"]) in html.unescape(answer.text)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 0


def test_an_answer_that_the_vendor_gave_meanwhile_is_shown_not_overwritten(
    petra: FlaskClient, database: Database, still_open: str
) -> None:
    page = petra.get(behalf(still_open))
    with database.writing() as session:
        builders.add_answer(session, dossiers.find(session, still_open).sent, "remote_access", "no")
    answer = petra.post(behalf(still_open), data={**FACTS, "csrf_token": builders.token_in(page)})
    assert answer.status_code == 409
    assert "Somebody has answered this question meanwhile" in answer.text
    assert "Keep theirs" in answer.text and re.search(r'value="own" checked', answer.text)
    again = {**FACTS, "q-remote_access-version": "1", "csrf_token": builders.token_in(answer)}
    assert petra.post(behalf(still_open), data=again).status_code == 303


def test_a_row_of_a_table_comes_without_anything_being_saved(petra: FlaskClient, database: Database) -> None:
    case = under_review(database, "data-sourcing")
    url = address(case, "/DS-02/on-behalf")
    column = review_side.themes("data-sourcing")[0].by_code["DS-02"].columns[0].id
    sent = {"q-source_register-rows": "1", "q-source_register-version": "0", "rows": "source_register:add"}
    answer = builders.post(petra, url, {**sent, f"q-source_register-0-{column}": "First source"})
    assert answer.status_code == 200
    assert "First source" in answer.text and f"q-source_register-1-{column}" in answer.text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 0


def test_the_review_is_started_with_a_reason(petra: FlaskClient, database: Database, still_open: str) -> None:
    url = f"/assessments/{still_open}/start-review"
    assert builders.post(petra, url, {"reason": "so"}).status_code == 422
    assert builders.post(petra, url, {"reason": "All answers come from public facts."}).status_code == 303
    with database.reading() as session:
        dossier = dossiers.find(session, still_open)
        assert dossier.case.status is AssessmentStatus.REVIEW and dossier.sent.status is RequestStatus.SUBMITTED
    assert petra.get(url).status_code == 409


def test_the_vendor_is_told_that_the_review_has_begun(app: Flask, petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        request = builders.add_request(session)
        token, case = builders.add_link(session, request), session.get_one(Assessment, request.assessment_id).reference
    visit = vendor_visits.enter(app, database, token)
    csrf = builders.token_in(visit.get("/start"))
    builders.post(petra, f"/assessments/{case}/start-review", {"reason": "All answers come from public facts."})
    page = visit.browser.get(visit.url(), follow_redirects=True)
    assert page.status_code == 200 and "The review has begun" in page.text
    late = {"csrf_token": csrf, "q-remote_access": "no", "q-remote_access-version": "0"}
    assert visit.browser.post(visit.url("/answers/remote_access"), data=late).status_code == 409
