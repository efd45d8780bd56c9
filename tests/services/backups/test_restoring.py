"""Restoring: brought back equal on either database, over nothing, and whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.orm import Session

from tests import builders, erasing, trail_side
from tests.erasing import Full
from tests.services.backups.backing_up import make, opened_at, restore, rows_of
from vendorrisk.db import migrate, vault
from vendorrisk.db.models import AccessCode, Evidence, Invitation, Letter, Request, User, Vendor
from vendorrisk.domain.assessment import RequestStatus, WorkState
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.errors import NotFound
from vendorrisk.domain.roles import Role
from vendorrisk.mail.messages import Message
from vendorrisk.services.answering import evidence, sittings
from vendorrisk.services.casework import vendor_search, vendors
from vendorrisk.services.casework.vendor_search import Filters
from vendorrisk.services.letters import outbox
from vendorrisk.services.operating import archive, erasure, restoring
from vendorrisk.services.operating.archive import Kind
from vendorrisk.services.operating.backup_keys import BadBackup
from vendorrisk.services.people import factors, scopes
from vendorrisk.services.reporting import reports
from vendorrisk.services.runtime import Runtime
from vendorrisk.services.sending import access_codes, invitations
from vendorrisk.storage import Storage, open_storage


def test_everything_comes_back_equal(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    before = rows_of(runtime.database)
    made = make(runtime, folder, now)
    done = restore(made, empty_url, elsewhere, now)
    assert (done.erased, done.summary.files, done.summary.missing) == ((), 2, ())
    database = opened_at(empty_url)
    after = rows_of(database)
    for table in before.keys() - {"trail_events", "users", "letters"}:
        assert after[table] == before[table], table
    assert set(before["trail_events"]) < set(after["trail_events"]), "and one event more: that it was restored"
    assert len(after["trail_events"]) == len(before["trail_events"]) + 1
    with database.reading() as session:
        assert vendors.view(session, vendors.get(session, full.vendor)).aliases == ("Windy",)
        file_id = session.scalars(select(Evidence.id)).one()
        assert b"".join(evidence.open_file(session, elsewhere, file_id)) == erasing.FILE
        assert b"".join(reports.open_pdf(session, elsewhere, full.report)) == b"%PDF-1.7 a report"
    with database.writing() as session:
        # The database goes on counting where it was.
        added = builders.add_vendor(session, "Added afterwards")
        assert vendor_search.page(session, Filters(search="afterwards"), 1).items[0].reference == added.reference
    database.close()


def test_auditors_are_limited_as_before(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    with runtime.database.writing() as session:
        auditor = builders.add_user(session, "ida@audits.example", roles=[Role.AUDITOR])
        days = {"first": now.date(), "last": now.date()}
        _, scope = scopes.limit(session, auditor.email, **days, vendors=[full.vendor], by=SYSTEM, now=now)
        erasure.erase(session, full.vendor, erasing.REASON, by=SYSTEM, now=now)
    restore(make(runtime, folder, now), empty_url, elsewhere, now)
    database = opened_at(empty_url)
    with database.reading() as session:
        assert scopes.everybodys(session) == {auditor.id: scope}
        assert scope.vendors == (full.vendor,)
    database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_a_backup_of_one_database_can_be_restored_into_the_other(
    runtime: Runtime, full: Full, folder: Path, elsewhere: Storage, now: datetime, request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:  # fmt: skip
    made = make(runtime, folder, now)
    if runtime.database.is_sqlite:
        server: str = request.getfixturevalue("postgres_server")
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE moved"))
        url = server.replace("/postgres?", "/moved?", 1)
    else:
        url = f"sqlite:///{tmp_path}/moved.sqlite"
    try:
        restore(made, url, elsewhere, now)
        database = opened_at(url)
        with database.reading() as session:
            assert vendors.view(session, vendors.get(session, full.vendor)).name == "Northwind Mail"
        assert rows_of(database)["answers"] == rows_of(runtime.database)["answers"]
        database.close()
    finally:
        if runtime.database.is_sqlite:
            with admin.connect() as connection:
                connection.execute(text("DROP DATABASE moved WITH (FORCE)"))
            admin.dispose()


@pytest.mark.parametrize(("source", "target"), [("s3", "folder"), ("folder", "s3")])
def test_files_come_back_from_a_bucket_and_into_one(
    runtime: Runtime, petra: User, folder: Path, empty_url: str, bucket_url: str, tmp_path: Path, now: datetime,
    monkeypatch: pytest.MonkeyPatch, source: str, target: str,
) -> None:  # fmt: skip
    places = {"s3": bucket_url, "folder": str(tmp_path / "elsewhere")}
    running = replace(runtime, storage=open_storage(places[source]))
    full = erasing.full_vendor(running, petra, monkeypatch, now=now)
    made = make(running, folder, now)
    assert (made.summary.files, made.summary.missing) == (2, ())
    assert restore(made, empty_url, open_storage(places[target]), now).summary.files == 2
    database, storage = opened_at(empty_url), open_storage(places[target])
    with database.reading() as session:
        file_id = session.scalars(select(Evidence.id)).one()
        assert b"".join(evidence.open_file(session, storage, file_id)) == erasing.FILE
        assert b"".join(reports.open_pdf(session, storage, full.report)) == b"%PDF-1.7 a report"
    database.close()


def test_a_vendor_erased_since_is_erased_in_what_is_restored(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    with runtime.database.writing() as session:
        kept = builders.add_vendor(session, "Kept")
    made = make(runtime, folder, now)
    later = now + timedelta(days=1)
    with runtime.database.writing() as session:
        erasure.erase(session, full.vendor, erasing.REASON, by=SYSTEM, now=later)
    backing_up = replace(runtime, settings=replace(runtime.settings, backups=folder))
    assert erasure.sweep(backing_up, now=later) == []
    assert restore(made, empty_url, elsewhere, later).erased == (full.vendor,)
    database = opened_at(empty_url)
    with database.reading() as session:
        assert vendors.name_of(session, vendors.get(session, kept.reference)) == "Kept"
        gone = vendors.get(session, full.vendor)
        found = erasure.of_vendor(session, gone)
        assert found is not None and found.at == later and "after the backup was made" in found.reason
        with pytest.raises(vault.Erased):
            vendors.name_of(session, gone)
        assert vendor_search.page(session, Filters(search="Northwind"), 1).items == ()
    database.close()


def test_nothing_is_restored_over_anything(
    runtime: Runtime, full: Full, folder: Path, database_url: str, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    made = make(runtime, folder, now)
    before = rows_of(runtime.database)
    with pytest.raises(BadBackup, match="There is a database already"):
        restore(made, database_url, elsewhere, now)
    assert rows_of(runtime.database) == before
    names = [record.plain()["name"] for record in archive.read(made.path, runtime.database.master)
             if record.kind is Kind.FILE]  # fmt: skip
    elsewhere.put(names[0], [b"something else"])
    with pytest.raises(BadBackup, match="another file named"):
        restore(made, empty_url, elsewhere, now)
    checked = create_engine(empty_url)
    with checked.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Vendor)) == 0, "nothing half"
    checked.dispose()


def test_files_that_are_there_already_and_the_same_are_no_hindrance(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, now: datetime
) -> None:
    made = make(runtime, folder, now)
    assert restore(made, empty_url, runtime.storage, now).summary.files == 2


def test_a_clock_that_was_put_back_keeps_nothing_from_being_restored(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, tmp_path: Path, now: datetime
) -> None:
    for moment in (now + timedelta(days=400), now + timedelta(hours=1)):
        trail_side.write(runtime.database, 1, first=moment)
        assert trail_side.sealer(runtime.database, tmp_path, now=moment).round() >= 1
    assert [change for change, *_ in trail_side.places(trail_side.check(runtime.database))] == ["clock put back"]
    assert restore(make(runtime, folder, now), empty_url, elsewhere, now).summary.files == 2


def test_letters_that_waited_are_held_and_everybody_signs_in_again(
    runtime: Runtime, full: Full, petra: User, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    with runtime.database.writing() as session:
        vendor = vendors.get(session, full.vendor)
        message = Message("dana@vendor.example", "Dana", "", "Hello", "Hello", "<p>Hello</p>")
        outbox.put(session, message, kind="receipt", now=now, key_id=vendor.key_id)
    assert restore(make(runtime, folder, now), empty_url, elsewhere, now).letters_held == 1
    database = opened_at(empty_url)
    with database.reading() as session:
        letter = session.scalars(select(Letter)).one()
        assert letter.state is WorkState.FAILED and "may have been sent since" in letter.error
        assert session.get_one(User, petra.id).fs_uniquifier != petra.fs_uniquifier
    database.close()


@dataclass(frozen=True)
class Visit:
    """A vendor's browser that is in, and the link by which it came."""

    request: str
    link: str
    cookie: str


