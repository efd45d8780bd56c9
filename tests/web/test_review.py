"""The answers page: what reviewers see of an answer, and what becomes of what they say."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests import builders, review_side, statements
from tests.application import Clock
from tests.cast import Cast
from tests.web.answer_pages import FACTS, GATE, address, behalf, kinds, under_review
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Request, Review
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.audit import EventKind
from vendorrisk.services.auditing import trail
from vendorrisk.services.casework import dossiers

ODD = "<script>alert('x')</script> \u202eRTL 𝔘 {{ 7 * 7 }}"


@pytest.fixture
def case(database: Database) -> str:
    """The tiny questionnaire, its gate answered."""
    return under_review(database, remote_access="managed")


def review(client: FlaskClient, case: str, code: str = GATE, **data: object) -> TestResponse:
    """Send the review form as the page shows it, with these fields changed."""
    page = client.get(address(case, f"?q={code}")).text
    hidden = dict(re.findall(r'<input[^>]*name="(version|seen|show)"[^>]*value="([^"]*)"', page))
    sent = {**{name: html.unescape(value) for name, value in hidden.items()}, "csrf_token": builders.token_in(page)}
    return client.post(address(case, f"/{code}"), data={**sent, **data})


def stored(database: Database, case: str) -> list[Review]:
    """The reviews of a case."""
    with database.reading() as session:
        request = dossiers.find(session, case).sent
        return list(session.scalars(select(Review).where(Review.request_id == request.id)))


def test_the_page_shows_the_answer_with_all_that_is_known(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        case = review_side.clearview(session).reference
    page = petra.get(address(case, "?q=DS-06")).text
    assert "Yes, and the collection or use goes on" in page
    assert "Public facts" in page and "https://www.priv.gc.ca/" in page
    assert "Follow-up of DS-04" in page
    assert "Critical" in page and "Set off by the answer" in page
    assert "<strong>0.00</strong> of 1" in page and "weight 4 among the follow-ups" in page
    assert "39 left" in page or "40 left" in page


def test_each_filter_narrows_the_list_and_says_how_many(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        case, request = review_side.under_review(session, "breach-history")
        theme = review_side.themes("breach-history")[0]
        for code, said in {"BH-01": "yes", "BH-02": "no", "BH-03": "listed"}.items():
            builders.add_answer(session, request, theme.by_code[code].id, said)
        builders.add_answer(session, request, theme.by_code["BH-35"].id, not_applicable="There is nothing like that.")
        reference = case.reference
    listed = {}
    for show in ("review", "contradicted", "na", "unanswered"):
        page = petra.get(address(reference, f"?show={show}")).text
        listed[show] = re.findall(r'class="list-code">([^<]+)<', page)
    assert listed["review"] == ["BH-01", "BH-02", "BH-03", "BH-35"]
    assert listed["contradicted"] == ["BH-02", "BH-03"]
    assert listed["na"] == ["BH-35"]
    assert "BH-04" in listed["unanswered"] and "BH-01" not in listed["unanswered"]


def test_a_filter_that_finds_nothing_says_so(petra: FlaskClient, case: str) -> None:
    assert "No question fits" in petra.get(address(case, "?show=na")).text
    assert petra.get(address(case, "?show=nonsense")).status_code == 200


def test_save_and_next_keeps_the_word_and_goes_on(petra: FlaskClient, database: Database) -> None:
    case = under_review(database, "data-sourcing", data_origins=("cust",), bulk_collection="no")
    answer = review(petra, case, "DS-01", evidence="verified", note="Seen it.")
    assert answer.status_code == 303
    assert answer.location.endswith(f"{case}/answers?q=DS-02")
    page = petra.get(address(case, "?q=DS-01")).text
    assert "Reviewed by Petra Novak" in page and "Seen it." in page
    assert re.search(r'value="verified" checked', page)
    assert "1 left" in page


def test_next_among_those_to_review_is_the_next_to_review(petra: FlaskClient, database: Database) -> None:
    case = under_review(database, "data-sourcing", data_origins=("cust",), bulk_collection="no")
    answer = review(petra, case, "DS-01", evidence="claimed", show="review")
    assert answer.location.endswith("?q=DS-04&show=review")
    review(petra, case, "DS-04", evidence="claimed", show="review")
    assert "Nothing left to review" in petra.get(address(case, "?show=review")).text


def test_verified_without_anything_to_look_at_is_a_hint_not_a_block(petra: FlaskClient, database: Database) -> None:
    case = under_review(database, "data-sourcing", data_origins=("cust",))
    assert "There is no file and no source on this answer." in petra.get(address(case, "?q=DS-01")).text
    review(petra, case, "DS-01", evidence="verified")
    assert "it has no file and no source" in petra.get(address(case)).text
    assert len(stored(database, case)) == 1


def test_a_review_without_its_word_is_refused_and_keeps_the_note(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        found, request = review_side.under_review(session)
        builders.add_answer(session, request, "remote_access", not_applicable="We have no offices at all.")
        case = found.reference
    answer = review(petra, case, note="A note that must not be lost")
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert 'href="#na"' in answer.text and "A note that must not be lost" in answer.text
    assert stored(database, case) == []


def test_approving_not_applicable_moves_the_score(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        found, request = review_side.under_review(session, "customer-list-protection")
        builders.add_answer(session, request, "list_classification", not_applicable="We keep no list of customers.")
        case = found.reference
    counted = len(review_score(database, case))
    assert "It goes on counting as the worst answer" in petra.get(address(case, "?q=CL-01")).text
    review(petra, case, "CL-01", na="yes")
    assert len(review_score(database, case)) == counted - 1
    assert "Left out: it does not apply" in petra.get(address(case, "?q=CL-01")).text


def review_score(database: Database, case: str) -> tuple[object, ...]:
    """What counts in the first theme."""
    with database.reading() as session:
        found = session.scalar(select(Assessment).where(Assessment.reference == case))
        assert found is not None
        return review_side.score_of(session, found).score.themes[0].counted


def test_an_answer_that_changed_meanwhile_gives_409_and_keeps_what_was_typed(
    petra: FlaskClient, database: Database, case: str
) -> None:
    page = petra.get(address(case, f"?q={GATE}")).text
    with database.writing() as session:
        builders.add_answer(session, dossiers.find(session, case).sent, "remote_access", "own")
    sent = {"csrf_token": builders.token_in(page), "version": "1", "seen": "", "note": "my words"}
    answer = petra.post(address(case, f"/{GATE}"), data=sent)
    assert answer.status_code == 409
    assert "changed while you were looking" in answer.text and "Yes, with their own devices" in answer.text
    assert "my words" in answer.text
    assert stored(database, case) == []
    again = {**sent, "csrf_token": builders.token_in(answer.text), "version": "2"}
    assert petra.post(address(case, f"/{GATE}"), data=again).status_code == 303


def test_two_reviewers_at_once_give_one_review_and_one_409(
    petra: FlaskClient, adam: FlaskClient, database: Database, case: str
) -> None:
    forms = [browser.get(address(case, f"?q={GATE}")).text for browser in (petra, adam)]
    answers = [
        browser.post(
            address(case, f"/{GATE}"),
            data={"csrf_token": builders.token_in(page), "version": "1", "seen": "", "note": note},
        )
        for browser, page, note in zip((petra, adam), forms, ("first", "second"), strict=True)
    ]
    assert [answer.status_code for answer in answers] == [303, 409]
    assert "Somebody else has reviewed this answer meanwhile" in answers[1].text
    assert len(stored(database, case)) == 1


def test_a_long_note_is_refused_with_its_reason(petra: FlaskClient, database: Database, case: str) -> None:
    answer = review(petra, case, note="x" * 5001)
    assert answer.status_code == 422 and "5,001 characters" in answer.text


def test_odd_text_is_shown_as_text(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        found, request = review_side.under_review(session, vendor=ODD, service=ODD)
        builders.add_answer(session, request, "remote_access", "own", comment=ODD)
        case = found.reference
    page = petra.get(address(case, f"?q={GATE}")).text
    assert "<script>alert" not in page and html.escape(ODD, quote=False).split(" ")[0].replace("'", "&#39;") in page
    assert "{{ 7 * 7 }}" in page


def test_an_unknown_question_or_case_is_not_found(petra: FlaskClient, case: str) -> None:
    assert petra.get(address(case, "?q=XX-99")).status_code == 404
    assert petra.get("/assessments/A-2026-9999/answers").status_code == 404
    assert petra.get(address(case, "/XX-99/on-behalf")).status_code == 404


def test_hidden_questions_are_not_offered(petra: FlaskClient, database: Database) -> None:
    case = under_review(database, remote_access="no")
    page = petra.get(address(case)).text
    assert re.findall(r'class="list-code">([^<]+)<', page) == [GATE]


def test_reading_the_answers_is_an_event_once_in_ten_minutes(
    petra: FlaskClient, database: Database, clock: Clock, case: str
) -> None:
    def reads() -> int:
        with database.reading() as session:
            return kinds(session, case).count(EventKind.ANSWERS_READ.value)

    petra.get(address(case))
    petra.get(address(case, f"?q={GATE}"))
    assert reads() == 1
    clock.advance(minutes=11)
    petra.get(address(case))
    assert reads() == 2


def test_the_number_of_statements_does_not_grow_with_the_answers(petra: FlaskClient, database: Database) -> None:
    few = under_review(database, remote_access="managed")
    with database.writing() as session:
        many = review_side.clearview(session).reference
    counts = []
    for case in (few, many):
        petra.get(address(case))
        with statements.sent(database) as seen:
            assert petra.get(address(case)).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 17


def test_nothing_was_sent_yet(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        case = builders.add_assessment(session, status=AssessmentStatus.READY).reference
    assert "Nothing has been sent yet" in petra.get(address(case)).text


def test_before_the_answers_are_in_there_is_no_review_form(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        request = builders.add_request(session, status=RequestStatus.OPEN)
        builders.add_answer(session, request, "remote_access", "no")
        case = session.get_one(Assessment, request.assessment_id).reference
    page = petra.get(address(case, f"?q={GATE}")).text
    assert "The vendor is still answering" in page and "data-review" not in page
    sent = {"csrf_token": builders.token_in(petra.get("/home").text), "version": "1", "evidence": "claimed"}
    assert petra.post(address(case, f"/{GATE}"), data=sent).status_code == 409


def test_nothing_changes_once_it_is_decided(petra: FlaskClient, database: Database, cast: Cast, case: str) -> None:
    page = petra.get(address(case, f"?q={GATE}")).text
    with database.writing() as session:
        found = session.scalar(select(Assessment).where(Assessment.reference == case))
        assert found is not None
        review_side.decide(session, found, cast.petra)
    sent = {"csrf_token": builders.token_in(page), "version": "1", "seen": "", "evidence": "verified"}
    assert petra.post(address(case, f"/{GATE}"), data=sent).status_code == 409
    assert petra.post(behalf(case), data={**FACTS, **sent}).status_code == 409
    assert "frozen" in petra.get(address(case, f"?q={GATE}")).text
    with database.reading() as session:
        assert session.scalar(select(Request.answered)) == 0 and stored(database, case) == []
        assert trail.of_case(session, dossiers.find(session, case), 1).page.items[0].kind != "answer.reviewed"
