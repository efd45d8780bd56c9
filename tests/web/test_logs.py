"""The log: one line for each answer, found by its id; nothing in it that somebody typed, or that opens anything."""

from __future__ import annotations

import io
import json
import logging
import re
import smtplib
import sys
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, text
from structlog import contextvars

from tests import builders
from tests.cast import Cast, SignIn
from tests.databases import ON_POSTGRES
from tests.web import vendor_visits as visits
from vendorrisk.db.engine import Database
from vendorrisk.db.models import User, Vendor
from vendorrisk.services.answering import responses
from vendorrisk.web import edge, log_lines, logs

CANARY = "Zanzibar-Kanarie"
MAIL_CANARY = "zanzibar@kanarie.example"
TOKEN_CANARY = "Zanzibar0123456789abcdefghijklmnopqrstuvwxyzABCDEF"


class Log:
    """What was logged during a test, as the service would have written it."""

    def __init__(self) -> None:
        self._stream = io.StringIO()

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, object]]:
        """The lines as objects; only where the log is JSON."""
        return [json.loads(line) for line in self.text.splitlines()]

    def configure(self, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What `serve` does, into this log."""
        monkeypatch.setattr(sys, "stderr", self._stream)
        logs.configure("debug", style)


@pytest.fixture(params=["json", "text"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """The log at its most talkative, in both formats."""
    yield from _logging(request.param, monkeypatch)


@pytest.fixture
def json_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    yield from _logging("json", monkeypatch)


def _logging(style: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level, hooks = root.handlers[:], root.level, (sys.excepthook, threading.excepthook)
    made = Log()
    made.configure(style, monkeypatch)
    yield made
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("vendorrisk").setLevel(logging.NOTSET)
    sys.excepthook, threading.excepthook = hooks
    contextvars.clear_contextvars()


def test_an_answer_has_one_line_with_what_is_asked_of_a_log(client: FlaskClient, json_log: Log) -> None:
    client.get("/sign-in?next=/vendors")
    (line,) = json_log.lines
    assert line.items() >= {
        "level": "info", "logger": "vendorrisk.access", "event": "GET /sign-in 200", "method": "GET",
        "path": "/sign-in", "route": "/sign-in", "status": 200,
    }.items()  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", str(line["timestamp"]))
    assert isinstance(line["ms"], int)
    assert re.fullmatch("[0-9A-F]{8}", str(line["request"]))
    assert "vendors" not in json_log.text, "query strings hold what people look for"


def test_the_reference_on_the_error_page_finds_every_line_of_its_request(app: Flask, json_log: Log) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    _view(app, lambda: _raise(RuntimeError("boom")))
    page = app.test_client().get("/breaks")
    found = re.search(r"E-([0-9A-F]{8})", page.text)
    assert page.status_code == 500
    assert found
    failed, answered = json_log.lines
    assert failed["request"] == answered["request"] == found[1]
    assert failed["level"] == "error"
    assert "test_logs.py" in str(failed["exception"])


def test_two_requests_do_not_share_their_id(client: FlaskClient, json_log: Log) -> None:
    for _ in range(2):
        client.get("/sign-in")
    assert len({line["request"] for line in json_log.lines}) == 2


def test_a_line_break_in_an_address_does_not_make_a_second_line(client: FlaskClient, log: Log) -> None:
    client.get("/a%0a2026-01-01T00:00:00Z info forged")
    assert len(log.text.splitlines()) == 1


def _raise(error: Exception) -> str:
    raise error


def _view(app: Flask, act: object) -> None:
    from vendorrisk.web import access

    view = access.open_to_anyone("only in this test")(lambda: act())  # type: ignore[operator]
    app.add_url_rule("/breaks", "breaks", view, methods=["GET"])


def _twice_the_same_user() -> None:
    with edge.writing() as session:
        for _ in range(2):
            values = {"email": MAIL_CANARY, "name": CANARY, "fs_uniquifier": CANARY}
            session.execute(insert(User).values(values))


def _sql_that_holds_it() -> None:
    with edge.reading() as session:
        session.execute(text("SELECT :name FROM nowhere WHERE :name = 1"), {"name": CANARY})


def _refused_by_the_mail_server() -> None:
    raise smtplib.SMTPRecipientsRefused({MAIL_CANARY: (550, CANARY.encode())})


def _chain() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        raise LookupError(f"{CANARY} of {MAIL_CANARY}") from error


@pytest.mark.parametrize(
    "act", [_twice_the_same_user, _sql_that_holds_it, _refused_by_the_mail_server, _chain, lambda: CANARY.index("Q")]
)
def test_an_error_says_where_but_not_what_was_typed(app: Flask, database: Database, log: Log, act: object) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    _view(app, act)
    assert app.test_client().get("/breaks").status_code == 500
    assert "test_logs.py" in log.text
    assert re.search(r"Error|Refused", log.text)
    for canary in (CANARY, "Kanarie", MAIL_CANARY):
        assert canary not in log.text


@ON_POSTGRES
def test_nor_does_one_whose_words_come_from_postgresql(app: Flask, database: Database, log: Log) -> None:
    def too_long() -> None:
        with edge.writing() as session:
            key_id = builders.add_vendor(session).id
            session.execute(
                text("UPDATE vendors SET reference = :it WHERE id = :id"), {"it": CANARY * 50, "id": key_id}
            )

    def not_a_number() -> None:
        with edge.reading() as session:
            session.execute(text("SELECT CAST(:it AS integer)"), {"it": CANARY})

    app.config["PROPAGATE_EXCEPTIONS"] = False
    acts = iter([too_long, not_a_number, _twice_the_same_user])
    _view(app, lambda: next(acts)())
    for _ in range(3):
        assert app.test_client().get("/breaks").status_code == 500
    for state in ("22001", "22P02", "23505"):
        assert state in log.text
    for canary in (CANARY, "Kanarie", MAIL_CANARY):
        assert canary not in log.text


def test_a_whole_visit_leaves_nothing_that_was_typed_and_no_key_to_anything(
    app: Flask, database: Database, cast: Cast, sign_in: SignIn, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with database.writing() as session:
        vendor = builders.add_vendor(session, f"{CANARY} Mail")
        contact = builders.add_contact(session, vendor, CANARY, MAIL_CANARY)
        request = builders.add_request(session, contact=contact)
        token = builders.add_link(session, request, CANARY, MAIL_CANARY)
    visit = visits.enter(app, database, token, name=CANARY)
    (code,) = visits.codes(database)
    assert visit.save("remote_access", value="own", comment=f"{CANARY} answers").status_code == 200
    sign_in(cast.petra).get(f"/vendors?q={CANARY}")
    app.test_client().get(f"/{TOKEN_CANARY}")
    monkeypatch.setattr(responses, "save", lambda *_, **__: _raise(ValueError(CANARY)))
    assert visit.save("remote_access", value="no", comment=CANARY, version=1).status_code == 500
    cookie = visit.browser.get_cookie("respondent", path=f"/respond/{visit.reference}")
    assert cookie is not None
    assert log.text.count("\n") > 10
    for secret in (CANARY, "Kanarie", MAIL_CANARY, token, code, cookie.value, TOKEN_CANARY, builders.PASSWORD):
        assert secret not in log.text


def test_libraries_are_quiet_even_where_we_are_not(database: Database, json_log: Log) -> None:
    with database.writing() as session:
        builders.add_vendor(session, CANARY)
        session.query(Vendor).all()
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    logging.getLogger("botocore").debug("Authorization: AWS4-HMAC-SHA256 Signature=abc")
    assert json_log.text == ""


def test_a_thread_that_dies_is_logged_like_everything_else(json_log: Log) -> None:
    thread = threading.Thread(target=lambda: int(CANARY))
    thread.start()
    thread.join()
    (line,) = json_log.lines
    assert (line["level"], line["event"]) == ("critical", "a thread died")
    assert CANARY not in json_log.text


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("GET /q/abc-DEF_123/code", "GET /q/[cut]/code"),
        ("postgresql+psycopg://risk:s3cret@db/risk", "postgresql+psycopg://[cut]@db/risk"),
        ("to victor.lang@northwind.example now", "to [cut] now"),
        (f"cookie {TOKEN_CANARY}", "cookie [cut]"),
        ("/respond/R-7KQ2M/answers/bulk_export", "/respond/R-7KQ2M/answers/bulk_export"),
        ("8a6e0804-2bd0-4672-b79d-d97027f9071a", "8a6e0804-2bd0-4672-b79d-d97027f9071a"),
    ],
)
def test_what_is_cut_and_what_is_not(said: str, written: str) -> None:
    assert log_lines.scrub(said) == written


def test_a_session_that_lasts_longer_than_a_request_keeps_no_id(client: FlaskClient, json_log: Log) -> None:
    client.get("/sign-in")
    logging.getLogger("vendorrisk.jobs").warning("later, in nobody's name")
    assert "request" not in json_log.lines[-1]
