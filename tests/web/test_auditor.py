"""What auditors get: the decided cases, their figures, reports and trails; and that they change nothing."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.application import Clock
from tests.cast import Cast
from tests.review_side import NOW, REASON
from vendorrisk.db import vault
from vendorrisk.db.base import Base
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Event, Report, Vendor
from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.audit import EventKind
from vendorrisk.services import paging
from vendorrisk.services.reporting import reports
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import sealed


@pytest.fixture
def decided(database: Database, cast: Cast) -> str:
    """The reference of a decided case."""
    with database.writing() as session:
        case, request = review_side.under_review(session)
        builders.add_answer(session, request, "remote_access", "managed")
        review_side.decide(session, case, cast.petra)
        return case.reference


@pytest.fixture
def undecided(database: Database) -> str:
    """The reference of a case that is still under review."""
    with database.writing() as session:
        return review_side.under_review(session, vendor="Secret Vendor")[0].reference


def case_of(session: Session, reference: str) -> Assessment:
    """The case with this reference."""
    return session.scalars(select(Assessment).where(Assessment.reference == reference)).one()


def test_the_list_shows_decided_cases_only(audrey: FlaskClient, decided: str, undecided: str) -> None:
    page = audrey.get("/audit").text
    assert decided in page and "Northwind Mail" in page and "Approved" in page and "Petra Novak" in page
    assert undecided not in page and "Secret Vendor" not in page


def test_the_list_is_narrowed_by_the_address(audrey: FlaskClient, decided: str) -> None:
    assert decided in audrey.get(f"/audit?year=2026&tier=2&search={decided[-4:]}").text
    for narrowed in ("year=2025", "tier=4", "band=Low", "search=A-1999"):
        page = audrey.get(f"/audit?{narrowed}")
        assert page.status_code == 200 and decided not in page.text and "Clear filters" in page.text
    assert decided not in audrey.get("/audit?year=9999").text
    for nonsense in ("year=20x6", "year=٢٠٢٦", "tier=99", "band=%3Cscript%3E", "page=-1", "page=x"):
        assert decided in audrey.get(f"/audit?{nonsense}").text


def test_an_empty_list_says_what_will_stand_there(audrey: FlaskClient, undecided: str) -> None:
    assert "Nothing has been decided yet" in audrey.get("/audit").text


def test_one_case_shows_decision_and_working(audrey: FlaskClient, decided: str) -> None:
    page = audrey.get(f"/audit/assessments/{decided}").text
    assert REASON in page and "Residual risk" in page and "not a probability" in page
    assert 'class="working"' in page and "Hash of all inputs" in page
    assert "<form" not in page.split("<main", 1)[1].split("</main>", 1)[0], "nothing on the page can be sent"


@pytest.mark.parametrize("path", ["", "/trail"])
def test_a_case_that_is_not_decided_is_not_there(audrey: FlaskClient, undecided: str, path: str) -> None:
    assert audrey.get(f"/audit/assessments/{undecided}{path}").status_code == 404
    assert audrey.get(f"/audit/assessments/A-2026-9999{path}").status_code == 404


def test_staff_and_strangers_are_not_auditors(petra: FlaskClient, client: FlaskClient, decided: str) -> None:
    for path in ("/audit", f"/audit/assessments/{decided}", f"/audit/assessments/{decided}/trail"):
        assert petra.get(path).status_code == 404
        assert client.get(path).status_code == 303


def test_admins_see_what_auditors_see(adam: FlaskClient, decided: str) -> None:
    assert adam.get(f"/audit/assessments/{decided}").status_code == 200


def test_the_trail_says_who_did_what_in_utc(audrey: FlaskClient, decided: str) -> None:
    page = html.unescape(re.sub(r"<[^>]+>", " ", audrey.get(f"/audit/assessments/{decided}/trail").text))
    said = " ".join(page.split())
    assert "Petra Novak decided" in said and f"Reason: {REASON}" in said
    assert re.search(r"\d+ events, \d+ not yet sealed\. Times are UTC", said)
    assert "2026-06-30 09:00:00" in said


def test_staff_see_the_trail_too(petra: FlaskClient, decided: str) -> None:
    page = petra.get(f"/assessments/{decided}/trail")
    assert page.status_code == 200 and "saved an answer" in page.text


# ---------------------------------------------------------------- reports


def report(database: Database, runtime: Runtime, reference: str, *, made: bool = True) -> str:
    """A report of a case, as the job leaves it; returns its reference."""
    with database.writing() as session:
        case = case_of(session, reference)
        key_id, report_id = session.get_one(Vendor, case.vendor_id).key_id, uuid4()
        row = Report(
            id=report_id, reference=f"P-2026-{report_id.hex[:6].upper()}", assessment_id=case.id, snapshot=b"",
            snapshot_hash="0" * 64, state=WorkState.DONE if made else WorkState.QUEUED, not_before=NOW, asked_at=NOW,
        )  # fmt: skip
        if made:
            key = vault.data_key(session, key_id)
            row.storage_name, row.sha256, row.size, row.made_at = f"report-{report_id.hex}", "a" * 64, 8, NOW
            parts = sealed.seal_stream(key_id, key, iter([b"%PDF-1.7"]), context=f"report:{report_id}")
            runtime.storage.put(row.storage_name, parts)
        session.add(row)
        return row.reference


def reads(database: Database, reference: str) -> int:
    """How often the trail says that a report was read."""
    with database.reading() as session:
        case_id: UUID = case_of(session, reference).id
        found = select(Event).where(Event.object_id == case_id, Event.kind == EventKind.REPORT_READ.value)
        return len(session.scalars(found).all())


def test_a_report_is_downloaded_and_that_is_in_the_trail(
    audrey: FlaskClient, database: Database, runtime: Runtime, clock: Clock, decided: str
) -> None:
    name = report(database, runtime, decided)
    assert f"/audit/reports/{name}.pdf" in audrey.get(f"/audit/assessments/{decided}").text
    answer = audrey.get(f"/audit/reports/{name}.pdf")
    assert answer.data == b"%PDF-1.7" and answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert reads(database, decided) == 1
    audrey.get(f"/audit/reports/{name}.pdf")
    assert reads(database, decided) == 1, "reads within ten minutes are one"
    clock.advance(minutes=11)
    audrey.get(f"/audit/reports/{name}.pdf")
    assert reads(database, decided) == 2


def test_the_read_is_in_the_trail_before_the_first_byte(
    audrey: FlaskClient, database: Database, runtime: Runtime, decided: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = report(database, runtime, decided)
    seen: list[int] = []
    open_pdf = reports.open_pdf

    def counting(session: Session, storage: object, reference: str) -> object:
        seen.append(reads(database, decided))
        return open_pdf(session, storage, reference)  # type: ignore[arg-type]

    monkeypatch.setattr(reports, "open_pdf", counting)
    audrey.get(f"/audit/reports/{name}.pdf")
    assert seen == [1]


def test_reports_of_undecided_cases_and_unmade_ones_are_not_there(
    audrey: FlaskClient, database: Database, runtime: Runtime, decided: str, undecided: str
) -> None:
    draft, queued = report(database, runtime, undecided), report(database, runtime, decided, made=False)
    assert audrey.get(f"/audit/reports/{draft}.pdf").status_code == 404
    assert audrey.get(f"/audit/reports/{queued}.pdf").status_code == 404
    assert audrey.get("/audit/reports/P-2026-NONE00.pdf").status_code == 404
    assert queued not in audrey.get(f"/audit/assessments/{decided}").text
    assert reads(database, undecided) == 0


# ---------------------------------------------------------------- read only


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the accounts' own."""
    with database.reading() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(table.select())), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in ("users", "attempts")
        }


