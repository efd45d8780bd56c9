"""`upgrade`, and starting on a database of an earlier or later version."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.cli.running import ENVIRONMENT, FOUND_PROBLEMS, OK, USAGE, run, set_revision
from tests.databases import ON_POSTGRES
from vendorrisk.db import migrate, schema
from vendorrisk.services.operating import opening, upgrading
from vendorrisk.services.operating.upgrading import NeedsUpgrade
from vendorrisk.settings import Settings


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    """A deployment of this test's own, set up."""
    assert run(environ, "setup") == OK
    return environ


@pytest.fixture
def older(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A deployment whose database is one revision behind: this version pretends to need one more."""
    revision = upgrading.revision(environ["VENDORRISK_DATABASE"])
    assert revision is not None
    _pretend_there_is_a_newer_schema(monkeypatch, revision)
    return environ


def _pretend_there_is_a_newer_schema(monkeypatch: pytest.MonkeyPatch, revision: str) -> None:
    known, followed = schema._revisions()
    monkeypatch.setattr(schema, "_revisions", lambda: (known | {"9000"}, followed | {revision}))

    def migrating(url: str, revision: str = "head", *, copy_to: Path | None = None) -> str | None:
        with migrate._connected(url) as connection:
            before = schema.current(connection)
            if copy_to is not None and before not in (None, "9000"):
                migrate._copy(connection, copy_to)
            connection.execute(text("UPDATE alembic_version SET version_num = '9000'"))
            return before

    monkeypatch.setattr(migrate, "upgrade", migrating)


def test_a_start_migrates_sqlite_and_keeps_a_copy_of_what_was(older: dict[str, str], tmp_path: Path) -> None:
    before = upgrading.revision(older["VENDORRISK_DATABASE"])
    opening.database(Settings.from_env(older)).close()
    assert upgrading.revision(older["VENDORRISK_DATABASE"]) == "9000"
    copy = tmp_path / "data" / "v.sqlite.before-9000"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert upgrading.revision(f"sqlite:///{copy}") == before
    assert not list((tmp_path / "data").glob("*.part"))


def test_upgrade_says_what_it_did_and_verifies_it(older: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    before = upgrading.revision(older["VENDORRISK_DATABASE"])
    assert run(older, "upgrade") == OK
    said = capsys.readouterr().err
    assert f"database  {before} → 9000" in said
    assert "v.sqlite.before-9000, as it was before" in said
    assert "verified" in said
    assert run(older, "upgrade") == OK
    assert "database  is at 9000" in capsys.readouterr().err


def test_two_that_start_at_once_migrate_once(older: dict[str, str], tmp_path: Path) -> None:
    settings, failed = Settings.from_env(older), []
    start = threading.Barrier(4)

    def begin() -> None:
        start.wait()
        try:
            opening.database(settings).close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    copy = tmp_path / "data" / "v.sqlite.before-9000"
    assert upgrading.revision(f"sqlite:///{copy}") != "9000", "the copy shows the state before, whoever was first"


def test_a_database_of_a_later_version_is_left_alone(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_revision(tmp_path, "9999")
    for words in (("user", "list"), ("upgrade",)):
        assert run(environ, *words) == ENVIRONMENT
        assert "a later version has been here" in capsys.readouterr().err
    assert upgrading.revision(environ["VENDORRISK_DATABASE"]) == "9999"


@ON_POSTGRES
def test_on_postgresql_a_start_refuses_and_only_the_operator_upgrades(
    environ: dict[str, str], database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = environ | {"VENDORRISK_DATABASE": database_url, "VENDORRISK_KEY_FILE": _key_of_tests(environ)}
    revision = upgrading.revision(database_url)
    assert revision is not None
    _pretend_there_is_a_newer_schema(monkeypatch, revision)
    with pytest.raises(NeedsUpgrade, match="python -m vendorrisk upgrade"):
        opening.database(Settings.from_env(given))
    assert run(given, "upgrade") == FOUND_PROBLEMS
    assert "python -m vendorrisk upgrade --backup FOLDER" in capsys.readouterr().err
    assert upgrading.revision(database_url) == revision
    assert run(given, "upgrade", "--backed-up", "--backup", "backups") == USAGE
    assert run(given, "upgrade", "--backed-up") == OK
    opening.database(Settings.from_env(given)).close()


def _key_of_tests(environ: dict[str, str]) -> str:
    path = Path(environ["VENDORRISK_KEY_FILE"]).with_name("tests.key")
    path.write_text("vendorrisk-key-1 test AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    path.chmod(0o600)
    return str(path)