def visit(session: Session, request: Request, now: datetime) -> Visit:
    """Somebody opens the request by a fresh link."""
    token = builders.add_link(session, request)
    link = invitations.find(session, token, now=now)
    assert link is not None
    return Visit(request.reference, token, sittings.start(session, link, now=now))


def is_in(session: Session, visit: Visit, now: datetime) -> bool:
    """Whether the browser still sees the request."""
    try:
        sittings.find(session, visit.request, visit.cookie, now=now)
    except NotFound:
        return False
    return True


def test_no_browser_is_in_again_and_no_link_opens_without_a_code(
    runtime: Runtime, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    with runtime.database.writing() as session:
        asked = visit(session, builders.add_request(session, status=RequestStatus.OPEN), now)
        codeless = visit(session, builders.add_request(session, code_required=False), now)
        handed_in = visit(session, builders.add_request(session, status=RequestStatus.SUBMITTED), now)
        closed = builders.add_request(session)
        dead = visit(session, closed, now)
        session.execute(update(Invitation).where(Invitation.request_id == closed.id).values(expires_at=now))
    with runtime.database.reading() as session:
        assert all(is_in(session, each, now) for each in (asked, codeless, handed_in))
    later = now + timedelta(hours=1)
    done = restore(make(runtime, folder, now), empty_url, elsewhere, later)
    assert (done.links, done.links_ended) == ((asked.request,), (codeless.request,))
    database = opened_at(empty_url)
    with database.reading() as session:
        assert not any(is_in(session, each, later) for each in (asked, codeless, handed_in, dead))
        live = {each for each in (asked, codeless, handed_in, dead) if invitations.find(session, each.link, now=later)}
        assert live == {asked}
        link = invitations.find(session, asked.link, now=later)
        assert link is not None and not sittings.is_known(session, link, asked.cookie, now=later), "the code is asked"
    database.close()


def test_codes_from_before_open_nothing(
    runtime: Runtime, petra: User, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    with runtime.database.writing() as session:
        token = builders.add_link(session, builders.add_request(session))
        link = invitations.find(session, token, now=now)
        assert link is not None
        access_codes.send(session, link, "browser", now=now)
        codes = factors.make_recovery_codes(session, petra, by=SYSTEM, now=now)
    assert restore(make(runtime, folder, now), empty_url, elsewhere, now).recovery_codes_of == 1
    database = opened_at(empty_url)
    with database.writing() as session:
        assert session.scalar(select(AccessCode.id)) is None
        restored = session.get_one(User, petra.id)
        assert not any(factors.accept_recovery_code(session, restored, code, by=SYSTEM, now=now) for code in codes)
        assert len(factors.make_recovery_codes(session, restored, by=SYSTEM, now=now)) == len(codes), "new ones"
    database.close()


def test_an_app_that_was_set_up_before_still_lets_its_owner_in(
    runtime: Runtime, petra: User, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    with runtime.database.writing() as session:
        factors.keep_app(session, petra.id, builders.APP_SECRET)
    restore(make(runtime, folder, now), empty_url, elsewhere, now)
    database = opened_at(empty_url)
    with database.writing() as session:
        code = factors.next_app_code(session, petra.id, now=now)
        assert code is not None and factors.accept_app_code(session, petra.id, code, now=now)
    database.close()


def test_a_restore_that_is_cut_off_leaves_nothing_that_opens(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = make(runtime, folder, now)
    for step in ("_check_arrived", "_trail_problem", "_end_sessions"):
        with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
            broken.setattr(restoring, step, lambda *_, **__: 1 // 0)
            restore(made, empty_url, elsewhere, now)
        database = opened_at(empty_url)
        with pytest.raises(vault.Erased):
            _ = database.master
        database.close()
        if step != "_check_arrived":
            with pytest.raises(BadBackup, match="a restore that was cut off"):
                restore(made, empty_url, elsewhere, now)
            migrate.downgrade(empty_url, "base")
    assert restore(made, empty_url, elsewhere, now).erased == ()
