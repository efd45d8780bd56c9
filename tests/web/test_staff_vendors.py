"""The pages of vendors and contacts, through the browser's eyes, with CSRF protection on."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests import builders, staff_side, statements
from tests.cast import Cast
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Vendor
from vendorrisk.services.casework import contacts, vendor_search, vendors
from vendorrisk.services.casework.vendor_search import Filters

ODD = "Zoë’s 北京 مكتب <b>& Söhne</b> 🦊"


def _names(database: Database) -> list[str]:
    with database.reading() as session:
        return [row.name for row in vendor_search.page(session, Filters(), 1).items]


def test_a_vendor_is_added_with_its_contact_and_its_page_opens(petra: FlaskClient, database: Database) -> None:
    form = {
        "name": " Northwind  Mail ", "website": "Northwind.example", "contact_name": "Dana",
        "contact_email": "dana@northwind.example",
    }  # fmt: skip
    answer = builders.post(petra, "/vendors/new", form)
    assert answer.status_code == 303
    page = petra.get(answer.location)
    assert page.status_code == 200
    for text in ("Northwind Mail", "https://northwind.example", "Dana", "Start an assessment"):
        assert text in page.text
    assert _names(database) == ["Northwind Mail"]


def test_a_double_is_shown_first_and_nothing_typed_is_lost(petra: FlaskClient, database: Database) -> None:
    builders.post(petra, "/vendors/new", {"name": "Northwind Mail Ltd"})
    form = {"name": "NORTHWIND mail", "aliases": "Windy", "contact_name": "Sam", "contact_email": "sam@w.example"}
    shown = builders.post(petra, "/vendors/new", form)
    assert shown.status_code == 409
    assert "Open Northwind Mail Ltd" in shown.text and "Add anyway" in shown.text
    for typed in ("NORTHWIND mail", "Windy", "Sam", "sam@w.example"):
        assert typed in shown.text
    assert len(_names(database)) == 1
    (seen,) = re.findall(r'name="anyway"[^>]*value="([^"]+)"', shown.text)
    answer = petra.post("/vendors/new", data={"csrf_token": builders.token_in(shown), **form, "anyway": seen})
    assert answer.status_code == 303 and len(_names(database)) == 2


def test_add_anyway_does_not_cover_a_double_that_was_not_shown(petra: FlaskClient, database: Database) -> None:
    builders.post(petra, "/vendors/new", {"name": "Northwind"})
    builders.post(petra, "/vendors/new", {"name": "Kite"})
    with database.reading() as session:
        kite = next(row.reference for row in vendor_search.page(session, Filters(), 1).items if row.name == "Kite")
    assert builders.post(petra, "/vendors/new", {"name": "northwind", "anyway": kite}).status_code == 409


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"website": "northwind.example"}, "Enter the vendor’s name.".replace("’", "&#39;")),
        ({"name": "N", "website": "not a site"}, "is not a web address"),
        ({"name": "N" * 201}, "the most is 200"),
        ({"name": "No\x00rth"}, "U+0000"),
        ({"name": "N", "contact_email": "dana@n.example"}, "name too"),
        ({"name": "N", "contact_name": "Dana"}, "address too"),
        ({"name": "N", "contact_name": "Dana", "contact_email": "nonsense"}, "is not an e-mail address"),
    ],
)
def test_bad_input_is_said_at_the_field_and_nothing_is_lost(
    petra: FlaskClient, database: Database, form: dict[str, str], message: str
) -> None:
    shown = builders.post(petra, "/vendors/new", form | {"aliases": "Kept alias"})
    assert shown.status_code == 422
    assert "There is a problem" in shown.text and "<title>Error: " in shown.text
    assert shown.text.count(message) >= 2, "in the summary and at the field"
    assert "Kept alias" in shown.text and form.get("website", "") in shown.text
    assert _names(database) == []


def test_odd_text_comes_back_as_it_was_typed_and_is_never_markup(petra: FlaskClient, database: Database) -> None:
    answer = builders.post(petra, "/vendors/new", {"name": ODD})
    assert _names(database) == [ODD]
    page = petra.get(answer.location).text
    assert "&lt;b&gt;&amp; Söhne&lt;/b&gt; 🦊" in page and "<b>&" not in page
    assert "Zoë’s" in petra.get("/vendors?search=zoe").text


def test_without_a_token_nothing_is_added(petra: FlaskClient, database: Database) -> None:
    assert petra.post("/vendors/new", data={"name": "Sneaky"}).status_code == 400
    assert _names(database) == []


def test_an_edit_over_an_unseen_change_shows_both(petra: FlaskClient, database: Database) -> None:
    url = builders.post(petra, "/vendors/new", {"name": "Northwind"}).location
    stale = petra.get(f"{url}/edit")
    assert builders.post(petra, f"{url}/edit", {"name": "Southwind", "version": "1"}).status_code == 303
    form = {"csrf_token": builders.token_in(stale), "name": "Eastwind", "version": "1"}
    shown = petra.post(f"{url}/edit", data=form)
    assert shown.status_code == 409 and "Southwind" in shown.text and "Eastwind" in shown.text
    assert _names(database) == ["Southwind"]
    (version,) = re.findall(r'name="version"[^>]*value="(\d+)"', shown.text)
    assert builders.post(petra, f"{url}/edit", {"name": "Eastwind", "version": version}).status_code == 303
    assert _names(database) == ["Eastwind"]


def test_contacts_are_added_and_changed(petra: FlaskClient, database: Database) -> None:
    url = builders.post(petra, "/vendors/new", {"name": "Northwind"}).location
    bad = builders.post(petra, f"{url}/contacts/new", {"name": "Dana", "email": "dana@"})
    assert bad.status_code == 422 and "Dana" in bad.text
    assert builders.post(petra, f"{url}/contacts/new", {"name": "Dana", "email": "dana@n.example"}).status_code == 303
    with database.reading() as session:
        vendor = vendors.get(session, url.rpartition("/")[2])
        (dana,) = contacts.of_vendor(session, vendor.id)
    form = {"name": "Dana Ruiz", "email": "d.ruiz@n.example", "role": "DPO", "is_primary": "y"}
    assert builders.post(petra, f"{url}/contacts/{dana.id}", form).status_code == 303
    assert "d.ruiz@n.example" in petra.get(url).text and "DPO" in petra.get(url).text
    other = builders.post(petra, "/vendors/new", {"name": "Kite"}).location
    assert petra.get(f"{other}/contacts/{dana.id}").status_code == 404


def test_the_lists_say_what_to_do_when_they_are_empty(petra: FlaskClient) -> None:
    for path, words in (
        ("/home", "No vendors yet"), ("/vendors", "No vendors yet"), ("/assessments", "No assessments yet"),
        ("/work", "Nothing is stuck"), ("/vendors?search=zzz", "Clear filters"),
        ("/assessments?band=High", "Clear filters"),
    ):  # fmt: skip
        answer = petra.get(path)
        assert answer.status_code == 200 and words in answer.text, path


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=99", "tier=9&band=<b>&sort=;drop", "search=%00", "search=%F0%9F%A6%8A"]
)
def test_a_strange_address_shows_a_list_all_the_same(petra: FlaskClient, query: str) -> None:
    assert petra.get(f"/vendors?{query}").status_code == 200
    assert petra.get(f"/assessments?{query}").status_code == 200


def test_a_full_list_takes_few_statements(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        for number in range(30):
            builders.add_assessment(session, builders.add_vendor(session, f"Vendor {number}"))
    with statements.sent(database) as first:
        page = petra.get("/vendors")
    assert page.text.count("Vendor ") >= 25 and "Next" in page.text
    assert len(first) <= 10, "the names are counted with four more, however many they are"
    petra.get("/vendors")
    with statements.sent(database) as seen:
        petra.get("/vendors")
    # Three of the page, and those of the frame: who is signed in, their roles, letters not delivered.
    assert len(seen) <= 6, seen


PAGES = (
    "/home", "/vendors", "/vendors/new", "/vendors/{vendor}", "/vendors/{vendor}/edit",
    "/vendors/{vendor}/contacts/new",
    "/vendors/{vendor}/contacts/{contact}", "/vendors/{vendor}/assessments/new", "/assessments", "/assessments/{case}",
    "/assessments/{case}/intake", "/assessments/{case}/intake/1", "/assessments/{case}/intake/result",
    "/assessments/{case}/send", "/requests/{request}", "/requests/{request}/link", "/requests/{request}/withdraw",
    "/work",
)  # fmt: skip


@pytest.fixture
def known(database: Database, cast: Cast) -> dict[str, str]:
    """References of things that exist."""
    with database.writing() as session:
        case = staff_side.ready(session, cast.petra)
        sent = staff_side.send(session, case, cast.petra)
        vendor = session.get_one(Vendor, case.vendor_id)
        (contact,) = contacts.of_vendor(session, vendor.id)
        return {
            "vendor": vendor.reference, "contact": str(contact.id), "case": case.reference,
            "request": sent.request.reference,
        }  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_staff_and_admin_open_a_page_that_others_cannot_tell_from_nothing(
    page: str, known: dict[str, str], petra: FlaskClient, adam: FlaskClient, audrey: FlaskClient, client: FlaskClient
) -> None:
    path = page.format(**known)
    assert petra.get(path).status_code in (200, 303)
    assert adam.get(path).status_code in (200, 303)
    assert audrey.get(path).status_code == 404
    stranger = client.get(path)
    assert stranger.status_code == 303 and stranger.location.startswith("/sign-in")


@pytest.mark.parametrize("page", [page for page in PAGES if "{" in page])
def test_an_unknown_reference_is_404(page: str, petra: FlaskClient) -> None:
    nothing = {
        "vendor": "V-NONE0",
        "contact": "00000000-0000-0000-0000-000000000000",
        "case": "A-2026-0000",
        "request": "R-NONE00",
    }
    assert petra.get(page.format(**nothing)).status_code == 404


def test_the_front_door_leads_everybody_to_their_own_page(
    petra: FlaskClient, audrey: FlaskClient, client: FlaskClient
) -> None:
    assert petra.get("/").location == "/home"
    assert audrey.get("/").location == "/audit"
    assert client.get("/").location.startswith("/sign-in")
