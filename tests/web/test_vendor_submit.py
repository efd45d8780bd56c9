"""Checking and sending: what is missing is said, it is sent once, and afterwards it can only be read."""

from __future__ import annotations

import re
import threading

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests import builders
from tests.web import vendor_visits as visits
from tests.web.vendor_visits import Visit
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Score
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.library import shipped

DECLARED = {"name": "Victor Lang", "role": "Head of security", "declared": "y", "incomplete": "y"}


@pytest.fixture
def token(database: Database) -> str:
    with database.writing() as session:
        petra = builders.add_user(session)
        case = builders.add_assessment(session, status=AssessmentStatus.READY, owner=petra)
        return builders.add_link(session, builders.add_request(session, case, sender=petra))


@pytest.fixture
def victor(app: Flask, database: Database, token: str) -> Visit:
    return visits.enter(app, database, token)


def test_a_receipt_says_what_was_sent(victor: Visit, database: Database) -> None:
    victor.save("remote_access", value="own")
    victor.save("own_devices_checked", na="1", na_reason="We are moving off them.")
    victor.save("remote_access_logged", unknown="1")
    answer = victor.post("/submit", DECLARED, page="/check")
    assert answer.location == victor.url("/done")
    page = victor.get("/done")
    assert "1 answered, 1 not applicable, 1 do not know, 0 unanswered, of 3" in page.text
    request = visits.request_of(database, victor.reference)
    assert request.status is RequestStatus.SUBMITTED
    assert request.submission_hash is not None and request.submission_hash in page.text
    assert re.fullmatch("[0-9a-f]{64}", request.submission_hash)
    assert "Tue 30 Jun 2026, 10:00 London" in page.text
    (receipt,) = visits.letters(database, "receipt")
    assert request.submission_hash in receipt["text"]
    assert receipt["to"] == "victor@northwind.example"
    (arrived,) = visits.letters(database, "answers_arrived")
    assert arrived["to"] == "petra@acme.example"


def test_sending_moves_the_case_to_review_and_scores_it(victor: Visit, database: Database) -> None:
    victor.save("remote_access", value="no")
    victor.post("/submit", DECLARED, page="/check")
    with database.reading() as session:
        case = session.scalars(select(Assessment)).one()
        assert case.status is AssessmentStatus.REVIEW
        assert case.band is not None
        assert session.scalar(select(func.count()).select_from(Score)) == 1


def test_sending_twice_is_sending_once(victor: Visit, database: Database) -> None:
    victor.save("remote_access", value="no")
    csrf = builders.token_in(victor.get("/check"))
    first = victor.browser.post(victor.url("/submit"), data={**DECLARED, "csrf_token": csrf})
    receipt = visits.without_token(victor.get("/done"))
    second = victor.browser.post(victor.url("/submit"), data={**DECLARED, "name": "Somebody Else", "csrf_token": csrf})
    assert first.location == second.location == victor.url("/done")
    assert visits.without_token(victor.get("/done")) == receipt
    assert len(visits.letters(database, "receipt")) == len(visits.letters(database, "answers_arrived")) == 1


def test_twenty_at_once_send_once(app: Flask, victor: Visit, database: Database) -> None:
    victor.save("remote_access", value="no")
    csrf = builders.token_in(victor.get("/check"))
    seen: list[int] = []

    def press() -> None:
        browser = app.test_client()
        browser._cookies = dict(victor.browser._cookies or {})
        seen.append(browser.post(victor.url("/submit"), data={**DECLARED, "csrf_token": csrf}).status_code)

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [303] * 20
    assert len(visits.letters(database, "receipt")) == 1


def test_nothing_is_sent_without_the_declaration(victor: Visit, database: Database) -> None:
    victor.save("remote_access", value="no")
    answer = victor.post("/submit", {"name": "", "role": "CEO"}, page="/check")
    assert answer.status_code == 422
    assert "Confirm that the answers are true and complete." in answer.text
    assert "Enter your name." in answer.text
    assert visits.request_of(database, victor.reference).status is RequestStatus.OPEN


def test_missing_answers_are_listed_and_must_be_owned_up_to(victor: Visit, database: Database) -> None:
    victor.save("remote_access", value="own")
    page = visits.text_of(victor.get("/check"))
    assert "2 required questions without an answer" in page
    answer = victor.post("/submit", {**DECLARED, "incomplete": ""}, page="/check")
    assert answer.status_code == 422
    assert "or confirm that they stay unanswered" in answer.text
    assert victor.post("/submit", DECLARED, page="/check").status_code == 303


def test_afterwards_everything_can_be_read_and_nothing_changed(victor: Visit, database: Database) -> None:
    victor.save("remote_access", value="no", comment="Only in the office")
    csrf = builders.token_in(victor.get("/check"))
    victor.post("/submit", DECLARED, page="/check")
    data = {"q-remote_access": "own", "q-remote_access-version": "1", "csrf_token": csrf}
    assert victor.browser.post(victor.url("/answers/remote_access"), data=data).status_code == 409
    section = victor.url("/sections/follow-up/remote_work")
    assert victor.browser.post(section, data=data).status_code == 409
    assert victor.browser.get(section).location == victor.url("/done")
    assert victor.get().location == victor.url("/done")
    check = victor.get("/check")
    assert "Only in the office" in check.text
    assert "Declaration" not in check.text
    assert "/sections/" not in check.text


def test_contradictions_are_shown_before_sending(app: Flask, database: Database) -> None:
    asked = shipped.load().questionnaires["breach-history"]
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session, questionnaires=[asked]))
    visit = visits.enter(app, database, token)
    visit.save("breach_event", value="no")
    visit.save("outsider_view", value="listed")
    page = visits.text_of(visit.get("/check"))
    assert "not fit together" in page
    assert "Change BH-02" in page


def test_the_filters_of_the_check_page(victor: Visit) -> None:
    victor.save("remote_access", value="own")
    victor.save("own_devices_checked", na="1", na_reason="We are moving off them.")

    def codes(show: str) -> list[str]:
        return re.findall(r'<dt><span class="code">(EX-\d+)', victor.get(f"/check?show={show}").text)

    assert codes("all") == ["EX-13", "EX-14", "EX-15"]
    assert codes("unanswered") == ["EX-15"]
    assert codes("na") == ["EX-14"]
