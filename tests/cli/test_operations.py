"""`doctor` and `upgrade`: what they say of a deployment, with which exit code, and that they are safe to run."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests import builders
from tests.antivirus.clamd import Clamd, running
from tests.conftest import ON_POSTGRES
from tests.mail.server import nobody
from vendorrisk.cli import main as cli
from vendorrisk.db import migrate, schema
from vendorrisk.jobs.seal_trail import Sealer
from vendorrisk.reports import pdf
from vendorrisk.services import anchor, checkups, doctor, opening, upgrading
from vendorrisk.services.health import Finding, State
from vendorrisk.services.upgrading import NeedsUpgrade
from vendorrisk.settings import Settings

OK, FOUND_PROBLEMS, ENVIRONMENT = 0, 1, 3


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A deployment of this test's own, set up."""
    given = {
        "VENDORRISK_DATABASE": f"sqlite:///{tmp_path}/data/v.sqlite",
        "VENDORRISK_KEY_FILE": f"{tmp_path}/keys/master.key",
        "VENDORRISK_STORAGE": f"{tmp_path}/files",
        "VENDORRISK_MAIL": f"file:{tmp_path}/mail",
    }
    assert run(given, "setup") == OK
    return given


@pytest.fixture(autouse=True)
def _reports_are_made_elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering takes a second: only the tests that are about it do it."""
    if "renders" not in request.node.name:
        monkeypatch.setattr(pdf, "try_out", lambda: b"%PDF")
        monkeypatch.setattr(pdf, "can_cut_network", lambda: True)


def run(environ: dict[str, str], *words: str) -> int:
    """Run one command."""
    return cli.run(list(words), environ, serve=lambda *_: None)


def examined(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code of `doctor --json`, and its checks by name."""
    capsys.readouterr()
    code = run(environ, "doctor", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["fit"] is (code == OK)
    return code, {check["name"]: check for check in found["checks"]}


# ---------------------------------------------------------------- doctor


def test_doctor_looks_at_everything_and_finds_a_new_deployment_fit(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, checks = examined(environ, capsys)
    assert code == OK
    assert list(checks) == list(doctor.CHECKS)
    assert {name for name, check in checks.items() if check["state"] != "ok"} == {"mail", "links", "accounts"}
    assert all(check["remedy"] for check in checks.values() if check["state"] != "ok")


def test_doctor_speaks_to_people_too(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ, "doctor") == OK
    said = capsys.readouterr().out
    assert "ok    database        The schema is at" in said
    assert "→ Set VENDORRISK_MAIL to your mail server." in said
    assert said.endswith("Everything that is needed works.\n")


def test_doctor_really_renders_a_page(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    _, checks = examined(environ, capsys)
    assert "was rendered" in checks["reports"]["text"]
    assert pdf.try_out().startswith(b"%PDF-")


def _no_key(folder: Path) -> None:
    (folder / "keys" / "master.key").unlink()


def _open_key(folder: Path) -> None:
    (folder / "keys" / "master.key").chmod(0o644)


def _other_key(folder: Path) -> None:
    key = folder / "keys" / "master.key"
    key.write_text("vendorrisk-key-1 abcd1234 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")


def _no_database(folder: Path) -> None:
    shutil.rmtree(folder / "data")


def _damaged(folder: Path) -> None:
    path = folder / "data" / "v.sqlite"
    with closing(sqlite3.connect(path)) as there:
        there.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = there.execute("SELECT rootpage FROM sqlite_master WHERE name = 'letters'").fetchone()
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)


def _older(folder: Path) -> None:
    _set_revision(folder, "0000")


def _set_revision(folder: Path, revision: str) -> None:
    with closing(sqlite3.connect(folder / "data" / "v.sqlite")) as there, there:
        there.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def _no_storage(folder: Path) -> None:
    shutil.rmtree(folder / "files", ignore_errors=True)
    (folder / "files").write_text("in the way")


def _changed_trail(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "data" / "v.sqlite")) as there, there:
        there.execute("DROP TRIGGER trail_events_no_delete")


def _old_copy(folder: Path) -> None:
    copy = folder / "data" / "v.sqlite.before-0001"
    copy.touch()
    long_ago = (datetime.now(UTC) - timedelta(days=31)).timestamp()
    os.utime(copy, (long_ago, long_ago))


def test_doctor_warns_of_an_old_copy_only(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data" / "v.sqlite.before-0002").touch()
    assert examined(environ, capsys)[1]["old copies"]["state"] == "ok"
    _old_copy(tmp_path)
    code, checks = examined(environ, capsys)
    assert code == OK and checks["old copies"]["state"] == "warn"
    assert "v.sqlite.before-0001:" in checks["old copies"]["text"]
    assert "Delete it" in checks["old copies"]["remedy"]


def test_doctor_leaves_a_long_trail_to_the_command_for_it(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(environ, "user", "add", "a@acme.example", "--name", "Ann", "--role", "staff") == OK
    database = opening.database(Settings.from_env(environ))
    Sealer(database, anchor.path_of(Settings.from_env(environ)), lambda: datetime.now(UTC)).round()
    assert "as it was written: 1 events" in examined(environ, capsys)[1]["trail"]["text"]
    monkeypatch.setattr(checkups, "_LONG_TRAIL", 0)
    assert "was not verified" in examined(environ, capsys)[1]["trail"]["text"]
    assert run(environ, "trail", "verify") == OK
    found = examined(environ, capsys)[1]["trail"]
    assert (found["state"], "0 findings" in found["text"]) == ("ok", True)


def test_doctor_knocks_at_clamav(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    clamd = Clamd()
    with running(clamd) as url:
        scanning = environ | {"VENDORRISK_CLAMAV": url}
        assert examined(scanning, capsys)[1]["antivirus"]["text"] == "ClamAV answers."
        clamd.mood = "odd"
        assert examined(scanning, capsys)[1]["antivirus"]["state"] == "stop"
    code, checks = examined(scanning, capsys)
    assert code == FOUND_PROBLEMS
    assert "no evidence is taken" in checks["antivirus"]["remedy"]


@pytest.mark.parametrize(
    ("harm", "check", "says"),
    [
        (_no_key, "key file", "There is no key file"),
        (_open_key, "key file", "can be read by others"),
        (_other_key, "key", "not the one that this database was made with"),
        (_no_database, "database", "There is no database"),
        (_damaged, "database file", "damaged"),
        (_older, "database", "made by a later version"),
        (_changed_trail, "trail", "not as it was written"),
        (_no_storage, "storage", "cannot be written"),
    ],
)
def test_doctor_names_what_is_broken_and_what_to_do(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None],
    check: str, says: str,
) -> None:  # fmt: skip
    harm(tmp_path)
    code, checks = examined(environ, capsys)
    assert code == FOUND_PROBLEMS
    assert checks[check]["state"] == "stop"
    assert says in checks[check]["text"]
    assert checks[check]["remedy"]


def test_doctor_makes_nothing(environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _no_database(tmp_path)
    _no_key(tmp_path)
    code, checks = examined(environ, capsys)
    assert code == FOUND_PROBLEMS
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "keys" / "master.key").exists()
    assert "key" not in checks, "what needs the database is left out"


def test_doctor_knocks_at_the_mail_server_without_a_letter(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with nobody() as port:
        code, checks = examined(environ | {"VENDORRISK_MAIL": f"smtp://127.0.0.1:{port}"}, capsys)
    assert code == FOUND_PROBLEMS
    assert "cannot be used" in checks["mail"]["text"]


def test_doctor_sees_a_clock_that_was_set_back_and_work_that_nobody_does(environ: dict[str, str]) -> None:
    database = opening.database(Settings.from_env(environ))
    with database.writing() as session:
        builders.add_request(session, now=datetime.now(UTC) + timedelta(hours=1))
    later = datetime.now(UTC) + timedelta(days=1)
    settings = Settings.from_env(environ)
    found = dict(doctor.examine(settings, now=datetime.now(UTC)))
    assert found["clock"].state is State.STOP
    assert "seconds apart" in found["clock"].text
    assert dict(doctor.examine(settings, now=later))["clock"].state is State.OK
    database.close()


def test_a_check_that_breaks_hides_no_other(environ: dict[str, str]) -> None:
    def breaks(_deployment: checkups.Deployment) -> Finding:
        raise ZeroDivisionError

    checks = {"broken": breaks, "key file": doctor.CHECKS["key file"]}
    found = dict(doctor.examine(Settings.from_env(environ), now=datetime.now(UTC), checks=checks))
    assert (found["broken"].state, found["key file"].state) == (State.STOP, State.OK)
    assert "ZeroDivisionError" in found["broken"].text


def test_doctor_needs_settings_that_can_be_read(environ: dict[str, str]) -> None:
    assert run(environ | {"VENDORRISK_PORT": "x"}, "doctor") == ENVIRONMENT


# ---------------------------------------------------------------- upgrade


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
    _set_revision(tmp_path, "9999")
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
    assert "Make a backup with the version that made it" in capsys.readouterr().err
    assert upgrading.revision(database_url) == revision
    assert run(given, "upgrade", "--backed-up") == OK
    opening.database(Settings.from_env(given)).close()


def _key_of_tests(environ: dict[str, str]) -> str:
    path = Path(environ["VENDORRISK_KEY_FILE"]).with_name("tests.key")
    path.write_text("vendorrisk-key-1 test AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    path.chmod(0o600)
    return str(path)
