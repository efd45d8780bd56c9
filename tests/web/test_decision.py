"""Deciding on the page: refused until the answers are in, complete, once."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests import builders, review_side
from tests.review_side import REASON
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Decision
from vendorrisk.domain.assessment import AssessmentStatus, Outcome, RequestStatus
from vendorrisk.services.casework import dossiers
from vendorrisk.services.reviewing import decisions
from vendorrisk.services.reviewing.decisions import DecisionView

FORM = {"outcome": "approved", "reason": REASON, "valid_until": "2027-06-30", "accepts_provisional": "y"}
CONDITION = {"conditions-0-what": "Two factors", "conditions-0-owner": "Dana", "conditions-0-due": "1 Sep 2026"}


@pytest.fixture
def case(database: Database) -> str:
    """A case under review with one answer of three: provisional."""
    with database.writing() as session:
        case, request = review_side.under_review(session)
        builders.add_answer(session, request, "remote_access", "managed")
        return case.reference


def url(case: str) -> str:
    """The decision page."""
    return f"/assessments/{case}/decision"


def send(client: FlaskClient, case: str, **changed: Any) -> TestResponse:
    """Send the form as the page shows it."""
    page = client.get(url(case))
    seen = re.search(r'name="seen"[^>]*value="([0-9a-f]{64})"', page.text)
    assert seen is not None
    sent = {**FORM, "seen": seen[1], "csrf_token": builders.token_in(page), **changed}
    return client.post(url(case), data={key: value for key, value in sent.items() if value is not None})


def decided(database: Database, case: str) -> DecisionView | None:
    """What was decided."""
    with database.reading() as session:
        return decisions.of(session, dossiers.find(session, case))


def test_the_page_sums_the_case_up(petra: FlaskClient, case: str) -> None:
    page = petra.get(url(case)).text
    assert "Residual risk" in page and "Control effectiveness" in page
    assert "The score is provisional" in page and "1 answer not reviewed yet" in page
    assert re.search(r'name="valid_until"[^>]*value="2027-06-30"', page), "a year from today"


def test_a_decision_is_recorded_and_shown(petra: FlaskClient, database: Database, case: str) -> None:
    assert send(petra, case).status_code == 303
    page = petra.get(url(case)).text
    assert "Approved" in page and REASON in page and "Valid until" in page and "Make the report" in page
    assert f'action="/assessments/{case}/reports"' in page
    found = decided(database, case)
    assert found is not None and found.outcome is Outcome.APPROVED and found.decided_by == "Petra Novak"


def test_conditions_have_an_owner_and_a_date(petra: FlaskClient, database: Database, case: str) -> None:
    assert send(petra, case, outcome="with_conditions", **CONDITION).status_code == 303
    page = petra.get(url(case)).text
    assert "Approved with conditions" in page and "Two factors" in page and "1 Sep 2026" in page


@pytest.mark.parametrize(
    ("changed", "where", "says"),
    [
        ({"outcome": None}, "outcome", "Choose a decision."),
        ({"outcome": "postponed"}, "outcome", "Choose a decision."),
        ({"reason": "fine"}, "reason", "at least 15 characters"),
        ({"valid_until": ""}, "valid_until", "Enter until when"),
        ({"valid_until": "2026-06-30"}, "valid_until", "a day after today"),
        ({"valid_until": "2030-01-01"}, "valid_until", "at most 3 years"),
        ({"accepts_provisional": None}, "accepts_provisional", "The score is provisional"),
        ({"outcome": "with_conditions"}, "conditions", "at least one condition"),
        ({"outcome": "approved", **CONDITION}, "conditions", "Conditions belong"),
        ({"outcome": "with_conditions", "conditions-1-what": "x"}, "conditions-1-owner", "Say who sees to it."),
        (
            {"outcome": "with_conditions", **CONDITION, "conditions-0-due": "2026-06-01"}, "conditions-0-due",
            "must not lie in the past",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_and_nothing_typed_is_lost(
    petra: FlaskClient, database: Database, case: str, changed: dict[str, Any], where: str, says: str
) -> None:
    answer = send(petra, case, **{"conditions-0-what": "", **changed})
    assert answer.status_code == 422 and "<title>Error: " in answer.text
    said = html.unescape(answer.text)
    assert says in said and f'href="#{where}"' in said and f'id="{where}"' in said
    for value in (value for key, value in changed.items() if value and key not in ("outcome",)):
        assert value in said or (value == "1 Sep 2026" and "2026-09-01" in said)
    assert decided(database, case) is None


def test_another_row_comes_without_anything_being_recorded(petra: FlaskClient, database: Database, case: str) -> None:
    answer = send(petra, case, outcome="with_conditions", rows="add", reason="half a re", **CONDITION)
    assert answer.status_code == 200
    assert 'name="conditions-2-what"' in answer.text and "Two factors" in answer.text and "half a re" in answer.text
    assert decided(database, case) is None


def test_it_is_decided_once(petra: FlaskClient, adam: FlaskClient, database: Database, case: str) -> None:
    pages = [browser.get(url(case)) for browser in (petra, adam)]
    tokens = [builders.token_in(page) for page in pages]
    assert petra.post(url(case), data={**FORM, "csrf_token": tokens[0], "seen": seen_in(pages[0])}).status_code == 303
    rejected = {**FORM, "outcome": "rejected", "csrf_token": tokens[1], "seen": seen_in(pages[1])}
    second = adam.post(url(case), data=rejected)
    assert second.status_code == 409 and "decided already" in second.text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == 1
    found = decided(database, case)
    assert found is not None and found.outcome is Outcome.APPROVED


def seen_in(page: TestResponse) -> str:
    """The hash of the score that a page shows."""
    found = re.search(r'name="seen"[^>]*value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


def test_a_score_that_changed_meanwhile_gives_409_with_everything_typed(
    petra: FlaskClient, database: Database, case: str
) -> None:
    page = petra.get(url(case))
    with database.writing() as session:
        builders.add_answer(session, dossiers.find(session, case).sent, "remote_access", "own")
    answer = petra.post(url(case), data={**FORM, "csrf_token": builders.token_in(page), "seen": seen_in(page)})
    assert answer.status_code == 409
    assert "The score has changed" in answer.text and REASON in answer.text
    again = {**FORM, "csrf_token": builders.token_in(answer), "seen": seen_in(answer)}
    assert petra.post(url(case), data=again).status_code == 303


@pytest.mark.parametrize("status", [RequestStatus.SENT, RequestStatus.OPEN])
def test_nothing_is_decided_while_the_vendor_answers(
    petra: FlaskClient, database: Database, status: RequestStatus
) -> None:
    with database.writing() as session:
        request = builders.add_request(session, status=status)
        case = session.get_one(Assessment, request.assessment_id).reference
    assert "It cannot be decided yet" in petra.get(url(case)).text
    token = builders.token_in(petra.get("/home"))
    assert petra.post(url(case), data={**FORM, "csrf_token": token}).status_code == 409
    assert decided(database, case) is None


def test_nothing_is_decided_before_sending(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        case = builders.add_assessment(session, status=AssessmentStatus.READY).reference
    assert "Nothing has been sent" in petra.get(url(case)).text


def test_odd_text_is_kept_and_shown_as_text(petra: FlaskClient, case: str) -> None:
    odd = "<img src=x onerror=alert(1)> \u202e עברית 𝔘 {{ 7*7 }}"
    assert send(petra, case, reason=odd).status_code == 303
    page = petra.get(url(case)).text
    assert "<img src=x" not in page and "{{ 7*7 }}" in page and "עברית" in page


def test_auditors_and_strangers_do_not_decide(
    audrey: FlaskClient, client: FlaskClient, database: Database, case: str
) -> None:
    token = builders.token_in(audrey.get("/audit"))
    assert audrey.post(url(case), data={**FORM, "csrf_token": token}).status_code == 404
    assert client.get(url(case)).status_code == 303
    assert decided(database, case) is None
