"""Another vendor, another request, nobody: each vendor page answers them as if there were nothing."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders
from tests.domain.hostile_files import pdf
from tests.web import vendor_visits as visits
from tests.web.vendor_visits import Visit
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence, RespondentSession, Vendor

CANARY = "canary-7d1f"
PLACES = {
    "questionnaire_id": "follow-up", "section_id": "remote_work", "question_id": "remote_access",
}  # fmt: skip


@pytest.fixture
def victor(app: Flask, database: Database) -> Visit:
    """Victor, with an answer and a file that nobody else may see."""
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session))
    visit = visits.enter(app, database, token)
    visit.save("remote_access", value="no", comment=CANARY)
    data = {"q-remote_access-files": (io.BytesIO(pdf()), f"{CANARY}.pdf")}
    visit.post("/evidence/remote_access", data, content_type="multipart/form-data")
    return visit


def addresses(app: Flask, visit: Visit, database: Database) -> list[tuple[str, str]]:
    """Every address under /respond with every method that it takes."""
    with database.reading() as session:
        file_id = session.scalars(select(Evidence.id)).one()
    found = []
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/respond/"):
            known = {**PLACES, "reference": visit.reference, "file_id": file_id}
            values = {name: known[name] for name in rule.arguments}
            url = adapter.build(rule.endpoint, values)
            found += [(method, url) for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})]
    return found


def other_vendor(app: Flask, database: Database, victor: Visit) -> FlaskClient:
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session), "Mallory", "mallory@other.example")
    return visits.enter(app, database, token, name="Mallory").browser


def other_request_of_the_same_vendor(app: Flask, database: Database, victor: Visit) -> FlaskClient:
    with database.writing() as session:
        request = visits.request_of(database, victor.reference)
        vendor = session.get_one(Vendor, request.vendor_id)
        case = builders.add_assessment(session, vendor)
        token = builders.add_link(session, builders.add_request(session, case))
    return visits.enter(app, database, token).browser


def nobody(app: Flask, database: Database, victor: Visit) -> FlaskClient:
    return app.test_client()


def signed_out(app: Flask, database: Database, victor: Visit) -> FlaskClient:
    browser = app.test_client()
    cookie = victor.browser.get_cookie("respondent", path=victor.url())
    assert cookie is not None
    browser.set_cookie("respondent", cookie.value, path=victor.url())
    with database.writing() as session:
        session.scalars(select(RespondentSession)).one().ended_at = builders.NOW
    return browser


@pytest.mark.parametrize("stranger", [other_vendor, other_request_of_the_same_vendor, nobody, signed_out])
def test_a_stranger_gets_the_same_page_as_for_nothing(app: Flask, database: Database, victor: Visit, stranger) -> None:  # type: ignore[no-untyped-def]
    asked = addresses(app, victor, database)
    assert len(asked) >= 14
    browser: FlaskClient = stranger(app, database, victor)
    stolen = browser.get_cookie("respondent", path=victor.url())
    for cookie in [c for c in browser._cookies.values() if c.key == "respondent"] if browser._cookies else []:
        browser.set_cookie("respondent", cookie.value, path=victor.url())
    assert stolen is None or stranger is signed_out
    csrf = builders.token_in(browser.get("/q/" + "A" * 43))
    nothing = browser.get(f"/respond/R-ZZZZZZ/evidence/{uuid4()}")
    for method, url in asked:
        answer = browser.open(url, method=method, data={"csrf_token": csrf} if method == "POST" else None)
        assert answer.status_code == 404, (method, url)
        assert visits.without_token(answer) == visits.without_token(nothing), (method, url)
        assert CANARY not in answer.text


def test_a_file_of_another_request_is_not_given_out_under_ones_own(
    app: Flask, database: Database, victor: Visit
) -> None:
    with database.reading() as session:
        file_id = session.scalars(select(Evidence.id)).one()
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session), "Mallory", "mallory@other.example")
    mallory = visits.enter(app, database, token, name="Mallory")
    assert mallory.get(f"/evidence/{file_id}").status_code == 404
    page = "/sections/follow-up/remote_work"
    data = {**visits.fields_of(mallory.get(page)), "remove-file": f"remote_access:{file_id}"}
    assert mallory.browser.post(mallory.url(page), data=data).status_code == 404
    assert victor.get(f"/evidence/{file_id}").status_code == 200
