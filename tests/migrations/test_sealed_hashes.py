"""The migration that leaves nothing plain that names a vendor: hashes of files, what mail servers said, of old rows."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from tests import builders, erasing
from tests.databases import MASTER
from tests.erasing import Full
from tests.services.backups.backing_up import make, opened_at, restore
from vendorrisk.db import migrate, vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence, Letter, Request, Vendor
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.mail.messages import Message
from vendorrisk.services.letters import outbox
from vendorrisk.services.operating import erasure, keys, opening, unsealed
from vendorrisk.services.operating.keys import BadKey
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

BEFORE = "0008"
HASH = hashlib.sha256(erasing.FILE).hexdigest()
WAITED = "It waited to be sent when the backup was made, and may have been sent since. Try again if it was not."
SAID = {
    "550 5.7.1 host northwind-example.mail.example said: no": "550 5.7.1",
    "451 northwind.example is away": "451",
    "northwind.example: no route": "",
    WAITED: WAITED,
}
"""What stood in the column of errors, and what the migration leaves of it."""


@pytest.fixture
def full(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Full:
    """A vendor with a file and letters, in a database of this version."""
    with runtime.database.writing() as session:
        petra = builders.add_user(session)
    full = erasing.full_vendor(runtime, petra, monkeypatch, now=now)
    with runtime.database.writing() as session:
        request = session.scalars(select(Request).where(Request.reference == full.request)).one()
        key_id = session.get_one(Vendor, request.vendor_id).key_id
        message = Message("dana@northwind.example", "Dana", "", "Hello", "Hello", "<p>Hello</p>")
        for number in range(len(SAID)):
            row = outbox.put(session, message, kind="receipt", now=now, key_id=key_id, request_id=request.id)
            row.message_id = f"m{number}"
    return full


def go_back(runtime: Runtime) -> None:
    """The database as the version before kept it."""
    url = runtime.database.engine.url.render_as_string(hide_password=False)
    runtime.database.close()
    migrate.downgrade(url, BEFORE)
    execute(url, "UPDATE evidence SET sha256 = :hash", hash=HASH)
    for number, error in enumerate(SAID):
        execute(url, "UPDATE letters SET error = :error WHERE message_id = :id", error=error, id=f"m{number}")


def execute(url: str, statement: str, **values: Any) -> None:
    made = create_engine(url)
    with made.begin() as connection:
        connection.execute(text(statement), values)
    made.dispose()


def hashes(database: Database) -> list[str]:
    with database.reading() as session:
        rows = session.scalars(select(Evidence.sha256))
        return [vault.open_optional(session, row, context="evidence.sha256") for row in rows]


@pytest.fixture
def settled(runtime: Runtime, database_url: str) -> Settings:
    """The settings of this deployment, with its key in the key file."""
    keys.create(runtime.settings.key_file, MASTER)
    return replace(runtime.settings, database=database_url)


def test_old_hashes_are_sealed_by_the_next_start_and_lie_nowhere_plain(
    runtime: Runtime, full: Full, settled: Settings, database_url: str
) -> None:
    go_back(runtime)
    migrate.upgrade(database_url)
    opened = opening.database(settled)
    assert hashes(opened) == [HASH]
    if opened.is_sqlite:
        file = Path(str(opened.engine.url.database))
        for path in file.parent.glob(f"{file.name}*"):
            assert HASH.encode() not in path.read_bytes(), path.name
    with opened.reading() as session:
        assert migrate.missing_triggers(session.connection()) == frozenset()
    opened.close()


def test_a_start_that_was_killed_meanwhile_leaves_the_rest_to_the_next(
    runtime: Runtime, full: Full, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with runtime.database.writing() as session:
        request = session.scalars(select(Request).where(Request.reference == full.request)).one()
        question = builders.question_of(session, request, "remote_access")
        builders.add_evidence(session, runtime.storage, request, question, "more.pdf", erasing.FILE)
    go_back(runtime)
    migrate.upgrade(database_url)
    monkeypatch.setattr(unsealed, "BATCH", 1)
    with runtime.database.writing() as session:
        assert unsealed.seal_some(session)
    assert unsealed.is_any(runtime.database)
    unsealed.seal_all(runtime.database)
    assert not unsealed.is_any(runtime.database) and hashes(runtime.database) == [HASH, HASH]


def test_another_key_file_is_refused_and_nothing_is_lost(
    runtime: Runtime, full: Full, settled: Settings, database_url: str
) -> None:
    go_back(runtime)
    migrate.upgrade(database_url)
    settled.key_file.unlink()
    keys.create(settled.key_file)
    with pytest.raises(BadKey):
        opening.after_upgrade(settled)
    assert unsealed.is_any(runtime.database)


def test_of_an_erased_vendor_neither_hash_nor_error_is_kept(
    runtime: Runtime, full: Full, database_url: str, now: datetime
) -> None:
    with runtime.database.writing() as session:
        erasure.erase(session, full.vendor, erasing.REASON, by=SYSTEM, now=now)
    go_back(runtime)
    migrate.upgrade(database_url)
    with runtime.database.reading() as session:
        assert session.scalars(select(Evidence.sha256)).all() == [None]
        assert set(session.scalars(select(Letter.error))) == {""}


def test_what_mail_servers_said_shrinks_to_its_codes(runtime: Runtime, full: Full, database_url: str) -> None:
    go_back(runtime)
    migrate.upgrade(database_url)
    with runtime.database.reading() as session:
        rows = session.execute(select(Letter.error, Letter.said).order_by(Letter.message_id)).all()
    assert [tuple(row) for row in rows] == [(left, None) for left in SAID.values()]


def test_hashes_of_an_older_backup_are_sealed_as_it_is_restored(
    runtime: Runtime, full: Full, empty_url: str, tmp_path: Path, now: datetime
) -> None:
    go_back(runtime)
    made = make(runtime, tmp_path / "backups", now)
    restore(made, empty_url, open_storage(str(tmp_path / "elsewhere")), now)
    database = opened_at(empty_url)
    assert not unsealed.is_any(database) and hashes(database) == [HASH]
    database.close()
