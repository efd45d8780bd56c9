"""`upgrade --backup`: what was is backed up by a version whose models are newer, then migrated; or nothing is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tests import builders, erasing, trail_side
from tests.databases import MASTER
from vendorrisk.cli import main as cli
from vendorrisk.db import dump, engine, migrate
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence
from vendorrisk.services.answering import evidence
from vendorrisk.services.auditing import anchor
from vendorrisk.services.operating import backups, checkups, keys
from vendorrisk.services.runtime import Runtime
from vendorrisk.storage import open_storage

OK, FOUND_PROBLEMS, ENVIRONMENT, INTERRUPTED = 0, 1, 3, 130
REVISIONS = sorted(path.stem.split("_")[0] for path in (migrate.MIGRATIONS / "versions").glob("*.py"))
OLDER = REVISIONS[-3]
CHANGED_ON_PURPOSE = {"trail_events", "users"}
"""Restoring writes an event and ends sessions."""


@dataclass(frozen=True)
class Deployment:
    """A database with a vendor in every table, its settings, and a folder for backups that is not there yet."""

    url: str
    environ: dict[str, str]
    folder: Path

    def run(self, *words: str, **other: str) -> int:
        """Run one command, with other settings."""
        return cli.run(list(words), self.environ | other, serve=lambda *_: None)

    def upgrade(self) -> int:
        """Run the command that this is about."""
        return self.run("upgrade", "--backup", str(self.folder))

    def backup(self) -> Path:
        """The only backup in the folder."""
        (found,) = self.folder.glob("*.backup")
        return found


@pytest.fixture
def filled(
    runtime: Runtime, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> Deployment:
    with runtime.database.writing() as session:
        petra = builders.add_user(session)
    erasing.full_vendor(runtime, petra, monkeypatch, now=now)
    runtime.database.close()
    settings = runtime.settings
    keys.create(settings.key_file, MASTER)
    environ = {
        "VENDORRISK_DATABASE": database_url,
        "VENDORRISK_KEY_FILE": str(settings.key_file),
        "VENDORRISK_STORAGE": settings.storage,
        "VENDORRISK_MAIL": settings.mail,
    }
    return Deployment(database_url, environ, tmp_path / "backups")


@pytest.fixture
def older(filled: Deployment) -> Deployment:
    """The same two revisions behind."""
    migrate.downgrade(filled.url, OLDER)
    return filled


def opened_at(url: str) -> Database:
    return Database(engine.make_engine(url), MASTER)


def rows(url: str, revision: str = REVISIONS[-1]) -> dict[str, list[bytes]]:
    """All rows by table, where the database is at this revision."""
    database = opened_at(url)
    with database.snapshot() as connection:
        found = {
            shape.name: sorted(line for lines in dump.read(connection, shape) for line in lines)
            for shape in dump.shapes_at(revision)
        }
    database.close()
    return found


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_what_was_is_backed_up_and_restored_to_what_the_upgrade_made_of_it(
    filled: Deployment, runtime: Runtime, revision: str, empty_url: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if revision != REVISIONS[0]:  # going there and back drops the seals, which a check names
        assert trail_side.sealer(runtime.database, anchor.path_of(runtime.settings).parent).round()
        runtime.database.close()
    migrate.downgrade(filled.url, revision)
    before = rows(filled.url, revision)
    assert filled.upgrade() == OK
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in said] == ["backup", "Set", "database", "verified", "Start"]
    assert f"schema {revision}" in said[0] and said[2] == f"database  {revision} → {REVISIONS[-1]}"
    master = runtime.database.master
    summary = backups.check(filled.backup(), master)
    assert (summary.revision, summary.files, summary.missing) == (revision, 2, ())
    assert summary.tables == {table: len(lines) for table, lines in before.items()}

    elsewhere = str(tmp_path / "elsewhere")
    told = {"VENDORRISK_DATABASE": empty_url, "VENDORRISK_STORAGE": elsewhere}
    assert filled.run("restore", str(filled.backup()), **told) == OK
    upgraded, restored = rows(filled.url), rows(empty_url)
    assert {name for name in upgraded if restored[name] != upgraded[name]} == CHANGED_ON_PURPOSE
    assert len(restored["trail_events"]) == len(before["trail_events"]) + 1
    database = opened_at(empty_url)
    assert trail_side.check(database) == []
    with database.reading() as session:
        file_id = session.scalars(select(Evidence.id)).one()
        assert b"".join(evidence.open_file(session, open_storage(elsewhere), file_id)) == erasing.FILE
    database.close()


def _a_file_in_the_way(older: Deployment) -> None:
    older.folder.parent.joinpath("file").touch()


def _another_deployments_keyring(older: Deployment) -> None:
    older.folder.mkdir()
    (older.folder / "keyring").write_text(json.dumps({"keys": [], "mac": "00"}))


def _no_storage(older: Deployment) -> None:
    folder = Path(older.environ["VENDORRISK_STORAGE"])
    folder.rename(folder.with_name("away"))
    folder.write_text("in the way")


def _another_key(older: Deployment) -> None:
    Path(older.environ["VENDORRISK_KEY_FILE"]).unlink()
    keys.create(Path(older.environ["VENDORRISK_KEY_FILE"]))


@pytest.mark.parametrize(
    ("harm", "folder", "code", "says"),
    [
        (_a_file_in_the_way, "file/backups", ENVIRONMENT, "Not a directory"),
        (lambda _older: None, "/proc/backups", ENVIRONMENT, "/proc/backups"),
        (_another_deployments_keyring, "backups", FOUND_PROBLEMS, "the keyring of another deployment"),
        (_no_storage, "backups", ENVIRONMENT, "cannot be written"),
        (_another_key, "backups", ENVIRONMENT, "not the one that this database was made with"),
    ],
)
def test_a_backup_that_fails_migrates_nothing(
    older: Deployment, harm: Callable[[Deployment], None], folder: str, code: int, says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    harm(older)
    before = rows(older.url, OLDER)
    trying = replace(older, folder=older.folder.parent / folder)
    assert trying.upgrade() == code
    said = capsys.readouterr().err
    assert said.startswith("The backup failed, and nothing was migrated:\n") and says in said
    assert migrate.current(older.url) == OLDER
    assert rows(older.url, OLDER) == before
    assert not [*trying.folder.glob("*.backup"), *trying.folder.glob(".*")]


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), INTERRUPTED), (OSError(28, "No space left on device"), ENVIRONMENT)]
)
def test_a_backup_that_breaks_off_migrates_nothing_and_can_be_made_again(
    older: Deployment, error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def breaks(*_given: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(backups, "_trail", breaks)
        assert older.upgrade() == code
    assert "nothing was migrated" in capsys.readouterr().err
    assert migrate.current(older.url) == OLDER
    assert list(older.folder.iterdir()) == []
    assert older.upgrade() == OK
    assert migrate.current(older.url) == REVISIONS[-1]


def test_where_nothing_is_to_be_migrated_no_backup_is_made(
    filled: Deployment, empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert filled.upgrade() == OK
    assert "backup    none: there is nothing to migrate\n" in capsys.readouterr().err
    filled.run("upgrade", "--backup", str(filled.folder), VENDORRISK_DATABASE=empty_url)
    assert "backup    none: the database is empty\n" in capsys.readouterr().err
    assert migrate.current(empty_url) == REVISIONS[-1]
    assert not filled.folder.exists()


def test_the_backup_takes_the_place_of_the_copy_that_holds_keys(older: Deployment) -> None:
    assert older.upgrade() == OK
    if older.url.startswith("sqlite"):
        file = Path(older.url.removeprefix("sqlite:///"))
        assert not list(file.parent.glob(f"{file.name}.before-*"))


def test_an_upgrade_verifies_the_trail_however_long_it_is(
    older: Deployment, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checkups, "_LONG_TRAIL", 0)
    assert older.upgrade() == OK
    assert "The trail is as it was written" in capsys.readouterr().err
    trail_side.tamper(runtime.database, "UPDATE trail_events SET kind = 'user.added' WHERE kind = 'decision.recorded'")
    assert older.run("upgrade") == FOUND_PROBLEMS
    assert "The trail is not as it was written" in capsys.readouterr().err
