"""Evidence: what is taken, what is refused and how that is said, how it is kept and given back."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from tests import builders
from tests.domain.hostile_files import GOOD, HOSTILE, pdf
from tests.web import vendor_visits as visits
from tests.web.vendor_visits import Visit
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, Evidence, EvidenceUse
from vendorrisk.library import loader, shipped
from vendorrisk.services import files
from vendorrisk.services.answering import evidence
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

CANARY = b"canary: the list of our customers"
QUESTION = "remote_access"
PAGE = "/sections/follow-up/remote_work"


@pytest.fixture
def victor(app: Flask, database: Database) -> Visit:
    with database.writing() as session:
        asked = [builders.tiny(), loader.load(shipped.FOLDER / "examples" / "file.yaml")]
        token = builders.add_link(session, builders.add_request(session, questionnaires=asked))
    return visits.enter(app, database, token)


def attach(visit: Visit, name: str, content: bytes, question: str = QUESTION) -> TestResponse:
    data = {f"q-{question}-files": (io.BytesIO(content), name)}
    return visit.post(f"/evidence/{question}", data, content_type="multipart/form-data")


def kept(database: Database) -> list[Evidence]:
    with database.reading() as session:
        return list(session.scalars(select(Evidence).order_by(Evidence.uploaded_at)))


def hashes(database: Database) -> dict[str, UUID]:
    """The ids of the files by their SHA-256, which is sealed."""
    with database.reading() as session:
        rows = session.scalars(select(Evidence)).all()
        return {vault.open_optional(session, row.sha256, context="evidence.sha256"): row.id for row in rows}


def test_good_files_come_back_as_they_were_to_be_saved_and_never_shown(victor: Visit, database: Database) -> None:
    for name, content in GOOD.values():
        answer = attach(victor, name, content)
        assert answer.status_code == 200, answer.text
        back = victor.get(f"/evidence/{hashes(database)[hashlib.sha256(content).hexdigest()]}")
        assert back.data == content
        assert back.headers["Content-Disposition"].startswith("attachment; ")
        assert back.headers["X-Content-Type-Options"] == "nosniff"
        assert back.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert back.headers["Cache-Control"] == "no-store"
        assert "html" not in back.content_type
    assert len(kept(database)) == len(GOOD)


def test_hostile_files_leave_nothing_behind(victor: Visit, database: Database, settings: Settings) -> None:
    for what, (name, content) in HOSTILE.items():
        if what == "too large":
            continue  # has a test of its own
        answer = attach(victor, name, content)
        assert answer.status_code == 422, what
        assert answer.json is not None
        assert len(answer.json["messages"]) == 1, what
    assert kept(database) == []
    assert not [path for path in Path(settings.storage).rglob("*") if path.is_file()]


def test_a_file_that_is_too_large_for_one_sending_says_so(victor: Visit, database: Database) -> None:
    csrf = builders.token_in(victor.get("/start"))
    body = b"a" * (27 * 1024 * 1024)
    answer = victor.browser.post(
        victor.url(f"/evidence/{QUESTION}"), data=body, content_type="multipart/form-data; boundary=b",
        headers={"X-CSRFToken": csrf},
    )  # fmt: skip
    assert answer.status_code == 413
    assert kept(database) == []


def test_on_disk_a_file_is_sealed_under_a_random_name(victor: Visit, database: Database, settings: Settings) -> None:
    attach(victor, "customers.txt", CANARY)
    (path,) = [path for path in Path(settings.storage).rglob("*") if path.is_file()]
    assert CANARY not in path.read_bytes()
    assert "customers" not in path.name
    (row,) = kept(database)
    assert b"customers" not in row.name


def test_a_file_is_attached_and_removed_without_javascript(
    victor: Visit, database: Database, settings: Settings
) -> None:
    page = "/sections/follow-up/remote_work"
    fields = visits.fields_of(victor.get(page))
    data = {**fields, f"q-{QUESTION}": "no", "stay": QUESTION, f"q-{QUESTION}-files": (io.BytesIO(pdf()), "Policy.pdf")}
    answer = victor.browser.post(victor.url(page), data=data, content_type="multipart/form-data")
    assert answer.location == victor.url(f"{page}#q-{QUESTION}-question")
    shown = victor.get(page)
    assert "Policy.pdf" in shown.text
    assert "Policy.pdf" in victor.get("/check").text
    (row,) = kept(database)
    fields = visits.fields_of(shown)
    answer = victor.browser.post(victor.url(page), data={**fields, "remove-file": f"{QUESTION}:{row.id}"})
    assert answer.status_code == 303
    assert "Policy.pdf" not in victor.get(page).text
    files.sweep(database, open_storage(settings.storage), now=builders.NOW)
    assert not [path for path in Path(settings.storage).rglob("*") if path.is_file()]
    assert victor.get(f"/evidence/{row.id}").status_code == 404


def test_a_bad_file_does_not_cost_the_good_answers_on_the_page(victor: Visit, database: Database) -> None:
    fields = visits.fields_of(victor.get(PAGE))
    files = [(io.BytesIO(b"MZ"), "tool.exe"), (io.BytesIO(pdf()), "Policy.pdf")]
    data = {**fields, f"q-{QUESTION}": "no", f"q-{QUESTION}-files": files}
    answer = victor.browser.post(victor.url(PAGE), data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "“tool.exe”: The file must be a PDF" in answer.text
    assert "Policy.pdf" in answer.text
    request = visits.request_of(database, victor.reference)
    assert request.answered == 1


def test_the_answer_to_a_question_of_type_file_is_its_files(victor: Visit, database: Database) -> None:
    asked = loader.load(shipped.FOLDER / "examples" / "file.yaml").questions[0]
    attach(victor, "Register.pdf", pdf(), asked.id)
    assert visits.request_of(database, victor.reference).answered == 1
    assert "Register.pdf" in victor.get("/check").text


def test_all_files_together_have_a_limit(victor: Visit, database: Database) -> None:
    attach(victor, "a.pdf", pdf())
    with database.writing() as session:
        session.execute(update(Evidence).values(size=250 * 1024 * 1024 - 10))
    answer = attach(victor, "b.pdf", pdf())
    assert answer.status_code == 422
    assert answer.json is not None
    assert "All files together may be 250 MB" in answer.json["messages"][0]


def together(visit: Visit, *names: str) -> TestResponse:
    """Attach several files of six bytes in one sending, as the script does."""
    data = {f"q-{QUESTION}-files": [(io.BytesIO(b"six by"), name) for name in names]}
    return visit.post(f"/evidence/{QUESTION}", data, content_type="multipart/form-data")


def typed_with(visit: Visit, *names: str) -> TestResponse:
    """Send the section with a comment and several files, as a browser without scripts does."""
    fields = visits.fields_of(visit.get(PAGE))
    files = [(io.BytesIO(b"six by"), name) for name in names]
    data = {**fields, f"q-{QUESTION}": "no", f"q-{QUESTION}-comment": "typed", f"q-{QUESTION}-files": files}
    return visit.browser.post(visit.url(PAGE), data=data, content_type="multipart/form-data")


def names_kept(visit: Visit) -> set[str]:
    """Which of a.txt to d.txt the request holds."""
    return set(re.findall(r"\b[a-d]\.txt", re.sub(r"“[a-d]\.txt”", "", visit.get(PAGE).text)))


def stored_files(settings: Settings) -> int:
    """How many files lie in the storage."""
    return sum(path.is_file() for path in Path(settings.storage).rglob("*"))


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [("MAX_FILES", 3, "There are 3 files already"), ("MAX_REQUEST_BYTES", 18, "All files together may be")],
)
def test_what_is_beside_a_file_in_one_sending_counts(
    victor: Visit, settings: Settings, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, says: str
) -> None:
    monkeypatch.setattr(evidence, limit, value)
    assert together(victor, "a.txt", "b.txt").status_code == 200
    answer = together(victor, "c.txt", "d.txt")
    assert answer.status_code == 422
    assert answer.json is not None
    assert f"“d.txt”: {says}" in answer.json["messages"][0]
    assert names_kept(victor) == {"a.txt", "b.txt", "c.txt"}
    assert stored_files(settings) == 3


def test_each_of_several_refused_files_is_named(victor: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MAX_FILES", 1)
    answer = together(victor, "a.txt", "b.txt", "c.txt")
    assert answer.json is not None
    assert [re.findall(r"“(.)", line) for line in answer.json["messages"][0].split("\n")] == [["b"], ["c"]]


def test_a_file_too_many_does_not_cost_what_was_typed(
    victor: Visit, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MAX_FILES", 1)
    answer = typed_with(victor, "a.txt", "b.txt")
    assert answer.status_code == 422
    assert "“b.txt”: There are 1 files already" in answer.text
    assert visits.fields_of(victor.get(PAGE))[f"q-{QUESTION}-comment"] == ["typed"]
    assert names_kept(victor) == {"a.txt"}
    assert stored_files(settings) == 1


@pytest.mark.parametrize("send", [together, typed_with])
def test_where_a_parallel_sending_took_the_room_the_page_says_so(
    victor: Visit,
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    send: Callable[..., TestResponse],
) -> None:
    monkeypatch.setattr(evidence, "MAX_FILES", 1)
    store, meanwhile = evidence.store, iter(["a.txt"])

    def slow(*given: Any) -> None:
        store(*given)
        for other in meanwhile:
            assert together(victor, other).status_code == 200

    monkeypatch.setattr(evidence, "store", slow)
    answer = send(victor, "b.txt")
    assert answer.status_code == 422
    assert "“b.txt”: There are 1 files already" in (answer.json["messages"][0] if answer.json else answer.text)
    assert names_kept(victor) == {"a.txt"}
    if send is typed_with:
        assert visits.fields_of(victor.get(PAGE))[f"q-{QUESTION}-comment"] == ["typed"]
    files.sweep(database, open_storage(settings.storage), now=builders.NOW + files.LEASE)
    assert stored_files(settings) == 1, "what was refused is swept"


def test_adding_reading_and_removing_are_in_the_trail(victor: Visit, database: Database) -> None:
    attach(victor, "a.pdf", pdf())
    (row,) = kept(database)
    victor.get(f"/evidence/{row.id}")
    with database.reading() as session:
        kinds = [event.kind for event in session.scalars(select(Event).order_by(Event.number))]
        assert session.scalars(select(EvidenceUse.question_id)).all() == [QUESTION]
    assert "evidence.added" in kinds
    assert "evidence.read" in kinds
