"""No request, however odd, is answered with an error of ours: every POST is tried with what its forms do not offer."""

from __future__ import annotations

from random import Random

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders, dump, review_side, sides
from tests.cast import Cast, SignIn
from tests.web import fuzzing, worlds
from tests.web import vendor_visits as visits
from vendorrisk.db.engine import Database
from vendorrisk.services.runtime import Runtime

EXAMPLES = 40
SHOTS = 12
"""For each example: a number that all its randomness follows from."""


def test_nothing_that_is_sent_breaks_anything(app: Flask, runtime: Runtime, cast: Cast, sign_in: SignIn) -> None:
    found = fuzzing.find(app, worlds.build(app, runtime, cast, sign_in, fuzzing.EXAMPLES))
    posts = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    assert posts - found.endpoints == {"security.logout"}, "tell fuzzing.find where these forms are"
    snapshot = dump.Snapshot(runtime.database)

    @settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**32))
    def shoot(seed: int) -> None:
        chance = Random(seed)
        for _ in range(SHOTS):
            target = chance.choice(found.targets)
            answer = fuzzing.shoot(target, chance)
            assert answer.status_code < 500, f"{target.person} at {target.form.action}"
        snapshot.restore()

    shoot()
    snapshot.close()


# ---------------------------------------------------------------- what did break things once


def test_a_row_or_version_that_is_no_number_of_ours_is_none(app: Flask, database: Database) -> None:
    with database.writing() as session:
        asked = [sides.example("table"), builders.tiny()]
        token = builders.add_link(session, builders.add_request(session, questionnaires=asked))
    visit = visits.enter(app, database, token)
    page, many = "/sections/table/suppliers", "9" * 5_000
    for rows in ("x", "²", many, "-1"):
        odd = {"q-suppliers_with_access-version": many, "q-suppliers_with_access-rows": rows}
        odd |= {"q-suppliers_with_access-0-since": "never", "rows": f"suppliers_with_access:remove:{many}"}
        assert visit.post(page, odd, page=page).status_code in (303, 422), rows


def test_a_button_that_the_page_does_not_hold_leads_on_as_usual(app: Flask, database: Database) -> None:
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session))
    visit = visits.enter(app, database, token)
    page = "/sections/follow-up/remote_work"
    answer = visit.post(page, {"stay": "x\r\nSet-Cookie: a=b"}, page=page)
    assert answer.status_code == 303
    assert answer.location == visit.url("/check")


def test_the_number_of_a_condition_is_a_plain_one(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        case, _ = review_side.under_review(session)
    page = f"/assessments/{case.reference}/decision"
    for number in ("²", "9" * 5_000, "-1", ""):
        assert builders.post(petra, page, {f"conditions-{number}-what": "x"}).status_code == 422


def test_a_vendors_version_is_a_plain_number(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        vendor = builders.add_vendor(session)
    page = f"/vendors/{vendor.reference}/edit"
    assert builders.post(petra, page, {"name": "Northwind", "version": "9" * 5_000}).status_code == 409


def test_a_part_without_a_name_is_refused(client: FlaskClient) -> None:
    body = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"
    answer = client.post("/sign-in", data=body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 400


def test_what_no_form_sends_is_refused_and_says_so(client: FlaskClient) -> None:
    csrf = {"X-CSRFToken": builders.token_in(client.get("/sign-in"))}
    bodies: list[object] = [{"email": 5}, {"email": "\ud800", "password": ["x"]}, "x", [[]]]
    for body in bodies:
        answer = client.post("/sign-in", json=body, headers=csrf)
        assert answer.status_code == 415
        assert "use its buttons" in answer.text


def test_an_address_with_a_nul_leads_nowhere(client: FlaskClient, petra: FlaskClient) -> None:
    assert petra.get("/vendors/a%00b").status_code == 404
    assert client.get("/q/a%00b").status_code == 404


@pytest.mark.postgres
def test_a_search_for_a_nul_finds_nothing(petra: FlaskClient, audrey: FlaskClient) -> None:
    assert petra.get("/vendors?search=a%00b").status_code == 200
    assert audrey.get("/audit?search=a%00b").status_code == 200


@pytest.mark.postgres
def test_a_reference_with_a_nul_is_none(client: FlaskClient) -> None:
    answer = builders.post(client, "/q/fresh", {"reference": "R-\x00"}, page="/q/nothing")
    assert answer.status_code == 303


@pytest.mark.postgres
def test_a_key_with_a_nul_does_not_keep_answers_from_being_sent(app: Flask, database: Database) -> None:
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session))
    visit = visits.enter(app, database, token)
    sent = {"name": "Victor", "role": "Head", "declared": "1", "incomplete": "1", "key": "a\x00b" * 100}
    assert visit.post("/submit", sent, page="/check").status_code == 303
    assert visit.get("/done").status_code == 200
