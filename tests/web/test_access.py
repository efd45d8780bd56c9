"""Who may open what: the table over every route and the whole cast is tried. A route that is not in it fails.

`petra` is staff, `adam` administers, `audrey` audits, `victor` answers for the vendor of the case, `mallory` for
another vendor, and must see nothing of it. Everybody sends forms with a valid token, so what is tested is who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import builders
from tests.application import Clock
from tests.cast import Cast, SignIn
from tests.web import vendor_visits
from tests.web.access_table import EVERYBODY, FRESHLY, IN, TABLE, Fate, fate
from vendorrisk.db.engine import Database
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.roles import Role
from vendorrisk.web import access, static

NOT_THERE = "00000000-0000-0000-0000-0000000000aa"
WITHOUT_AN_OBJECT = frozenset(
    # There is no letter, file or report in this world, so even those who may come in find nothing. That others get no
    # further is proven all the same; that these do is proven by the tests of each room.
    {
        "staff.retry_letter", "staff.evidence_file", "staff.report", "staff.download_report", "staff.retry_report",
        "auditor.report", "vendor.download", "passkeys.remove",
    }
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """The people, each in a browser, and what stands for the variable parts of addresses."""

    people: Mapping[str, FlaskClient]
    values: Mapping[str, Mapping[str, object]]


@pytest.fixture
def world(app: Flask, database: Database, cast: Cast, sign_in: SignIn) -> World:
    """Two vendors with a request each, and a case that is decided."""
    with database.writing() as session:
        vendor = builders.add_vendor(session, "Northwind Mail")
        contact = builders.add_contact(session, vendor)
        case = builders.add_assessment(session, vendor, status=AssessmentStatus.READY, owner=cast.petra)
        request = builders.add_request(session, case, contact=contact, status=RequestStatus.OPEN)
        link = builders.add_link(session, request)
        decided = builders.add_assessment(session, vendor, status=AssessmentStatus.DECIDED)
        others = builders.add_request(session)
        other_link = builders.add_link(session, others, "Mallory Fox", "mallory@tailspin.example")
        asked = builders.tiny()
        section = asked.sections[0]
        references = {"vendor": vendor.reference, "case": case.reference, "request": request.reference}
        contact_id, decided_reference = contact.id, decided.reference
    people = {
        "anonymous": app.test_client(),
        "petra": sign_in(cast.petra),
        "adam": sign_in(cast.adam),
        "audrey": sign_in(cast.audrey),
        "victor": vendor_visits.enter(app, database, link).browser,
        "mallory": vendor_visits.enter(app, database, other_link, name="Mallory Fox").browser,
    }
    parts: dict[str, object] = {
        "question_id": section.questions[0].id,
        "code": section.questions[0].code,
        "questionnaire_id": asked.id,
        "section_id": section.id,
        "contact_id": contact_id,
        "number": 1,
        "token": "no-such-token",
        "file_id": NOT_THERE,
        "letter_id": NOT_THERE,
        "filename": "site.css",
        "digest_asked": static.digest_of(static.read(static.FOLDER)),
        "passkey_id": NOT_THERE,
    }
    return World(
        people,
        {
            "/vendors": {**parts, "reference": references["vendor"]},
            "/assessments": {**parts, "reference": references["case"]},
            "/requests": {**parts, "reference": references["request"]},
            "/respond": {**parts, "reference": references["request"]},
            "/audit": {**parts, "reference": decided_reference},
            "/q": {**parts, "token": link, "reference": references["request"]},
            "": {**parts, "reference": "nothing"},
        },
    )


def address(app: Flask, world: World, endpoint: str) -> str:
    """Where the door is, for the case of this world."""
    rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)
    prefix = next(prefix for prefix in world.values if str(rule).startswith(prefix))
    needed = {name: value for name, value in world.values[prefix].items() if name in rule.arguments}
    with app.test_request_context():
        return app.url_for(endpoint, **needed)  # type: ignore[arg-type]


def knock(browser: FlaskClient, method: str, url: str) -> TestResponse:
    """Try a door. A POST carries a token that is good for this browser."""
    if method == "GET":
        return browser.get(url)
    for page in ("/account", "/sign-in"):
        shown = browser.get(page)
        if shown.status_code == 200:
            return browser.post(url, data={"csrf_token": builders.token_in(shown)})
    raise AssertionError("there is no page with a token")


def doors(app: Flask) -> list[tuple[str, str]]:
    """Every endpoint with each of its methods; those that only look come first."""
    found = [(rule.endpoint, method) for rule in app.url_map.iter_rules() for method in (rule.methods or set())]
    return sorted(((endpoint, method) for endpoint, method in found if method != "HEAD"), key=lambda door: door[1])


def test_every_route_is_in_the_table(app: Flask) -> None:
    there = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert there - set(TABLE) == set(), "say in access_table.TABLE who may open these"
    assert set(TABLE) - there == set(), "these are gone"


def test_nobody_gets_where_they_may_not(app: Flask, world: World) -> None:
    wrong = []
    for endpoint, method in doors(app):
        row, url = TABLE[endpoint], address(app, world, endpoint)
        for person, browser in world.people.items():
            expected: Fate = getattr(row, person)
            if expected is IN:
                continue
            answer = knock(browser, method, url)
            if fate(answer) is not expected:
                wrong.append(f"{person} at {method} {url} ({endpoint}): {answer.status_code}, not: {expected.value}")
    assert wrong == []


def test_those_who_may_come_in_do(app: Flask, world: World) -> None:
    wrong = []
    for endpoint, method in doors(app):
        row, url = TABLE[endpoint], address(app, world, endpoint)
        if endpoint == "security.logout":
            continue
        for person, browser in world.people.items():
            if getattr(row, person) is not IN or (row is EVERYBODY and person != "anonymous"):
                continue
            answer = knock(browser, method, url)
            missing = endpoint in WITHOUT_AN_OBJECT and answer.status_code == 404
            if (fate(answer) is not IN and not missing) or answer.status_code >= 500:
                wrong.append(f"{person} at {method} {url} ({endpoint}): {answer.status_code} {answer.location or ''}")
    assert wrong == []


def test_dangerous_doors_ask_once_more_and_no_others(app: Flask, world: World, clock: Clock) -> None:
    said = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (found := access.declared(app, rule.endpoint)) and found.fresh
    }
    assert said == FRESHLY
    clock.advance(minutes=11)
    wrong = []
    for endpoint, method in doors(app):
        if endpoint in FRESHLY and TABLE[endpoint].adam is IN:
            answer = knock(world.people["adam"], method, address(app, world, endpoint))
            asked = (
                (answer.location or "").startswith("/sign-in/again?next=/")
                if method == "GET"
                else answer.status_code == 403
            )
            if not asked:
                wrong.append(f"{method} {endpoint}: {answer.status_code}")
    assert wrong == []


def test_another_vendors_page_reads_like_nothing_at_all(world: World, app: Flask) -> None:
    """Mallory cannot tell a request that exists from one that does not."""
    mallory = world.people["mallory"]
    there = mallory.get(address(app, world, "vendor.tasks"))
    nothing = mallory.get("/respond/R-NOTHING")
    assert there.status_code == nothing.status_code == 404
    assert there.text == nothing.text


def test_an_auditor_changes_nothing(app: Flask) -> None:
    """No route that auditors may open takes anything but looks, their own account apart."""
    changing = [
        endpoint
        for endpoint, method in doors(app)
        if method != "GET" and TABLE[endpoint].audrey is IN and TABLE[endpoint] is not EVERYBODY
    ]
    assert sorted(changing) == [
        "account.recovery_codes", "account.set_up_app", "passkeys.account_options", "passkeys.add", "passkeys.remove",
        "passkeys.use", "second_step.prove_again", "security.change_password", "security.logout",
    ]  # fmt: skip


def test_roles_are_those_of_the_account(app: Flask, database: Database, sign_in: SignIn) -> None:
    with database.writing() as session:
        both = builders.add_user(session, "both@acme.example", roles=[Role.STAFF, Role.AUDITOR])
        none = builders.add_user(session, "none@acme.example", roles=[])
    assert sign_in(both).get("/home").status_code == 200
    assert sign_in(both).get("/audit").status_code == 200
    assert sign_in(none).get("/home").status_code == 404
