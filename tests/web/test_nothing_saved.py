"""Nothing can be saved (the disk full, the database locked or away): no false "saved", and nothing typed is lost."""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests import builders
from tests.live import Live
from tests.web import vendor_visits as visits
from tests.web.vendor_visits import Visit
from vendorrisk.db.engine import Busy, Database
from vendorrisk.storage import Away
from vendorrisk.web import shedding

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TYPED = "We lock it <away> & count"
SECTION = "/sections/follow-up/remote_work"


def full() -> Exception:
    """What SQLite says of a full disk."""
    said = sqlite3.OperationalError("database or disk is full")
    said.sqlite_errorcode, said.sqlite_errorname = 13, "SQLITE_FULL"
    return OperationalError("INSERT …", {}, said)


def full_on_postgres() -> Exception:
    """What PostgreSQL says of a full disk."""
    from psycopg.errors import DiskFull

    return OperationalError("INSERT …", {}, DiskFull("could not extend file"))


def unreachable() -> Exception:
    """What the driver says when there is no server."""
    from psycopg import OperationalError as Unreachable

    return OperationalError(None, None, Unreachable("connection refused"))


def stopping() -> Exception:
    """What PostgreSQL says while it stops."""
    from psycopg.errors import AdminShutdown

    return OperationalError("INSERT …", {}, AdminShutdown("terminating connection"))


TROUBLES: dict[str, tuple[Callable[[], Exception], int]] = {
    "full": (full, 507),
    "full on PostgreSQL": (full_on_postgres, 507),
    "no room for files": (lambda: OSError(errno.ENOSPC, "No space left on device"), 507),
    "bucket away": (lambda: Away("no answer"), 503),
    "bucket full": (lambda: Away("no room", is_full=True), 507),
    "locked": (lambda: Busy("locked"), 503),
    "unreachable": (unreachable, 503),
    "stopping": (stopping, 503),
    "all connections taken": (lambda: PoolTimeout("QueuePool limit"), 503),
}


@contextmanager
def in_trouble(database: Database, trouble: Callable[[], Exception]) -> Iterator[None]:
    """Every commit fails this way."""

    def fail(*_of_what: Any) -> None:
        raise trouble()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_commit", fail)
        yield


@pytest.fixture
def visit(app: Flask, database: Database) -> Visit:
    """A respondent who has started."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with database.writing() as session:
        token = builders.add_link(session, builders.add_request(session))
    return visits.enter(app, database, token)


class _Form(HTMLParser):
    """The hidden fields of the form on an error page, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        if tag == "input":
            self.fields.append((given.get("name") or "", given.get("value") or ""))


@pytest.mark.parametrize("name", TROUBLES)
def test_autosave_is_told_the_truth_in_json_and_works_again_afterwards(
    visit: Visit, database: Database, name: str
) -> None:
    trouble, status = TROUBLES[name]
    with in_trouble(database, trouble):
        answer = visit.save("remote_access", value="own", comment=TYPED, headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["reason"] in ("no room on the server", "the service is busy")
    assert (answer.headers.get("Retry-After") == "5") is (status == 503)
    assert visits.request_of(database, visit.reference).answered == 0
    assert visit.save("remote_access", value="own", comment=TYPED).status_code == 200


@pytest.mark.parametrize("name", ["full", "no room for files", "locked"])
def test_without_a_script_the_form_comes_back_and_can_be_sent_again(
    visit: Visit, database: Database, name: str
) -> None:
    trouble, status = TROUBLES[name]
    fields = {**visits.fields_of(visit.get(SECTION)), "q-remote_access": ["own"], "q-remote_access-comment": [TYPED]}
    with in_trouble(database, trouble):
        answer = visit.post(SECTION, {**fields, "then": "sections"}, page=SECTION)
    assert answer.status_code == status
    assert TYPED in visits.text_of(answer)
    form = _Form()
    form.feed(answer.text)
    again = visit.browser.post(form.action, data=_as_dict(form.fields))
    assert again.status_code == 303, again.text
    assert again.location == f"/respond/{visit.reference}"
    page = visit.get(SECTION)
    assert visits.fields_of(page)["q-remote_access-comment"] == [TYPED]


def _as_dict(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found


def test_a_page_that_is_only_read_does_not_notice(visit: Visit, database: Database) -> None:
    with in_trouble(database, full):
        assert visit.get(SECTION).status_code == 200
        assert visit.get("").status_code == 200


def test_what_is_secret_is_never_given_back(app: Flask, database: Database) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    data = {"email": "petra@acme.example", "password": builders.PASSWORD}
    with in_trouble(database, full):
        answer = builders.post(app.test_client(), "/sign-in", data)
    assert answer.status_code == 507
    assert builders.PASSWORD not in answer.text
    assert "<form" not in answer.text


def test_the_form_that_comes_back_is_worth_nothing_without_the_readers_own_token(
    visit: Visit, database: Database
) -> None:
    page = visit.browser.post(
        visit.url(SECTION), data={"q-remote_access-comment": TYPED, "q-remote_access-version": "0"}
    )
    assert page.status_code == 400
    assert "<form" not in page.text


# ---------------------------------------------------------------- in the browser


@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("trouble", "says"), [(full, "no room on the server"), (lambda: Busy("locked"), "the service is busy")]
)
def test_the_browser_keeps_what_was_typed_says_why_and_sends_it_later(
    browser: Browser, live: Live, trouble: Callable[[], Exception], says: str
) -> None:
    with live.database.writing() as session:
        token = builders.add_link(session, builders.add_request(session))
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{live.url}/q/{token}")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").wait_for()  # before that, there may be no code to be read
    page.get_by_label("Code").fill(visits.codes(live.database)[-1])
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Your name").fill("Victor Lang")
    page.get_by_label("Your role").fill("Head of security")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/respond/R-\w+$"))
    page.goto(f"{page.url}{SECTION}")
    with in_trouble(live.database, trouble):
        page.get_by_label("Yes, with their own devices").check()
        page.get_by_text(f"Not saved: {says} – kept in this browser").wait_for()
        assert page.evaluate("Object.keys(localStorage).length") == 1
        page.reload()
        assert page.get_by_label("Yes, with their own devices").is_checked()
        page.get_by_text(f"Not saved: {says}").wait_for()
        with page.expect_response("**/answers/**"):
            page.get_by_role("button", name="Retry now").click()
    page.get_by_text("All changes saved").wait_for()  # without a press: by now the button may be gone
    assert page.evaluate("Object.keys(localStorage).length") == 0
    context.close()


def test_where_too_many_wait_the_next_is_told_at_once(visit: Visit, app: Flask) -> None:
    shedding.watch(app, lambda: shedding.MOST_WAITING + 1)
    answer = visit.get(SECTION)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert visit.browser.get("/healthz").status_code == 200
    shedding.watch(app, lambda: shedding.MOST_WAITING)
    assert visit.get(SECTION).status_code == 200


def test_an_answer_is_still_saved_where_pages_are_refused_and_refused_where_very_many_wait(
    visit: Visit, app: Flask
) -> None:
    data = {
        "csrf_token": builders.token_in(visit.get(SECTION)),
        "q-remote_access": "own",
        "q-remote_access-version": "0",
    }
    shedding.watch(app, lambda: shedding.MOST_SAVES_WAITING)
    assert visit.browser.post(visit.url("/answers/remote_access"), data=data).status_code == 200
    shedding.watch(app, lambda: shedding.MOST_SAVES_WAITING + 1)
    assert visit.browser.post(visit.url("/answers/remote_access"), data=data).status_code == 503
