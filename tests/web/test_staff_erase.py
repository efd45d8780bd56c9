"""Erasing on the page, and every page of staff and auditors afterwards: each says "erased", none breaks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import builders, erasing
from tests.application import Clock
from tests.cast import Cast
from tests.erasing import REASON, Full
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.operating import backups
from vendorrisk.services.runtime import Runtime

PLAIN = ("Northwind Mail", "vendor.example", "Windy", "Mailing service", "from home", "Victor Lang", "customers.pdf")
"""Words that no page may show once the vendor is erased."""
WITHOUT_ITS_DATA_NOTHING = 410


@pytest.fixture
def full(runtime: Runtime, cast: Cast, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Full:
    return erasing.full_vendor(runtime, cast.petra, monkeypatch, now=clock.now)


def erase(adam: FlaskClient, full: Full, **changed: str) -> TestResponse:
    """Send the form."""
    return builders.post(adam, f"/vendors/{full.vendor}/erase", {"reference": full.vendor, "reason": REASON, **changed})


def test_the_page_says_what_is_lost_and_asks_for_the_reference_and_a_reason(adam: FlaskClient, full: Full) -> None:
    page = adam.get(f"/vendors/{full.vendor}")
    assert f'href="/vendors/{full.vendor}/erase"' in page.text
    shown = adam.get(f"/vendors/{full.vendor}/erase").text
    for words in ("2 assessments", "1 file of evidence", "1 report", "1 request that the vendor can still answer"):
        assert words in shown


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"reference": "V-OTHER"}, "to say that you mean this vendor"),
        ({"reference": ""}, "to say that you mean this vendor"),
        ({"reason": "because"}, "in at least 15 characters"),
        ({"reason": "x" * 501}, "the most is 500"),
    ],
)
def test_a_slip_erases_nothing_and_loses_nothing_typed(
    adam: FlaskClient, full: Full, changed: dict[str, str], says: str
) -> None:
    answer = erase(adam, full, **changed)
    assert answer.status_code == 422 and says in answer.text
    assert next(iter(({"reason": REASON} | changed).values())) in answer.text
    assert "Northwind Mail" in adam.get(f"/vendors/{full.vendor}").text


def test_only_administrators_find_the_way(petra: FlaskClient, full: Full) -> None:
    assert "/erase" not in petra.get(f"/vendors/{full.vendor}").text
    assert petra.get(f"/vendors/{full.vendor}/erase").status_code == 404


def test_a_stale_sign_in_erases_nothing_and_keeps_what_was_typed(adam: FlaskClient, full: Full, clock: Clock) -> None:
    page = f"/vendors/{full.vendor}/erase"
    token = builders.token_in(adam.get(page))
    clock.advance(minutes=11)
    answer = adam.post(page, data={"csrf_token": token, "reference": full.vendor, "reason": REASON})
    assert answer.status_code == 403 and REASON in answer.text
    assert adam.get(page).location == f"/sign-in/again?next={page}"
    assert "Northwind Mail" in adam.get(f"/vendors/{full.vendor}").text


def test_afterwards_the_vendors_page_says_when_by_whom_and_why(
    adam: FlaskClient, petra: FlaskClient, full: Full
) -> None:
    answer = erase(adam, full)
    assert (answer.status_code, answer.location) == (303, f"/vendors/{full.vendor}")
    page = petra.get(f"/vendors/{full.vendor}").text
    for words in ("This vendor was erased", "Adam Reed", REASON, full.decided, full.open):
        assert words in page
    assert adam.get(f"/vendors/{full.vendor}/erase").location == f"/vendors/{full.vendor}"


def test_a_keyring_that_could_not_be_renewed_is_said_on_the_page(
    adam: FlaskClient, runtime: Runtime, full: Full, clock: Clock, tmp_path: Path
) -> None:
    backups.make(runtime.database, runtime.storage, tmp_path / "backups", by=SYSTEM, now=clock.now)
    erase(adam, full)
    page = adam.get(f"/vendors/{full.vendor}").text
    assert "This vendor was erased" in page and "can still be read from a backup" in page


def addresses(app: Flask, full: Full) -> list[str]:
    """Every page of staff and auditors that can be looked at, for the things of this vendor."""
    found = []
    references = {"/vendors": [full.vendor], "/requests": [full.request, full.open_request], "/reports": [full.report]}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.endpoint.startswith(("staff.", "auditor.")):
            continue
        path = re.sub(r"<uuid:\w+>", "00000000-0000-0000-0000-0000000000aa", str(rule))
        path = path.replace("<int:number>", "1").replace("<code>", "RA-01")
        prefix = path.removeprefix("/audit").replace("/reports/<reference>.pdf", "/reports/<reference>")
        chosen = next(
            (each for start, each in references.items() if prefix.startswith(start)), [full.decided, full.open]
        )
        found += [path.replace("<reference>", reference) for reference in chosen] if "<reference>" in path else [path]
    return sorted(set(found))


def test_every_page_afterwards_works_and_none_tells_anything(app: Flask, adam: FlaskClient, full: Full) -> None:
    pages = addresses(app, full)
    assert len(pages) > 30
    before = {page: adam.get(page) for page in pages}
    assert any("Northwind Mail" in answer.text for answer in before.values())
    assert erase(adam, full).status_code == 303
    wrong = []
    for page in pages:
        answer = adam.get(page)
        if answer.status_code not in (200, 303, 404, 409, WITHOUT_ITS_DATA_NOTHING):
            wrong.append(f"{page}: {answer.status_code}")
        if before[page].status_code == 200 and answer.status_code == 404:
            wrong.append(f"{page}: not found any more")
        wrong += [f"{page}: {word}" for word in PLAIN if word in answer.text]
    assert wrong == []


@pytest.mark.parametrize(
    "page",
    [
        "/vendors", "/assessments", "/home", "/work", "/audit", "/vendors/{vendor}", "/assessments/{decided}",
        "/assessments/{open}", "/assessments/{decided}/trail", "/assessments/{open}/trail",
        "/assessments/{decided}/reports", "/audit/assessments/{decided}", "/audit/assessments/{decided}/trail",
    ],
)  # fmt: skip
def test_lists_cases_and_trails_are_shown_with_what_is_left(adam: FlaskClient, full: Full, page: str) -> None:
    erase(adam, full)
    answer = adam.get(page.format_map(vars_of(full)))
    assert answer.status_code == 200
    if page not in ("/home", "/work"):
        assert re.search(r"erased", answer.text, re.IGNORECASE)


def vars_of(full: Full) -> dict[str, str]:
    """The references, for addresses."""
    return {"vendor": full.vendor, "decided": full.decided, "open": full.open}


def test_the_decision_and_the_hash_of_the_report_are_left_for_the_auditor(
    adam: FlaskClient, audrey: FlaskClient, full: Full
) -> None:
    sha = re.findall(r"[0-9a-f]{64}", audrey.get(f"/audit/assessments/{full.decided}").text)
    erase(adam, full)
    page = audrey.get(f"/audit/assessments/{full.decided}").text
    assert "Approved" in page and "Petra Novak" in page and full.report in page
    assert set(re.findall(r"[0-9a-f]{64}", page)) <= set(sha)
    assert audrey.get(f"/audit/reports/{full.report}.pdf").status_code == WITHOUT_ITS_DATA_NOTHING


def test_what_staff_send_afterwards_is_refused_in_words(adam: FlaskClient, petra: FlaskClient, full: Full) -> None:
    token = builders.token_in(petra.get(f"/vendors/{full.vendor}/contacts/new"))
    erase(adam, full)
    for address in (f"/vendors/{full.vendor}/contacts/new", f"/assessments/{full.decided}/reports"):
        answer = petra.post(address, data={"csrf_token": token, "name": "Dana", "email": "dana@vendor.example"})
        assert answer.status_code == WITHOUT_ITS_DATA_NOTHING
        assert "was erased" in answer.text
