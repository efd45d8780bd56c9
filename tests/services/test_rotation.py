"""Changing the master key: everything opens before, during and after, wherever it is stopped."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from tests import builders, trail_side
from tests.databases import MASTER
from vendorrisk import crypto
from vendorrisk.crypto import CannotOpen
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey, Event, Vendor
from vendorrisk.db.vault import MasterKey
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services import audit
from vendorrisk.services.casework import vendor_search, vendors
from vendorrisk.services.casework.vendor_search import Filters
from vendorrisk.services.operating import backup_keys, backups, keys, rotation
from vendorrisk.services.people import accounts
from vendorrisk.storage import open_storage


@dataclass(frozen=True)
class Deployment:
    """A database with vendors, the key file beside it, and where its backups go."""

    database: Database
    key_file: Path
    backups: Path

    def again(self) -> Database:
        """The same database as another process opens it: with the keys that are in the file now."""
        master = keys.master(self.key_file)
        return Database(self.database.engine, master)

    def finish(self, now: datetime, **more: int) -> rotation.Rotated:
        """Go on with the change, in a process of its own."""
        return rotation.finish(self.again(), self.key_file, backups=self.backups, by=SYSTEM, now=now, **more)  # type: ignore[arg-type]


@pytest.fixture
def deployment(database: Database, tmp_path: Path) -> Iterator[Deployment]:
    """Seven vendors."""
    path = tmp_path / "master.key"
    keys.create(path, MASTER)
    with database.writing() as session:
        for number in range(7):
            builders.add_vendor(session, f"Vendor {number}")
    yield Deployment(database, path, tmp_path / "backups")


def names(database: Database) -> list[str]:
    """The names of all vendors, opened."""
    with database.reading() as session:
        return sorted(vendors.name_of(session, vendor) for vendor in session.scalars(select(Vendor)))


def left_on(database: Database, master: MasterKey) -> int:
    """How many data keys this master key wraps."""
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(DataKey).where(DataKey.master_id == master.id)) or 0


NAMES = [f"Vendor {number}" for number in range(7)]


def test_afterwards_only_the_new_key_opens_anything(deployment: Deployment, now: datetime) -> None:
    rotation.begin(deployment.key_file)
    done = deployment.finish(now)
    (held,) = keys.load(deployment.key_file)
    assert (done.new, done.old) == (held.id, MASTER.id) and held != MASTER
    assert stat.S_IMODE(deployment.key_file.stat().st_mode) == 0o600
    assert left_on(deployment.database, MASTER) == 0
    assert names(deployment.again()) == NAMES
    with pytest.raises(CannotOpen, match="does not hold the master key"):
        names(Database(deployment.database.engine, MASTER))


def test_what_hangs_on_the_root_stays_as_it_was(deployment: Deployment, now: datetime) -> None:
    before = {name: deployment.database.master.purpose(name) for name in ("trail", "index", "passwords", "sessions")}
    rotation.begin(deployment.key_file)
    deployment.finish(now)
    again = deployment.again()
    assert {name: again.master.purpose(name) for name in before} == before
    with again.reading() as session:
        assert [row.name for row in vendor_search.page(session, Filters(search="Vendor 3"), 1).items] == ["Vendor 3"]
    assert trail_side.check(again) == []


def test_the_pepper_of_passwords_outlives_the_master_key(deployment: Deployment, now: datetime) -> None:
    before = accounts.pepper(deployment.database.master)
    rotation.begin(deployment.key_file)
    deployment.finish(now)
    assert accounts.pepper(deployment.again().master) == before


class Killed(Exception):
    """Stands for kill -9."""


@pytest.mark.parametrize("at", range(5))
def test_stopped_anywhere_it_goes_on_when_run_again(
    deployment: Deployment, now: datetime, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    running = deployment.again()
    rotation.begin(deployment.key_file)
    steps = iter(range(100))
    real: Callable[..., object] = rotation._wrap

    def perhaps_killed(*given: object) -> None:
        if next(steps) == at:
            raise Killed
        real(*given)

    monkeypatch.setattr(rotation, "_wrap", perhaps_killed)
    with pytest.raises(Killed):
        deployment.finish(now, batch=2)
    assert names(deployment.again()) == NAMES, "the service starts in the middle"
    assert names(running) == NAMES, "and one that runs goes on"
    monkeypatch.undo()
    assert rotation.is_under_way(deployment.key_file)
    new, _ = keys.load(deployment.key_file)
    rotation.begin(deployment.key_file)
    assert keys.load(deployment.key_file)[0] == new, "no third key"
    deployment.finish(now, batch=2)
    assert left_on(deployment.database, MASTER) == 0 and names(deployment.again()) == NAMES


@pytest.fixture
def backed_up(deployment: Deployment, now: datetime, tmp_path: Path) -> Path:
    """A backup of the deployment, made before the change."""
    storage = open_storage(str(tmp_path / "files"))
    return backups.make(deployment.again(), storage, deployment.backups, by=SYSTEM, now=now).path


def check_opens(deployment: Deployment, backup: Path) -> None:
    """The backup opens with what is in the key file now."""
    keyring = backup_keys.read(deployment.backups / backup_keys.NAME, keys.load(deployment.key_file))
    backups.check(backup, keyring.master)


def raises(error: type[Exception]) -> Callable[..., None]:
    def now_it_does(*_: object) -> None:
        raise error

    return now_it_does


@pytest.mark.parametrize("place", ["keys.replace", "backup_keys.private_files.replace", "backup_keys.check_ours"])
def test_killed_as_it_ends_backups_open_and_it_goes_on(
    deployment: Deployment, backed_up: Path, now: datetime, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    rotation.begin(deployment.key_file)
    with monkeypatch.context() as broken, pytest.raises(Killed):
        broken.setattr(f"vendorrisk.services.operating.{place}", raises(Killed))
        deployment.finish(now)
    assert left_on(deployment.database, MASTER) == 0, "all was wrapped anew"
    check_opens(deployment, backed_up)
    assert rotation.is_under_way(deployment.key_file)
    deployment.finish(now)
    check_opens(deployment, backed_up)
    assert not rotation.is_under_way(deployment.key_file)


def test_a_keyring_that_cannot_be_renewed_keeps_the_old_key_until_it_can(
    deployment: Deployment, backed_up: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation.begin(deployment.key_file)
    with monkeypatch.context() as broken, pytest.raises(rotation.NotForgotten, match="could not be written anew"):
        broken.setattr(backup_keys, "_overwrite", raises(OSError))
        deployment.finish(now)
    check_opens(deployment, backed_up)
    assert rotation.is_under_way(deployment.key_file)
    deployment.finish(now)
    check_opens(deployment, backed_up)


def test_a_backup_disk_that_is_not_there_keeps_the_old_key_until_it_is(
    deployment: Deployment, backed_up: Path, now: datetime
) -> None:
    rotation.begin(deployment.key_file)
    unmounted = deployment.backups.rename(deployment.backups.with_name("elsewhere"))
    for _ in ("no folder", "an empty folder"):
        with pytest.raises(rotation.NotForgotten, match="Is its disk there"):
            deployment.finish(now)
        deployment.backups.mkdir(exist_ok=True)
    deployment.backups.rmdir()
    unmounted.rename(deployment.backups)
    check_opens(deployment, backed_up)
    deployment.finish(now)
    check_opens(deployment, backed_up)


def test_a_running_service_reads_the_key_file_again_when_it_meets_an_unknown_key(
    deployment: Deployment, now: datetime
) -> None:
    running = deployment.again()
    assert names(running) == NAMES
    rotation.begin(deployment.key_file)
    deployment.finish(now)
    assert names(running) == NAMES


def test_a_running_service_wraps_with_the_new_key_as_soon_as_the_root_is_under_it(
    deployment: Deployment, now: datetime
) -> None:
    running = deployment.again()
    rotation.begin(deployment.key_file)
    new, _ = keys.load(deployment.key_file)
    with running.writing() as session:
        before = builders.add_vendor(session, "Before").key_id
    with deployment.again().writing() as session:
        rotation._wrap_root(session, new, by=SYSTEM, now=now)
    with running.writing() as session:
        after = builders.add_vendor(session, "After").key_id
        assert session.get_one(DataKey, before).master_id == MASTER.id
        assert session.get_one(DataKey, after).master_id == new.id
    deployment.finish(now)
    assert left_on(deployment.database, MASTER) == 0 and len(names(deployment.again())) == 9


def test_it_is_in_the_trail_once(deployment: Deployment, now: datetime) -> None:
    rotation.begin(deployment.key_file)
    deployment.finish(now)
    with deployment.again().reading() as session:
        (event,) = session.scalars(select(Event).where(Event.kind == "keys.rotated"))
        said = vault.open_json(session, event.details, context=audit.CONTEXT)
    assert said["before"] == {"key": MASTER.id} and MASTER.secret.hex() not in str(said)


def test_destroyed_keys_stay_destroyed(deployment: Deployment, now: datetime) -> None:
    with deployment.database.writing() as session:
        key = session.scalars(select(Vendor.key_id)).first()
        session.execute(update(DataKey).where(DataKey.id == key).values(wrapped=None, destroyed_at=now))
    rotation.begin(deployment.key_file)
    assert deployment.finish(now).wrapped == 7, "six vendors and the system"
    with deployment.again().reading() as session:
        assert not vault.is_alive(session, key)  # type: ignore[arg-type]


def test_a_database_from_before_the_root_keeps_its_derived_keys(database: Database, now: datetime) -> None:
    with database.writing() as session:
        session.execute(delete(DataKey).where(DataKey.id == vault.ROOT_KEY))
    older = Database(database.engine, MASTER)
    older.ensure_system_key()
    assert older.master.purpose("trail") == crypto.derive(MASTER.secret, "vendorrisk/trail")


def test_a_foreign_key_file_never_becomes_the_root(database: Database) -> None:
    with database.writing() as session:
        session.execute(delete(DataKey).where(DataKey.id == vault.ROOT_KEY))
    stranger = Database(database.engine, MasterKey("other", bytes(range(1, 33))))
    with pytest.raises(keys.BadKey, match="not the one that this database was made with"):
        keys.check_fits(stranger)
    with database.reading() as session:
        assert session.get(DataKey, vault.ROOT_KEY) is None


def test_the_key_file_is_replaced_as_a_whole_and_never_made_twice(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    keys.create(path)
    with pytest.raises(FileExistsError):
        keys.create(path)
    keys.replace(path, [keys.new(), *keys.load(path)])
    assert [stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()] == [0o600]
    keys.replace(path, [keys.new(), *keys.load(path)])
    with pytest.raises(keys.BadKey, match="holds 3 keys"):
        keys.load(path)
