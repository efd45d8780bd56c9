"""Forged requests: columns that a form does not offer are never taken over, and nobody is led away from home."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from tests import builders, dump
from tests.cast import Cast, SignIn
from tests.counts import Count
from tests.web import fuzzing, worlds
from tests.web import vendor_visits as visits
from tests.web.found_forms import Form
from tests.web.fuzzing import Target
from tests.web.worlds import World
from vendorrisk.db.base import Base
from vendorrisk.db.engine import Database
from vendorrisk.services.runtime import Runtime
from vendorrisk.web.staff.forms import SOMEBODY_NEW
from vendorrisk.web.vendor import dead_ends

MASS_ASSIGNMENTS = 200
SPELLINGS = ("{}", "vendor.{}", "vendor[{}]", "case-{}")


def typed(form: Form) -> MultiDict[str, str]:
    """The form as somebody sends it who has filled in what is empty."""
    data = form.data()
    for name, each in form.fields.items():
        if each.is_text and not data.get(name):
            data[name] = _plausible(name)
        elif "radio" in each.kinds and (SOMEBODY_NEW in each.offered or not data.get(name)):
            data[name] = SOMEBODY_NEW if SOMEBODY_NEW in each.offered else each.offered[0]
        elif "checkbox" in each.kinds and name in ("declared", "incomplete", "accepts_provisional", "questionnaires"):
            data[name] = each.offered[0]
    return data


def _plausible(name: str) -> str:
    if re.search(r"-na-reason$|-comment$|conditions-", name):
        return ""
    for part, value in {
        "email": "nora@northwind.example", "due": "2026-09-30", "until": "2026-12-31", "answered_on": "2026-06-01",
        "website": "https://new.example", "reason": "Spoken through with the vendor.", "since": "2024-01-01",
    }.items():  # fmt: skip
        if part in name:
            return value
    return "Nora Newly Typed"


def columns(world: World) -> dict[str, str]:
    """Every column there is, with what somebody would like it to hold."""
    tempting = {
        "status": "decided", "tier": "4", "band": "Low", "provisional": "0", "inherent": "0", "role": "admin",
        "roles": "admin", "active": "1", "is_primary": "1", "version": "99", "kind": "public", "origin": "vendor",
        "state": "done", "code_required": "0", "tries": "0", "storage_name": "../x", "request_id": world.other.request,
        "vendor_id": world.other.vendor, "contact_id": world.other.contact_id, "reference": world.other.request,
    }  # fmt: skip
    names = {column.name for table in Base.metadata.sorted_tables for column in table.columns}
    found = {name: tempting.get(name, "2020-01-01") for name in sorted(names)}
    return found | {"_method": "DELETE", "by": "adam", "now": "2020-01-01", "is_admin": "1", "__class__": "Admin"}


def forged(target: Target, data: MultiDict[str, str], world: World) -> MultiDict[str, str]:
    """The same form with every column that it does not offer, spelt in several ways."""
    more = data.copy()
    for name, value in columns(world).items():
        for spelling in SPELLINGS:
            if (extra := spelling.format(name)) not in target.form.fields:
                more.add(extra, value)
    return more


@pytest.mark.timeout(600)  # thousands of fields, in one world
def test_no_form_takes_over_a_column_that_it_does_not_offer(
    app: Flask, runtime: Runtime, cast: Cast, sign_in: SignIn, count: Count
) -> None:
    world = worlds.build(app, runtime, cast, sign_in, fuzzing.EXAMPLES)
    targets = [t for t in fuzzing.find(app, world).targets if t.form.endpoint != "vendor.attach"]
    snapshot, before = dump.Snapshot(runtime.database), dump.rows(runtime.database)
    tried, wrong, effective = 0, [], set()
    for target in targets:
        data = typed(target.form)
        data["csrf_token"] = target.csrf
        outcomes = []
        for sent in (data, forged(target, data, world)):
            answer = target.browser.post(target.form.action, data=sent)
            outcomes.append((answer.status_code, dump.written(before, dump.rows(runtime.database))))
            snapshot.restore()
        tried += len(forged(target, data, world)) - len(data)
        effective |= {target.form.endpoint} if outcomes[0][1] else set()
        if outcomes[0] != outcomes[1]:
            wrong.append((target.form.endpoint, set(outcomes[0][1]) ^ set(outcomes[1][1]), outcomes[1][0]))
    assert wrong == []
    assert tried >= MASS_ASSIGNMENTS
    count("fields that no form offers, sent along", tried)
    assert effective >= CHANGING, "these forms were not accepted as they were typed"


CHANGING = {
    "staff.add_vendor", "staff.edit_vendor", "staff.add_contact", "staff.edit_contact", "staff.open_assessment",
    "staff.save_intake_page", "staff.send", "staff.fresh_link", "staff.withdraw", "staff.review_answer",
    "staff.save_on_behalf", "staff.decide", "staff.retry_letter", "vendor.begin", "vendor.save_section",
    "vendor.save_answer", "vendor.submit", "vendor.follow",
}  # fmt: skip
"""Forms that must have changed something when sent as typed: otherwise the comparison says nothing about them."""


def test_a_link_cannot_be_sent_to_another_vendors_contact(
    app: Flask, runtime: Runtime, cast: Cast, sign_in: SignIn
) -> None:
    world = worlds.build(app, runtime, cast, sign_in)
    page, petra = f"/requests/{world.own.request}/link", world.people["petra"]
    assert petra.get(page).status_code == 200  # how many vendors somebody opens is counted
    before = dump.rows(runtime.database)
    assert builders.post(petra, page, {"to": world.other.contact_id}).status_code == 422
    assert dump.changes(before, dump.rows(runtime.database)) == set()


# ---------------------------------------------------------------- led away

AWAY = (
    "//evil.example",
    "///evil.example",
    "////evil.example/x",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "http:///evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https://localhost@evil.example/",
    "//localhost@evil.example",
    "https://localhost.evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "%2f%2fevil.example",
    "/%09/evil.example",
    "/..//evil.example",
    ".evil.example",
    "@evil.example",
    "https://evil.example\\@localhost",
    "//%65vil.example",
    "\x00//evil.example",
    "/\u2044/evil.example",
    "\u3002evil.example",
    "http:evil.example",
    "///\\;@evil.example",
)


def leads_home(location: str) -> bool:
    """Whether a browser that is sent there stays on this host. Browsers read "\\" as "/" and skip tabs."""
    as_read = re.sub(r"[\x00-\x20]", "", location).replace("\\", "/")
    return location != "" and urlsplit(urljoin("http://localhost/sign-in", as_read))[:2] == ("http", "localhost")


def test_what_leads_away_is_noticed() -> None:
    for away in ("//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "javascript:x"):
        assert not leads_home(away)


@pytest.mark.parametrize("away", AWAY)
def test_signing_in_leads_home_wherever_the_address_points(app: Flask, cast: Cast, away: str, count: Count) -> None:
    browser = app.test_client()
    shown = browser.get("/sign-in", query_string={"next": away})
    data = {"email": cast.petra.email, "password": builders.PASSWORD, "next": away}
    answer = browser.post(
        "/sign-in", data={**data, "csrf_token": builders.token_in(shown)}, query_string={"next": away}
    )
    assert answer.status_code in (302, 303), answer.text
    assert leads_home(answer.location), answer.location
    count("addresses that lead away", 1)


def test_the_way_to_the_sign_in_remembers_only_paths_of_ours(client: FlaskClient) -> None:
    for path in ("//evil.example/vendors", "/vendors?x=//evil.example", "/account?next=https://evil.example"):
        answer = client.get(path)
        assert answer.status_code in (303, 400, 404), path
        assert answer.status_code != 303 or leads_home(answer.location), answer.location


# ---------------------------------------------------------------- forged hosts

HOSTS: tuple[dict[str, str], ...] = (
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "evil.example:8000"},
    {"Host": "localhost@evil.example"},
    {"Host": "evil.example#localhost"},
    {"Host": "localhost\\@evil.example"},
    {"Host": "localhost, evil.example"},
    {"Host": "evil.example."},
    {"Host": "[::2]"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "0"},
    {"Host": "EVIL.example"},
    {"Host": ""},
    {"X-Forwarded-Host": "evil.example"},
    {"X-Host": "evil.example"},
    {"X-Original-Host": "evil.example"},
    {"Forwarded": "host=evil.example;proto=https"},
    {"X-Forwarded-Server": "evil.example"},
    {"X-Original-URL": "//evil.example/"},
    {"X-Rewrite-URL": "//evil.example/"},
    {"X-Forwarded-Prefix": "//evil.example"},
    {"X-Forwarded-Proto": "evil", "X-Forwarded-Port": "666"},
    {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
)


@pytest.mark.parametrize("headers", HOSTS, ids=str)
def test_a_forged_host_reaches_no_page_no_header_and_no_letter(
    app: Flask,
    database: Database,
    cast: Cast,
    headers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    count: Count,
) -> None:
    """Asked for while a link is fetched and a password is reset: the two letters that hold an address."""
    monkeypatch.setattr(dead_ends, "SAME_TIME", 0)
    with database.writing() as session:
        request = builders.add_request(session)
        token, reference = builders.add_link(session, request), request.reference
    browser = app.test_client()
    csrf = builders.token_in(browser.get("/sign-in"))
    answers = [
        browser.get("/sign-in", headers=headers),
        browser.get("/account", headers=headers),
        browser.get(f"/q/{token}", headers=headers),
        browser.post("/forgotten-password", data={"csrf_token": csrf, "email": cast.petra.email}, headers=headers),
        browser.post("/q/fresh", data={"csrf_token": csrf, "reference": reference}, headers=headers),
    ]
    for answer in answers:
        assert "evil" not in answer.text + str(answer.headers)
        assert answer.status_code in ((400,) if "Host" in headers else (200, 303)), answer.status
    letters = visits.letters(database)
    assert len(letters) == (0 if "Host" in headers else 2)
    assert all("http://127.0.0.1:8000/" in letter["text"] and "evil" not in str(letter) for letter in letters)
    count("forged hosts", 1)
