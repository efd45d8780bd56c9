"""The answers page: what reviewers see of an answer, and what becomes of what they say."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import builders, review_side, statements
from tests.conftest import Cast, Clock
from tests.review_side import NOW
from tests.web import vendor_visits
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Answer, Assessment, Event, Request, Review
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.audit import EventKind
from vendorrisk.services.auditing import trail
from vendorrisk.services.casework import dossiers
from vendorrisk.services.runtime import Runtime

GATE = "EX-13"
ODD = "<script>alert('x')</script> \u202eRTL 𝔘 {{ 7 * 7 }}"


def under_review(database: Database, *names: str, **answers: object) -> str:
    """A case under review; `answers` by question id. Returns its reference."""
    with database.writing() as session:
        case, request = review_side.under_review(session, *names)
        for question, value in answers.items():
            builders.add_answer(session, request, question, value)  # type: ignore[arg-type]
        return case.reference


@pytest.fixture
def case(database: Database) -> str:
    """The tiny questionnaire, its gate answered."""
    return under_review(database, remote_access="managed")


def address(case: str, query: str = "") -> str:
    """The answers page."""
    return f"/assessments/{case}/answers{query}"


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


def kinds(session: Session, case: str) -> list[str]:
    """The kinds of events of a case, in order."""
    found = session.scalar(select(Assessment).where(Assessment.reference == case))
    assert found is not None
    return list(session.scalars(select(Event.kind).where(Event.object_id == found.id).order_by(Event.number)))


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


# ---------------------------------------------------------------- evidence


@pytest.fixture
def with_file(database: Database, runtime: Runtime, cast: Cast, case: str) -> str:
    """The address of a file that backs the gate's answer."""
    with database.writing() as session:
        request = dossiers.find(session, case).sent
        question = builders.question_of(session, request, "remote_access")
        name, by = "Überblick.txt", builders.actor(cast.petra)
        row = builders.add_evidence(session, runtime.storage, request, question, name, b"all our words", by=by, now=NOW)
        return f"/assessments/{case}/evidence/{row.id}"


def test_a_file_is_given_as_a_download_and_its_reading_is_in_the_trail(
    petra: FlaskClient, database: Database, case: str, with_file: str
) -> None:
    assert "Überblick.txt" in petra.get(address(case, f"?q={GATE}")).text
    answer = petra.get(with_file)
    assert answer.data == b"all our words"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["Cache-Control"] == "no-store"
    with database.reading() as session:
        assert kinds(session, case)[-1] == EventKind.EVIDENCE_READ.value


def test_a_file_of_another_case_is_not_found(petra: FlaskClient, database: Database, with_file: str) -> None:
    other = under_review(database)
    file_id = with_file.rsplit("/", 1)[1]
    assert petra.get(f"/assessments/{other}/evidence/{file_id}").status_code == 404


def test_auditors_and_strangers_do_not_get_evidence(
    audrey: FlaskClient, client: FlaskClient, database: Database, case: str, with_file: str
) -> None:
    assert audrey.get(with_file).status_code == 404
    assert client.get(with_file).status_code == 303
    with database.reading() as session:
        assert EventKind.EVIDENCE_READ.value not in kinds(session, case)


# ---------------------------------------------------------------- on the vendor's behalf


@pytest.fixture
def still_open(database: Database) -> str:
    """A case that the vendor may still answer."""
    with database.writing() as session:
        request = builders.add_request(session, status=RequestStatus.OPEN)
        return session.get_one(Assessment, request.assessment_id).reference


def behalf(case: str) -> str:
    """The form for the gate."""
    return address(case, f"/{GATE}/on-behalf")


FACTS = {
    "q-remote_access": "own", "q-remote_access-version": "0", "q-remote_access-comment": "", "origin": "public",
    "source": "https://example.org/finding", "answered_on": "1 March 2026",
}  # fmt: skip


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
