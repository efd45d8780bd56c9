"""Evidence where a virus scanner is configured: what it finds is refused and noted, and nothing passes it unseen."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests import builders
from tests.antivirus.clamd import EICAR, FOUND, Clamd, running
from tests.web import vendor_visits as visits
from tests.web.vendor_visits import Visit
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Evidence, StoredFile
from vendorrisk.services import audit
from vendorrisk.settings import Settings

QUESTION = "remote_access"
SECTION = "/sections/follow-up/remote_work"
VIRUS = ("Invoice.txt", b"see " + EICAR)


@pytest.fixture
def clamd() -> Clamd:
    return Clamd()


@pytest.fixture
def settings(settings: Settings, clamd: Clamd) -> Iterator[Settings]:
    with running(clamd) as url:
        yield replace(settings, clamav=url)


@pytest.fixture
def victor(app: Flask, database: Database) -> Visit:
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session))
    return visits.enter(app, database, token)


def attach(visit: Visit, name: str, content: bytes) -> TestResponse:
    data = {f"q-{QUESTION}-files": (io.BytesIO(content), name)}
    return visit.post(f"/evidence/{QUESTION}", data, content_type="multipart/form-data")


def send_page(visit: Visit, *files: tuple[str, bytes]) -> TestResponse:
    """The section's form without JavaScript, with an answer and files."""
    sent = [(io.BytesIO(content), name) for name, content in files]
    data = {**visits.fields_of(visit.get(SECTION)), f"q-{QUESTION}": "no", f"q-{QUESTION}-files": sent}
    return visit.browser.post(visit.url(SECTION), data=data, content_type="multipart/form-data")


def test_a_clean_file_says_when_it_was_scanned(victor: Visit, database: Database, clamd: Clamd) -> None:
    answer = attach(victor, "Policy.txt", b"we lock the door")
    assert answer.status_code == 200
    assert clamd.seen == [b"we lock the door"]
    assert "no virus found on 30 Jun 2026" in victor.get(SECTION).text
    with database.reading() as session:
        row = session.scalars(select(Evidence)).one()
        assert (row.scan, row.scanned_at) == ("clean", builders.NOW)


def test_a_file_with_a_virus_is_refused_and_the_trail_says_so(victor: Visit, database: Database) -> None:
    answer = send_page(victor, VIRUS, ("Policy.txt", b"we lock the door"))
    assert answer.status_code == 422
    assert "“Invoice.txt”: The virus scanner found something in it" in answer.text
    assert visits.request_of(database, victor.reference).answered == 1
    with database.reading() as session:
        assert len(session.scalars(select(Evidence)).all()) == len(session.scalars(select(StoredFile)).all()) == 1
        event = session.scalars(select(Event).where(Event.kind == "evidence.refused")).one()
        said = vault.open_json(session, event.details, context=audit.CONTEXT)
        assert (said["name"], said["found"]) == ("Invoice.txt", FOUND)
        assert said["question"] == builders.tiny().by_id[QUESTION].code


@pytest.mark.parametrize("mood", ["hangs up", "odd"])
def test_without_the_scanner_no_file_is_taken_and_nothing_typed_is_lost(
    victor: Visit, database: Database, clamd: Clamd, mood: str, caplog: pytest.LogCaptureFixture
) -> None:
    clamd.mood = mood
    answer = send_page(victor, ("Policy.txt", b"we lock the door"))
    assert answer.status_code == 503
    assert "“Policy.txt”: The virus scanner does not answer just now" in answer.text
    assert visits.request_of(database, victor.reference).answered == 1
    by_script = attach(victor, "Policy.txt", b"we lock the door")
    assert by_script.status_code == 503
    assert by_script.json is not None and "does not answer" in by_script.json["messages"][0]
    with database.reading() as session:
        assert [*session.scalars(select(Evidence)), *session.scalars(select(StoredFile))] == []
    assert "could not be scanned" in caplog.text and "Policy" not in caplog.text
