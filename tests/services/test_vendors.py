"""Vendors: doubles are noticed, the list is bounded, nothing that names one is stored plain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, statements
from tests.builders import NOW
from tests.databases import ON_SQLITE
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Event, IndexTerm, Vendor
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.services.casework import cases, contacts, vendor_search, vendors
from vendorrisk.services.casework.contacts import NewContact
from vendorrisk.services.casework.vendor_search import Filters
from vendorrisk.services.casework.vendors import NewVendor

Found = Callable[[str], list[str]]


def test_a_vendor_of_the_same_name_or_domain_is_noticed(session: Session) -> None:
    builders.add_vendor(session, "Northwind Mail Ltd", website="https://www.northwind.example/")
    by_name = vendor_search.doubles(session, NewVendor("NORTHWIND mail, Inc."))
    by_domain = vendor_search.doubles(session, NewVendor("Other", "https://northwind.example/x"))
    assert [(each.name, each.why) for each in by_name] == [("Northwind Mail Ltd", "the same name")]
    assert [(each.name, each.why) for each in by_domain] == [("Northwind Mail Ltd", "the same web address")]
    assert vendor_search.doubles(session, NewVendor("Northwind Web", "https://web.northwind.example")) == []


def test_an_alias_counts_as_a_name(session: Session) -> None:
    vendors.add(session, NewVendor("Holding 7", "", ("Finder",)), by=SYSTEM, now=NOW)
    assert [each.name for each in vendor_search.doubles(session, NewVendor("finder"))] == ["Holding 7"]


@pytest.fixture
def found(session: Session) -> Found:
    """What a search among three vendors finds."""
    first = builders.add_vendor(session, "Northwind Mail Ltd", website="https://northwind.example")
    builders.add_contact(session, first, email="Dana@Mail.example")
    builders.add_vendor(session, "Norbert Données", website="")
    builders.add_vendor(session, "3M", website="")
    return lambda text: sorted(row.name for row in vendor_search.page(session, Filters(search=text), 1).items)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("north", ["Northwind Mail Ltd"]),
        ("nor", ["Norbert Données", "Northwind Mail Ltd"]),
        ("no", []),
        ("MAIL northw", ["Northwind Mail Ltd"]),
        ("northwind gmbh", ["Northwind Mail Ltd"]),
        ("mail nothing", []),
        ("donnees", ["Norbert Données"]),
        ("3m", ["3M"]),
        ("northwind.example", ["Northwind Mail Ltd"]),
        ("https://www.northwind.example/a", ["Northwind Mail Ltd"]),
        ("dana@mail.example", ["Northwind Mail Ltd"]),
        ("%", []),
        ("' or 1=1 --", []),
    ],
)
def test_search_finds_words_beginnings_domains_and_addresses(found: Found, text: str, names: list[str]) -> None:
    assert found(text) == names


def test_a_reference_is_found_in_any_case(session: Session) -> None:
    vendor = builders.add_vendor(session)
    page = vendor_search.page(session, Filters(search=vendor.reference.lower()), 1)
    assert [row.reference for row in page.items] == [vendor.reference]


def test_the_list_shows_the_latest_assessment_and_filters_by_it(session: Session) -> None:
    vendor = builders.add_vendor(session, "Northwind")
    case = builders.add_assessment(session, vendor, tier=1)
    case.tier, case.band = 1, "High"
    builders.add_vendor(session, "Kite")
    session.flush()
    (row,) = vendor_search.page(session, Filters(tier=1, band="High"), 1).items
    assert (row.name, row.assessment, row.tier, row.band) == ("Northwind", case.reference, 1, "High")
    assert [each.name for each in vendor_search.page(session, Filters(band=cases.UNRATED), 1).items] == ["Kite"]
    assert vendor_search.page(session, Filters(tier=2), 1).total == 0


def test_a_full_page_takes_no_more_statements_than_a_short_one(database: Database) -> None:
    with database.writing() as session:
        for number in range(30):
            builders.add_assessment(session, builders.add_vendor(session, f"Company {number}"))
    with database.reading() as session, statements.sent(database) as seen:
        page = vendor_search.page(session, Filters(search="company"), 1)
    assert (len(page.items), page.total, page.pages) == (25, 30, 2)
    assert len(seen) <= 4
    with database.reading() as session:
        assert len(vendor_search.page(session, Filters(), 99).items) == 5


@ON_SQLITE  # it looks into the files
def test_nothing_that_names_a_vendor_or_contact_reaches_the_database_in_plain(
    database: Database, database_url: str
) -> None:
    new = NewVendor(
        "Canaryname Q",
        "https://canarysite.example",
        ("Canaryalias",),
        NewContact("Canaryperson", "canary@mail.example"),
    )
    with database.writing() as session:
        vendor = vendors.add(session, new, by=SYSTEM, now=NOW)
        builders.add_assessment(session, vendor, service="Canaryservice")
    path = Path(database_url.removeprefix("sqlite:///"))
    stored = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    assert vendor.reference.encode() in stored
    assert b"canary" not in stored.lower()


def test_changing_a_vendor_moves_its_index_and_is_on_the_trail(session: Session) -> None:
    vendor = builders.add_vendor(session, "Northwind Mail", website="")
    vendors.change(session, vendor, NewVendor("Southwind", "https://south.example"), expected=1, by=SYSTEM, now=NOW)
    session.flush()
    assert vendor_search.page(session, Filters(search="northwind"), 1).total == 0
    assert vendor_search.page(session, Filters(search="south.example"), 1).total == 1
    assert "vendor.changed" in session.scalars(select(Event.kind).where(Event.object_id == vendor.id)).all()


def test_a_change_over_an_unseen_change_is_refused(session: Session) -> None:
    vendor = builders.add_vendor(session)
    with pytest.raises(WrongState, match="Somebody else changed"):
        vendors.change(session, vendor, NewVendor("Other"), expected=7, by=SYSTEM, now=NOW)


def test_contacts_have_one_default_and_belong_to_their_vendor(session: Session) -> None:
    vendor, other = builders.add_vendor(session), builders.add_vendor(session)
    first = builders.add_contact(session, vendor)
    second = contacts.add(session, vendor, NewContact("Sam", "sam@n.example", is_primary=True), by=SYSTEM, now=NOW)
    session.expire(first)
    assert [each.name for each in contacts.of_vendor(session, vendor.id)] == ["Sam", "Victor Lang"]
    assert [each.is_primary for each in contacts.of_vendor(session, vendor.id)] == [True, False]
    with pytest.raises(NotFound):
        contacts.get(session, other, second.id)


def test_a_changed_address_is_found_and_the_old_one_is_not(session: Session) -> None:
    vendor = builders.add_vendor(session)
    contact = builders.add_contact(session, vendor, email="old@n.example")
    contacts.change(session, vendor, contact.id, NewContact("Dana", "new@n.example"), by=SYSTEM, now=NOW)
    session.flush()
    assert vendor_search.page(session, Filters(search="new@n.example"), 1).total == 1
    assert vendor_search.page(session, Filters(search="old@n.example"), 1).total == 0


def test_references_are_random_and_unknown_ones_are_not_found(session: Session) -> None:
    references = {builders.add_vendor(session).reference for _ in range(10)}
    assert len(references) == 10
    with pytest.raises(NotFound):
        vendors.get(session, "V-NONE0")


def test_the_index_holds_hashes_that_differ_by_kind(session: Session) -> None:
    builders.add_vendor(session, "Northwind", website="")
    terms = session.execute(select(IndexTerm.kind, IndexTerm.term)).all()
    assert {"name", "prefix"} == {kind for kind, _ in terms}
    assert vault.index_term(session, "name", "northwind") != vault.index_term(session, "prefix", "northwind")
    assert session.scalar(select(Vendor.version)) == 1
