"""A file of another request cannot be had by naming it in a form; addresses are the matter of test_matrix.py."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy import select

from tests import builders
from tests.domain.hostile_files import pdf
from tests.web import vendor_visits as visits
from tests.web.vendor_visits import Visit
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence

CANARY = "canary-7d1f"


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
