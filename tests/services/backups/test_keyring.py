"""The keyring beside the backups: whose it is, how old it may be, and what becomes of the last one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests import builders
from tests.databases import MASTER
from tests.erasing import Full
from tests.services.backups.backing_up import keyring, make, opened_at, restore
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.vault import MasterKey
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.operating import backup_keys, backups, keys, restoring, rotation
from vendorrisk.services.operating.backup_keys import BadBackup
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import Storage


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
    with pytest.raises(BadBackup, match="does not open the keyring"):
        keyring(folder, new)
    rotation.finish(both, path, backups=folder, by=SYSTEM, now=now)
    done = restoring.restore(made.path, keyring(folder, new), empty_url, elsewhere, by=SYSTEM, now=now)
    assert done.erased == ()
    with pytest.raises(BadBackup, match="does not open the keyring"):
        keyring(folder, MASTER)


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
    assert "another deployment" in backup_keys.renew(runtime.database, folder, now=now)
    assert (folder / "keyring").read_text() == keyring_file
    (folder / "keyring").write_text(keyring_file[:-9])
    make(runtime, folder, now)
    assert keyring(folder).keys, "one that nobody can use gives way"


def test_a_restored_copy_leaves_the_keyring_with_newer_keys_alone_until_it_makes_a_backup(
    runtime: Runtime, full: Full, folder: Path, empty_url: str, elsewhere: Storage, now: datetime
) -> None:
    restore(make(runtime, folder, now), empty_url, elsewhere, now)
    with runtime.database.writing() as session:
        newer = builders.add_vendor(session, "Newer").key_id
    make(runtime, folder, now + timedelta(hours=1))
    copy = opened_at(empty_url)
    assert "1 keys that this database does not know" in backup_keys.renew(copy, folder, now=now)
    assert newer in backup_keys.ids(folder)
    assert backup_keys.renew(runtime.database, folder, now=now) == ""
    assert newer in backup_keys.ids(folder)
    backups.make(copy, elsewhere, folder, by=SYSTEM, now=now + timedelta(hours=2))
    assert newer not in backup_keys.ids(folder) and backup_keys.renew(copy, folder, now=now) == ""
    copy.close()


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
