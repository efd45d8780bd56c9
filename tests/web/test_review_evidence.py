"""Files behind the answers: given to staff as downloads, each reading in the trail."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests import builders
from tests.cast import Cast
from tests.review_side import NOW
from tests.web.answer_pages import GATE, address, kinds, under_review
from vendorrisk.db.engine import Database
from vendorrisk.domain.audit import EventKind
from vendorrisk.services.casework import dossiers
from vendorrisk.services.runtime import Runtime


@pytest.fixture
def case(database: Database) -> str:
    """The tiny questionnaire, its gate answered."""
    return under_review(database, remote_access="managed")


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
