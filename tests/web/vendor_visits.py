"""What tests of the vendor's pages do over and over: getting in by link and code, reading letters, counting rows."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests import builders
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Invitation, Letter, Request
from vendorrisk.services.letters import outbox
from vendorrisk.services.sending import invitations

UNKNOWN = "A" * 43
"""A token that nobody was ever given."""
CANARIES = ("Canarius", "canarius", "Mailcanary", "Victoria", "Acme", "Petra")
"""Words of `canarius` that nobody reads before the code."""


def canarius(database: Database) -> str:
    """A living link for Victoria at Canarius, sent by Petra of Acme; returns its token."""
    with database.writing() as session:
        sender = builders.add_user(session)
        vendor = builders.add_vendor(session, "Canarius Ltd")
        builders.add_contact(session, vendor, "Victoria Canarius", "victoria@canarius.example")
        case = builders.add_assessment(session, vendor, service="Mailcanary")
        request = builders.add_request(session, case, sender=sender)
        return builders.add_link(session, request, "Victoria Canarius", "victoria@canarius.example")


@dataclass(frozen=True)
class Visit:
    """A browser of the vendor's that has passed the code and said who it is."""

    browser: FlaskClient
    reference: str

    def url(self, rest: str = "") -> str:
        """An address under the request."""
        return f"/respond/{self.reference}{rest}"

    def get(self, rest: str = "") -> TestResponse:
        """A page of the request."""
        return self.browser.get(self.url(rest))

    def post(self, rest: str, data: dict[str, Any] | None = None, *, page: str = "/start", **more: Any) -> TestResponse:
        """Send a form of the request; `page` is where its token comes from."""
        return builders.post(self.browser, self.url(rest), data, page=self.url(page), **more)

    def save(self, question_id: str, **fields: Any) -> TestResponse:
        """Autosave one answer: save("region", value="eu", version=1); a bare name becomes a suffix of the field."""
        prefix = f"q-{question_id}"
        headers = fields.pop("headers", None)
        data = {f"{prefix}-version": str(fields.pop("version", 0))}
        for name, value in fields.items():
            data[prefix if name == "value" else f"{prefix}-{name.replace('_', '-')}"] = value
        return self.post(f"/answers/{question_id}", data, headers=headers)


def letters(database: Database, kind: str = "") -> list[dict[str, Any]]:
    """The letters written so far, opened, the oldest first."""
    with database.reading() as session:
        rows = session.scalars(select(Letter).order_by(Letter.created_at, Letter.message_id))
        return [
            {"kind": row.kind, **vault.open_json(session, row.content, context=outbox.CONTEXT)}
            for row in rows
            if kind in ("", row.kind)
        ]


def codes(database: Database) -> list[str]:
    """All codes that were mailed."""
    return [re.findall(r"code: (\d{6})", letter["text"])[0] for letter in letters(database, "access_code")]


def reference_of(database: Database, token: str) -> str:
    """The reference of the request that this link was made for."""
    with database.reading() as session:
        of_token = select(Request.reference).join(Invitation, Invitation.request_id == Request.id)
        return session.scalars(of_token.where(Invitation.token_hash == invitations.digest(token))).one()


def code_page(database: Database, token: str) -> str:
    """Where the code of this link is typed: its address holds the request's reference, and no token."""
    return f"/q/{reference_of(database, token)}/code"


def ask_for_code(browser: FlaskClient, database: Database, token: str, *, again: bool = False) -> str:
    """Press Continue, or "send a new code"; the code that was mailed for it."""
    before, page = codes(database), code_page(database, token)
    answer = builders.post(browser, page if again else f"/q/{token}", {"resend": "1"} if again else None)
    assert answer.status_code == 303, answer.text
    assert answer.location == page
    after = codes(database)
    for code in before:
        after.remove(code)
    (code,) = after
    return code


def enter(app: Flask, database: Database, token: str, *, name: str = "Victor Lang", started: bool = True) -> Visit:
    """Go all the way in: link, code, landing page, Start."""
    browser = app.test_client()
    code = ask_for_code(browser, database, token)
    answer = builders.post(browser, code_page(database, token), {"code": code})
    assert answer.status_code == 303, answer.text
    reference = answer.location.split("/")[2]
    visit = Visit(browser, reference)
    if started:
        assert visit.post("/start", {"name": name, "role": "Head of security"}).status_code == 303
    return visit


def request_of(database: Database, reference: str) -> Request:
    """The request as it is in the database now."""
    with database.reading() as session:
        return session.scalars(select(Request).where(Request.reference == reference)).one()


def text_of(page: TestResponse) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text)))


class _Form(HTMLParser):
    """Collects the fields of the form with id "answers", as a browser without scripts would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._inside = False
        self._text = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        self._inside = self._inside or given.get("id") == "answers"
        ticked = given.get("type") not in ("radio", "checkbox") or "checked" in given
        if tag == "input" and self._inside and name and given.get("type") != "file" and ticked:
            self.fields.setdefault(name, []).append(given.get("value") or "")
        elif tag == "textarea" and self._inside:
            self._text = name
            self.fields[name] = [""]
        elif tag == "select" and self._inside:
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.fields.setdefault(self._select, []).append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"
        if tag == "textarea":
            self.fields[self._text] = [self.fields[self._text][0].removeprefix("\n")]
            self._text = ""
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.fields[self._text][0] += data


def fields_of(page: TestResponse) -> dict[str, list[str]]:
    """The fields of the section's form, untouched."""
    form = _Form()
    form.feed(page.text)
    return form.fields


def without_token(page: TestResponse) -> str:
    """The page without its CSRF token, which differs each time."""
    return re.sub(r'(name="csrf_token" value=")[^"]+', r"\1", page.text)
