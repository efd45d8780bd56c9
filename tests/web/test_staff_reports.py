"""Staff ask for a report, wait for it, download it; others get nothing."""

from __future__ import annotations

import hashlib

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders
from vendorrisk.db.models import Assessment, Event, Report
from vendorrisk.domain.assessment import RequestStatus, WorkState
from vendorrisk.services.reporting import reports
from vendorrisk.services.runtime import Runtime


@pytest.fixture
def case(runtime: Runtime) -> str:
    """The reference of a case whose answers are in."""
    with runtime.database.writing() as session:
        request = builders.add_request(session, status=RequestStatus.SUBMITTED)
        builders.add_answer(session, request, "remote_access", "managed")
        return session.get_one(Assessment, request.assessment_id).reference


def asked(petra: FlaskClient, case: str) -> str:
    """The address of a report just asked for."""
    answer = builders.post(petra, f"/assessments/{case}/reports")
    assert answer.status_code == 303
    return answer.location


def make(runtime: Runtime, address: str) -> None:
    """What the job does."""
    reference = address.rsplit("/", 1)[-1]
    with runtime.database.reading() as session:
        report = session.scalars(select(Report).where(Report.reference == reference)).one()
    reports.make(runtime.database, runtime.storage, report.id, now=builders.NOW)


def test_from_asking_to_the_file(petra: FlaskClient, case: str, runtime: Runtime) -> None:
    assert "No report yet" in petra.get(f"/assessments/{case}/reports").text
    address = asked(petra, case)
    waiting = petra.get(address)
    assert waiting.headers["Refresh"] == "2"
    assert "The report is being made" in waiting.text
    make(runtime, address)
    ready = petra.get(address)
    assert "Refresh" not in ready.headers
    file = petra.get(f"{address}.pdf")
    assert file.status_code == 200
    assert file.data.startswith(b"%PDF-1.7")
    assert hashlib.sha256(file.data).hexdigest() in ready.text
    assert asked(petra, case) == address


def test_the_file_is_saved_and_never_shown(petra: FlaskClient, case: str, runtime: Runtime) -> None:
    address = asked(petra, case)
    make(runtime, address)
    headers = petra.get(f"{address}.pdf").headers
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Content-Type"] == "application/pdf"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("sandbox")


def test_the_download_is_in_the_trail(petra: FlaskClient, case: str, runtime: Runtime) -> None:
    address = asked(petra, case)
    make(runtime, address)
    petra.get(f"{address}.pdf")
    with runtime.database.reading() as session:
        assert len(session.scalars(select(Event).where(Event.kind == "report.read")).all()) == 1


def test_a_report_that_is_not_made_cannot_be_downloaded(petra: FlaskClient, case: str) -> None:
    assert petra.get(f"{asked(petra, case)}.pdf").status_code == 404


def test_a_failed_report_says_why_and_can_be_tried_again(petra: FlaskClient, case: str, runtime: Runtime) -> None:
    address = asked(petra, case)
    with runtime.database.writing() as session:
        report = session.scalars(select(Report)).one()
        report.state, report.attempts, report.error = WorkState.FAILED, 3, "The report was not ready after 30 seconds."
    page = petra.get(address)
    assert "not ready after 30 seconds" in page.text
    assert "Refresh" not in page.headers
    again = builders.post(petra, f"{address}/retry", page=address)
    assert again.status_code == 303
    assert "is being made" in petra.get(address).text


@pytest.mark.parametrize(
    "address", ["/reports/P-2026-AAAAAA", "/reports/P-2026-AAAAAA.pdf", "/assessments/A-2026-9999/reports"]
)
def test_what_is_not_there_is_not_found(petra: FlaskClient, address: str) -> None:
    assert petra.get(address).status_code == 404


def test_strangers_get_nothing(
    petra: FlaskClient, audrey: FlaskClient, client: FlaskClient, case: str, runtime: Runtime
) -> None:
    address = asked(petra, case)
    make(runtime, address)
    for path in (address, f"{address}.pdf", f"/assessments/{case}/reports"):
        assert client.get(path).status_code in (302, 303, 404)
        assert audrey.get(path).status_code == 404
