"""Canaries: words that are typed into every field of the pages, to be looked for where nothing plain may lie.

`plant` walks through a whole case as people do, with a staff browser and one of the vendor's: Flask's test clients, or
whatever has their `get` and `post`. `traces` looks for the words in files, in every form in which they could lie.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, select
from sqlalchemy.orm import Session

from tests import builders
from tests.domain.hostile_files import pdf
from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.base import Base
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Vendor

WHERE = (
    "vendor name", "website", "alias", "contact name", "contact address", "contact role", "contact phone", "service",
    "intake", "note", "respondent name", "respondent role", "comment", "not applicable", "table cell", "table operator",
    "table region", "file name", "file content", "sender name", "sender role", "review note", "decision reason",
    "condition", "condition owner",
)  # fmt: skip
ANSWERED = ("CL-05", "BH-03")
"""The codes of the questions that are answered on the way."""


@dataclass(frozen=True)
class Canaries:
    """One word for each place, and where the case lies into which they were typed."""

    words: dict[str, str] = field(
        default_factory=lambda: {place: f"zq{number:02d}{secrets.token_hex(6)}" for number, place in enumerate(WHERE)}
    )

    def __getitem__(self, place: str) -> str:
        return self.words[place]


@dataclass(frozen=True)
class Planted:
    """The references of what was made on the way."""

    vendor: str
    case: str
    request: str
    report: str


class _Fields(HTMLParser):
    """The fields of all forms of a page: each with what a browser would send, and what could be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self.choices: dict[str, list[str]] = {}
        self.texts: list[str] = []
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "input" and name and kind in ("radio", "checkbox"):
            self.choices.setdefault(name, []).append(given.get("value", ""))
            if "checked" in given:
                self.sent.setdefault(name, []).append(given.get("value", ""))
        elif tag == "input" and name and kind not in ("file", "submit"):
            self.sent.setdefault(name, []).append(given.get("value", ""))
            if kind == "text":
                self.texts.append(name)
        elif tag == "textarea" and name:
            self._area = name
            self.sent[name] = [""]
            self.texts.append(name)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.sent[self._select] = [given.get("value", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area][0] += data.removeprefix("\n")


def fields_of(page: Any) -> _Fields:
    """The fields of a page."""
    found = _Fields()
    found.feed(page.text)
    return found


def send(browser: Any, url: str, typed: dict[str, Any], *, to: str = "", more: Iterable[str] = ()) -> Any:
    """Fill in the form at `url` and send it; `more` are fields for which the first choice is taken."""
    fields = fields_of(browser.get(url))
    data: dict[str, Any] = dict(fields.sent)
    data.update({name: fields.choices[name][0] for name in more if name in fields.choices})
    answer = browser.post(to or url, data={**data, **typed})
    assert answer.status_code == 303, f"{to or url}: {answer.status_code} {_errors(answer.text)}"
    return answer


def _errors(page: str) -> list[str]:
    return re.findall(r'href="#[^"]*">([^<]+)</a></li>', page)


def plant(
    staff: Any, vendor: Any, words: Canaries, *, token: Callable[[str], str], code: Callable[[], str], now: datetime,
    made: Callable[[str], None] = lambda report: None,
) -> Planted:  # fmt: skip
    """Type every canary into its field, from adding the vendor to the report.

    `token` gives a request's link, `code` the newest code, as mailed; `made` waits until a report is made.
    """
    reference = _add_vendor(staff, words)
    case = _take_in(staff, words, reference)
    request = _send(staff, words, case, now=now)
    _answer(vendor, words, request, token(request), code)
    _review_and_decide(staff, words, case, now=now)
    address: str = builders.post(staff, f"/assessments/{case}/reports").location
    made(address.rsplit("/", 1)[-1])
    return Planted(reference, case, request, address.rsplit("/", 1)[-1])


def _add_vendor(staff: Any, words: Canaries) -> str:
    typed = {
        "name": f"{words['vendor name']} Ltd", "website": f"{words['website']}.example", "aliases": words["alias"],
        "contact_name": words["contact name"], "contact_email": f"{words['contact address']}@vendor.example",
    }  # fmt: skip
    reference: str = send(staff, "/vendors/new", typed).location.rsplit("/", 1)[-1]
    (contact,) = re.findall(r"/contacts/([0-9a-f-]{36})", staff.get(f"/vendors/{reference}").text)
    more = {"role": words["contact role"], "phone": words["contact phone"]}
    send(staff, f"/vendors/{reference}/contacts/{contact}", more)
    return reference


def _take_in(staff: Any, words: Canaries, reference: str) -> str:
    typed = {"service": words["service"]}
    address: str = send(staff, f"/vendors/{reference}/assessments/new", typed).location
    case = str(re.findall(r"A-\d{4}-\d+", address)[0])
    for number in range(1, 5):
        url = f"/assessments/{case}/intake/{number}"
        fields = fields_of(staff.get(url))
        # The last choices are the worst: a tier in which everything is asked.
        asked = re.compile(r"q-[a-z0-9_]+")
        given = {name: values[-1] for name, values in fields.choices.items() if asked.fullmatch(name)}
        given.update({name: words["intake"] for name in fields.texts if asked.fullmatch(name)})
        send(staff, url, given)
    return case


def _send(staff: Any, words: Canaries, case: str, *, now: datetime) -> str:
    due = (now + timedelta(days=21)).date().isoformat()
    typed = {"note": words["note"], "due": due, "questionnaires": ["breach-history", "customer-list-protection"]}
    address: str = send(staff, f"/assessments/{case}/send", typed, more=["to"]).location
    return address.rsplit("/", 1)[-1]


def _answer(vendor: Any, words: Canaries, request: str, token: str, code: Callable[[], str]) -> None:
    asking: str = builders.post(vendor, f"/q/{token}").location
    builders.post(vendor, asking, {"code": code()})
    base = f"/respond/{request}"
    who = {"name": words["respondent name"], "role": words["respondent role"]}
    assert builders.post(vendor, f"{base}/start", who).status_code == 303
    row = {
        "rows": "1", "0-system": words["table cell"], "0-operator": words["table operator"],
        "0-region": words["table region"], "0-people_with_access": "14", "0-mfa": "yes", "0-encrypted": "yes",
        "0-export_possible": "no",
    }  # fmt: skip
    _save(vendor, base, "list_systems", row | {"comment": words["comment"]})
    reason = f"{words['not applicable']} and nothing more"
    _save(vendor, base, "outsider_view", {"na": "1", "na-reason": reason})
    data = {"q-list_systems-files": (io.BytesIO(content(words)), f"{words['file name']}.pdf")}
    answer = builders.post(
        vendor, f"{base}/evidence/list_systems", data, page=f"{base}/start",
        content_type="multipart/form-data",
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    sent = {"name": words["sender name"], "role": words["sender role"], "declared": "y", "incomplete": "y"}
    send(vendor, f"{base}/check", sent, to=f"{base}/submit")


def _save(vendor: Any, base: str, question: str, said: dict[str, str]) -> None:
    data = {f"q-{question}-{suffix}": value for suffix, value in said.items()} | {f"q-{question}-version": "0"}
    answer = builders.post(vendor, f"{base}/answers/{question}", data, page=f"{base}/start")
    assert answer.status_code == 200, answer.text


def _review_and_decide(staff: Any, words: Canaries, case: str, *, now: datetime) -> None:
    page = f"/assessments/{case}/answers?q=CL-05"
    send(staff, page, {"note": words["review note"]}, to=f"/assessments/{case}/answers/CL-05", more=["evidence"])
    typed = {
        "outcome": "with_conditions", "reason": f"{words['decision reason']} is why", "accepts_provisional": "y",
        "conditions-0-what": words["condition"], "conditions-0-owner": words["condition owner"],
        "conditions-0-due": (now + timedelta(days=60)).date().isoformat(),
    }  # fmt: skip
    send(staff, f"/assessments/{case}/decision", typed)


def content(words: Canaries) -> bytes:
    """The file of evidence that is sent."""
    return pdf(f"% {words['file content']}\n".encode())


def forms_of(word: str) -> Iterator[bytes]:
    """The bytes that a word could have become: encodings, hex, and base64 at each of its three offsets."""
    for text in (word, word.upper(), word.capitalize()):
        plain = text.encode()
        yield from (plain, text.encode("utf-16-le"), text.encode("utf-16-be"), plain.hex().encode())
        yield plain.hex().upper().encode()
        for before in range(3):
            # Of each offset only what does not depend on the bytes around the word.
            encoded = base64.b64encode(bytes(before) + plain)
            yield encoded[(0, 2, 3)[before] : len(encoded) - 4]


def traces(words: Canaries, files: Iterable[Path]) -> list[str]:
    """Which canary lies in which file."""
    digest = hashlib.sha256(content(words))
    sought = [(place, form) for place, word in words.words.items() for form in set(forms_of(word))]
    # Who has the file too could look for its hash: many customers of a vendor are given the same one.
    sought += [("hash of a file", form) for form in (digest.digest(), *forms_of(digest.hexdigest()))]
    found = []
    for path in files:
        lies = path.read_bytes()
        found += [f"{place} in {path.name}" for place, form in sought if form in lies]
    return sorted(set(found))


def readable(words: Canaries, pages: Iterable[str]) -> set[str]:
    """The canaries that people can read somewhere on these pages."""
    text = "\n".join(pages).lower()
    return {place for place, word in words.words.items() if word in text}


def opened(database: Database) -> int:
    """How many sealed values of vendors open, of all columns of all tables."""
    count = 0
    with database.reading() as session:
        keys = set(session.scalars(select(Vendor.key_id)))
        for table in Base.metadata.sorted_tables:
            for column in (each for each in table.columns if isinstance(each.type, LargeBinary)):
                count += sum(_opens(session, value, keys) for value in session.scalars(select(column)) if value)
    return count


def _opens(session: Session, value: bytes, keys: set[UUID]) -> bool:
    try:
        key_id = crypto.key_id_of(value)
    except crypto.CannotOpen:
        return False
    return key_id in keys and vault.is_alive(session, key_id)
