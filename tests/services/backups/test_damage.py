"""Damage: whatever was changed in a backup, cut off it, or changed before it was made, is noticed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests import trail_side
from tests.erasing import Full
from tests.services.backups.backing_up import make, opened_at, restore
from vendorrisk.services.casework import vendors
from vendorrisk.services.operating import archive, backups
from vendorrisk.services.operating.archive import Kind
from vendorrisk.services.operating.backup_keys import BadBackup
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import Storage


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
