"""Backups: everything at one moment, sealed, checked, and brought back equal on either database."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, create_engine, func, inspect, select, text

from tests import builders, erasing, trail_side
from tests.databases import MASTER, ON_POSTGRES
from tests.erasing import Full
from vendorrisk.db import dump, engine, migrate, schema, vault
from vendorrisk.db.base import Base
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey, Event, Evidence, Letter, User, Vendor
from vendorrisk.db.vault import MasterKey
from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.mail.messages import Message
from vendorrisk.services import audit
from vendorrisk.services.answering import evidence
from vendorrisk.services.casework import vendor_search, vendors
from vendorrisk.services.casework.vendor_search import Filters
from vendorrisk.services.letters import outbox
from vendorrisk.services.operating import archive, backup_keys, backups, erasure, keys, restoring, rotation
from vendorrisk.services.operating.archive import Kind
from vendorrisk.services.operating.backup_keys import BadBackup, Keyring
from vendorrisk.services.operating.backups import Made
from vendorrisk.services.operating.restoring import Restored
from vendorrisk.services.reporting import reports
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import Storage, open_storage


@pytest.fixture
def petra(runtime: Runtime) -> User:
    with runtime.database.writing() as session:
        return builders.add_user(session)


@pytest.fixture
def full(runtime: Runtime, petra: User, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Full:
    return erasing.full_vendor(runtime, petra, monkeypatch, now=now)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Storage:
    """An empty storage to restore into."""
    return open_storage(str(tmp_path / "elsewhere"))


def make(runtime: Runtime, folder: Path, now: datetime) -> Made:
    return backups.make(runtime.database, runtime.storage, folder, by=SYSTEM, now=now)


def keyring(folder: Path, master: MasterKey = MASTER) -> Keyring:
    return backup_keys.read(folder / backup_keys.NAME, [master])


def restore(made: Made, url: str, storage: Storage, now: datetime, **more: bool) -> Restored:
    return restoring.restore(made.path, keyring(made.path.parent), url, storage, by=SYSTEM, now=now, **more)


def opened_at(url: str) -> Database:
    return Database(engine.make_engine(url), MASTER)


def rows_of(database: Database) -> dict[str, list[bytes]]:
    """All rows of all tables, apart from what restoring changes on purpose."""
    with database.snapshot() as connection:
        return {
            shape.name: sorted(line for lines in dump.read(connection, shape) for line in lines)
            for shape in dump.shapes()
        }


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


def test_every_column_of_every_table_has_a_kind() -> None:
    assert {shape.name for shape in dump.shapes()} == set(Base.metadata.tables)
    for shape in dump.shapes():
        assert len(shape.clause().columns) == len(Base.metadata.tables[shape.name].columns)


def test_the_tables_of_a_revision_are_the_ones_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = schema.newest()
    monkeypatch.setattr(schema, "newest", lambda: "9999")
    drawn = {shape.name: dict(shape.columns) for shape in dump.shapes_at(newest)}
    assert drawn == {shape.name: dict(shape.columns) for shape in dump.shapes()}


def test_it_sees_one_moment_while_others_write(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    real = dump.read
    written: list[str] = []

    def meanwhile(*given: object, **more: object) -> Iterator[list[bytes]]:
        yield from real(*given, **more)  # type: ignore[arg-type]
        if not written:
            with runtime.database.writing() as session:
                written.append(builders.add_vendor(session, "Too late").reference)

    monkeypatch.setattr(dump, "read", meanwhile)
    made = make(runtime, folder, now)
    monkeypatch.undo()
    assert written and made.summary.tables["vendors"] == 1
    assert restore(made, empty_url, elsewhere, now).erased == ()


def test_files_are_ones_own_and_nothing_else_is_left_in_the_folder(
    runtime: Runtime, full: Full, folder: Path, now: datetime
) -> None:
    made = make(runtime, folder, now)
    assert {path.name for path in folder.iterdir()} == {made.path.name, "keyring"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    with pytest.raises(BadBackup, match="is there already"):
        make(runtime, folder, now)
    assert {path.name for path in folder.iterdir()} == {made.path.name, "keyring"}


def test_no_backup_holds_a_wrapped_key(runtime: Runtime, full: Full, folder: Path, now: datetime) -> None:
    made = make(runtime, folder, now)
    with runtime.database.reading() as session:
        wrapped = [value for value in session.scalars(select(DataKey.wrapped)) if value]
        master = runtime.database.master
    found = b"".join(record.content for record in archive.read(made.path, master))
    assert len(wrapped) == 3 and b"trail_events" in found
    assert not any(dump._base64(value).encode() in found or value in found for value in wrapped)
    assert "wrapped" in {
        each.name for table in Base.metadata.tables.values() for each in table.columns
        if isinstance(each.type, LargeBinary) and table.name in backups.WITHOUT
    }  # fmt: skip


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


def test_a_keyring_older_than_the_backup_is_refused_unless_one_insists(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    make(runtime, folder, now)
    old = (folder / "keyring").read_bytes()
    later = now + timedelta(days=1)
    with runtime.database.writing() as session:
        new = builders.add_vendor(session, "New").reference
    made = make(runtime, folder, later)
    (folder / "keyring").write_bytes(old)
    with pytest.raises(BadBackup, match="older than the backup"):
        restore(made, empty_url, elsewhere, later)
    assert restore(made, empty_url, elsewhere, later, older_keyring=True).erased == (new,)


def test_a_backup_from_before_a_rotation_opens_with_the_new_key_and_todays_keyring(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime, tmp_path: Path
) -> None:
    made = make(runtime, folder, now)
    path = tmp_path / "rotated.key"
    keys.create(path, MASTER)
    rotation.begin(path)
    (new, _) = keys.load(path)
    both = Database(runtime.database.engine, vault.Master(*keys.load(path)))
    rotation.finish(both, path, by=SYSTEM, now=now)
    with pytest.raises(BadBackup, match="does not open the keyring"):
        keyring(folder, new)
    settings = replace(runtime.settings, backups=folder)
    assert backup_keys.renew(both, settings, now=now) == ""
    done = restoring.restore(made.path, keyring(folder, new), empty_url, elsewhere, by=SYSTEM, now=now)
    assert done.erased == ()
    with pytest.raises(BadBackup, match="does not open the keyring"):
        keyring(folder, MASTER)


@pytest.mark.parametrize("place", [0.0, 0.001, 0.3, 0.6, 0.999])
def test_one_changed_bit_anywhere_is_noticed(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime, place: float
) -> None:
    made = make(runtime, folder, now)
    content = bytearray(made.path.read_bytes())
    content[int(place * len(content))] ^= 1
    made.path.write_bytes(content)
    with pytest.raises(BadBackup, match=r"was damaged|is not a backup"):
        restore(made, empty_url, elsewhere, now)


@pytest.mark.parametrize("kept", [0, 10, 1000, -1, -70_000])
def test_a_backup_that_was_cut_off_is_noticed(
    runtime: Runtime, full: Full, folder: Path, now: datetime, kept: int
) -> None:
    made = make(runtime, folder, now)
    content = made.path.read_bytes()
    made.path.write_bytes(content[:kept] if kept > -len(content) else content[:100])
    with pytest.raises(BadBackup):
        backups.check(made.path, runtime.database.master)


def test_a_manifest_that_does_not_fit_is_noticed(
    runtime: Runtime, full: Full, folder: Path, now: datetime, tmp_path: Path
) -> None:
    made, master = make(runtime, folder, now), runtime.database.master
    records = list(archive.read(made.path, master))
    lost = next(record for record in records if record.kind is Kind.ROWS)
    for broken in ([each for each in records if each is not lost], records[:-1]):
        with (tmp_path / "broken").open("wb") as file:
            archive.write(file, master, broken)
        with pytest.raises(BadBackup, match=r"does not hold what its manifest says|ends before its manifest"):
            backups.check(tmp_path / "broken", master)


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


def test_a_lost_file_is_said_and_does_not_stop_the_backup(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    with runtime.database.reading() as session:
        name = session.scalars(select(Evidence.storage_name)).one()
    runtime.storage.delete(name)
    made = make(runtime, folder, now)
    assert made.summary.missing == (name,)
    assert restore(made, empty_url, elsewhere, now).summary.missing == (name,)


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


def test_an_event_changed_before_the_backup_is_noticed(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    trail_side.tamper(runtime.database, "UPDATE trail_events SET kind = 'user.added' WHERE kind = 'decision.recorded'")
    made = make(runtime, folder, now)
    with pytest.raises(BadBackup, match="the trail was changed before the backup was made"):
        restore(made, empty_url, elsewhere, now)
    database = opened_at(empty_url)
    with database.reading() as session:
        assert vendors.view(session, vendors.get(session, full.vendor)).name == "Northwind Mail", (
            "what there is, is back"
        )
    database.close()


def test_a_restore_that_is_cut_off_leaves_nothing_that_opens(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = make(runtime, folder, now)
    for step in ("_check_arrived", "_trail_problem", "_end_sessions"):
        with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
            broken.setattr(restoring, step, lambda *_: 1 // 0)
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


def test_a_folder_with_another_deployments_keyring_is_left_alone(
    runtime: Runtime, full: Full, folder: Path, now: datetime
) -> None:
    folder.mkdir()
    theirs = vault.Master(MasterKey("other", bytes(range(1, 33))))
    theirs.learn_root(bytes(range(2, 34)))
    body = {"format": "vendorrisk-keyring-1", "written": now.isoformat(), "keys": []}
    keyring_file = json.dumps({**body, "mac": backup_keys._mac(theirs, body).hex()})
    (folder / "keyring").write_text(keyring_file)
    with pytest.raises(BadBackup, match="the keyring of another deployment"):
        make(runtime, folder, now)
    assert {path.name for path in folder.iterdir()} == {"keyring"}
    settings = replace(runtime.settings, backups=folder)
    assert "another deployment" in backup_keys.renew(runtime.database, settings, now=now)
    assert (folder / "keyring").read_text() == keyring_file
    (folder / "keyring").write_text(keyring_file[:-9])
    make(runtime, folder, now)
    assert keyring(folder).keys, "one that nobody can use gives way"


def test_a_keyring_that_was_changed_or_is_of_another_key_is_refused(
    runtime: Runtime, full: Full, folder: Path, now: datetime
) -> None:
    make(runtime, folder, now)
    with pytest.raises(BadBackup, match="does not open the keyring"):
        keyring(folder, MasterKey("other", bytes(range(1, 33))))
    with pytest.raises(BadBackup, match="does not open the keyring"):
        keyring(folder, MasterKey(MASTER.id, bytes(range(1, 33))))
    plain = json.loads((folder / "keyring").read_text())
    plain["keys"] = plain["keys"][:-1]
    (folder / "keyring").write_text(json.dumps(plain))
    with pytest.raises(BadBackup, match=r"was changed since it was written|holds no root"):
        keyring(folder)
    (folder / "keyring").write_text("{}")
    with pytest.raises(BadBackup, match="is not a keyring"):
        keyring(folder)
    (folder / "keyring").unlink()
    with pytest.raises(BadBackup, match="There is no keyring"):
        keyring(folder)


def test_the_old_keyrings_bytes_are_written_over(runtime: Runtime, full: Full, folder: Path, now: datetime) -> None:
    make(runtime, folder, now)
    old = (folder / "keyring").open("rb")
    with runtime.database.reading() as session:
        backup_keys.write(session, folder, now=now)
    with old:
        assert set(old.read()) == {0}, "whoever still has the old file open finds zeros"


@ON_POSTGRES
def test_nothing_is_backed_up_while_somebody_migrates(
    runtime: Runtime, full: Full, folder: Path, database_url: str, now: datetime
) -> None:
    with (
        migrate._connected(database_url),
        pytest.raises(BadBackup, match="is being migrated just now"),
    ):
        make(runtime, folder, now)
    assert list(folder.iterdir()) == []
    assert make(runtime, folder, now).summary.tables["vendors"] == 1


@ON_POSTGRES
def test_the_snapshot_of_postgresql_is_read_only(database: Database) -> None:
    with database.snapshot() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute(text("DELETE FROM index_terms"))
    with database.writing() as session:
        builders.add_vendor(session)
    assert inspect(database.engine).has_table("vendors")


def test_a_trail_event_says_that_it_was_made(runtime: Runtime, full: Full, folder: Path, now: datetime) -> None:
    made = make(runtime, folder, now)
    with runtime.database.reading() as session:
        (event,) = session.scalars(select(Event).where(Event.kind == "backup.made"))
        assert vault.open_json(session, event.details, context=audit.CONTEXT)["file"] == made.path.name
