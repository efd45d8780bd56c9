"""The vault: what is sealed opens only where it was sealed for, and not after its key is gone."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from tests import builders
from vendorrisk.crypto import CannotOpen
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey, Vendor


def test_what_is_sealed_can_be_opened_again(session: Session, now: datetime) -> None:
    key = vault.add_key(session, "vendor", now=now)
    sealed = vault.seal_text(session, key, "Zoë & Søn \U0001f512", context="vendor.name")
    assert "Zoë".encode() not in sealed
    assert vault.open_text(session, sealed, context="vendor.name") == "Zoë & Søn \U0001f512"


def test_a_value_does_not_open_in_another_place(session: Session, now: datetime) -> None:
    key = vault.add_key(session, "vendor", now=now)
    sealed = vault.seal_text(session, key, "Northwind", context="vendor.name")
    with pytest.raises(CannotOpen):
        vault.open_text(session, sealed, context="contact.name")


def test_a_value_cannot_be_passed_off_as_another_vendors(session: Session, now: datetime) -> None:
    mine, theirs = vault.add_key(session, "vendor", now=now), vault.add_key(session, "vendor", now=now)
    sealed = vault.seal_text(session, mine, "Northwind", context="vendor.name")
    with pytest.raises(CannotOpen):
        vault.open_text(session, sealed[:1] + theirs.bytes + sealed[17:], context="vendor.name")


def test_one_changed_bit_is_noticed(session: Session, now: datetime) -> None:
    sealed = vault.seal_text(session, vault.SYSTEM_KEY, "Northwind", context="x")
    with pytest.raises(CannotOpen):
        vault.open_text(session, sealed[:-1] + bytes([sealed[-1] ^ 1]), context="x")


def test_json_comes_back_equal(session: Session) -> None:
    plain = {"value": ["a", "ü", None, True, 12], "lone": "\ud800"}
    sealed = vault.seal_json(session, vault.SYSTEM_KEY, plain, context="x")
    assert vault.open_json(session, sealed, context="x") == plain


def test_once_its_key_is_destroyed_nothing_of_a_vendor_opens(database: Database, now: datetime) -> None:
    with database.writing() as session:
        vendor = builders.add_vendor(session, "Northwind Mail")
        session.execute(update(DataKey).where(DataKey.id == vendor.key_id).values(wrapped=None, destroyed_at=now))
    with database.reading() as session:
        vendor = session.scalars(select(Vendor)).one()
        assert not vault.is_alive(session, vendor.key_id)
        with pytest.raises(vault.Erased):
            vault.open_text(session, vendor.name, context="vendor.name")
        with pytest.raises(vault.Erased):
            vault.seal_text(session, vendor.key_id, "anew", context="vendor.name")


def test_the_keys_of_a_list_are_fetched_with_one_query(database: Database) -> None:
    with database.writing() as session:
        names = {builders.add_vendor(session, f"Vendor {number}").reference: f"Vendor {number}" for number in range(30)}
    with database.reading() as session:
        vendors = session.scalars(select(Vendor)).all()
        queries: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *said: queries.append(said[2]))
        vault.preload(session, [vendor.key_id for vendor in vendors])
        found = {vendor.reference: vault.open_text(session, vendor.name, context="vendor.name") for vendor in vendors}
    assert found == names
    assert len(queries) == 1


def test_keys_are_stored_wrapped_and_open_only_with_the_master_key(database: Database, now: datetime) -> None:
    with database.writing() as session:
        key_id = vault.add_key(session, "vendor", now=now)
        plain = vault.data_key(session, key_id)
        row = session.get_one(DataKey, key_id)
    assert row.wrapped is not None
    assert plain not in row.wrapped
    stranger = Database(database.engine, vault.MasterKey("other", bytes(32)))
    with pytest.raises(CannotOpen), stranger.reading() as session:
        vault.data_key(session, key_id)


def test_the_blind_index_finds_equal_words_and_tells_kinds_apart(session: Session) -> None:
    assert vault.index_term(session, "name", "northwind") == vault.index_term(session, "name", "northwind")
    assert vault.index_term(session, "name", "northwind") != vault.index_term(session, "prefix", "northwind")
    assert len(vault.index_term(session, "name", "northwind")) == 16