OWN = {"security.login", "security.logout", "security.change_password", "security.forgot_password",
       "security.reset_password", "account.set_up_app", "account.recovery_codes"}  # fmt: skip
"""What an auditor may send: about their own account only, and how they sign in (OWN_ROOMS)."""
OWN_ROOMS = ("second_step.", "passkeys.")


def test_an_auditor_can_send_nothing_anywhere(
    app: Flask, audrey: FlaskClient, database: Database, runtime: Runtime, decided: str, undecided: str
) -> None:
    report_reference = report(database, runtime, decided)
    token = builders.token_in(audrey.get("/audit"))
    values: dict[str, Any] = {
        "token": "x", "code": "EX-13", "question_id": "remote_access", "number": 1, "section_id": "s", "name": "x",
        "session_id": uuid4(), "questionnaire_id": "tiny", "letter_id": uuid4(), "contact_id": uuid4(),
        "file_id": uuid4(),
    }  # fmt: skip
    before, tried = everything(database), 0
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            if rule.endpoint in OWN or rule.endpoint.startswith(("vendor.", "dev.", *OWN_ROOMS)):
                continue
            for reference in (decided, undecided, report_reference):
                given: dict[str, Any] = {name: values.get(name, reference) for name in rule.arguments}
                with app.test_request_context():
                    url = app.url_for(rule.endpoint, **given)
                answer = audrey.open(url, method=method, data={"csrf_token": token, "reason": REASON})
                assert answer.status_code in (403, 404, 405), f"{method} {url}: {answer.status_code}"
                tried += 1
    assert tried >= 30
    assert everything(database) == before


def test_auditors_do_not_see_the_pages_of_staff(audrey: FlaskClient, decided: str) -> None:
    for path in ("", "/answers", "/score", "/decision", "/trail", "/reports"):
        assert audrey.get(f"/assessments/{decided}{path}").status_code == 404


def test_the_header_says_that_it_is_read_only(audrey: FlaskClient, decided: str) -> None:
    assert "Read only" in audrey.get("/audit").text


def test_a_long_list_is_counted_so_far_and_no_further(
    audrey: FlaskClient, decided: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "COUNTED", 1)
    assert "1 or more" in audrey.get("/audit").text


def test_the_list_comes_in_pages(audrey: FlaskClient, database: Database, cast: Cast) -> None:
    with database.writing() as session:
        for number in range(26):
            case, _ = review_side.under_review(session)
            review_side.decide(session, case, cast.petra, now=NOW + timedelta(minutes=number))
    assert audrey.get("/audit").text.count("/audit/assessments/") == 25
    assert audrey.get("/audit?page=2").text.count("/audit/assessments/") == 1
