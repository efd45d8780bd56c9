"""`doctor`: what it says of a deployment, with which exit code, and that it is safe to run."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import builders
from tests.antivirus.clamd import Clamd, running
from tests.cli.running import ENVIRONMENT, FOUND_PROBLEMS, OK, run, set_revision
from tests.mail.server import nobody
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.jobs.finish_erasing import Finisher
from vendorrisk.jobs.seal_trail import Sealer
from vendorrisk.reports import pdf
from vendorrisk.services.auditing import anchor
from vendorrisk.services.operating import checkups, doctor, erasure, opening
from vendorrisk.services.operating.health import Finding, State
from vendorrisk.settings import Settings


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    """A deployment of this test's own, set up."""
    assert run(environ, "setup") == OK
    return environ


@pytest.fixture(autouse=True)
def _reports_are_made_elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering takes a second: only the tests that are about it do it."""
    if "renders" not in request.node.name:
        monkeypatch.setattr(pdf, "try_out", lambda: b"%PDF")
        monkeypatch.setattr(pdf, "can_cut_network", lambda: True)


def examined(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code of `doctor --json`, and its checks by name."""
    capsys.readouterr()
    code = run(environ, "doctor", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["fit"] is (code == OK)
    return code, {check["name"]: check for check in found["checks"]}


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
    set_revision(folder, "0000")


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


def test_doctor_stops_while_the_backups_still_hold_the_key_of_an_erased_vendor(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "backups"
    backing_up = environ | {"VENDORRISK_BACKUPS": str(folder)}
    assert "No backup was made yet" in examined(backing_up, capsys)[1]["backup keys"]["text"]
    database = opening.database(Settings.from_env(environ))
    with database.writing() as session:
        reference = builders.add_vendor(session, "Northwind Mail").reference
    assert run(backing_up, "backup") == OK
    assert {examined(each, capsys)[1]["backup keys"]["state"] for each in (environ, backing_up)} == {"ok"}
    with database.writing() as session:
        erasure.erase(session, reference, "The contract has ended.", by=SYSTEM, now=datetime.now(UTC))
    code, checks = examined(backing_up, capsys)
    assert (code, checks["backup keys"]["state"]) == (FOUND_PROBLEMS, "stop")
    assert "the keys of 1 erased vendors" in checks["backup keys"]["text"] and checks["backup keys"]["remedy"]
    found = examined(environ, capsys)[1]["backup keys"]
    assert (found["state"], "VENDORRISK_BACKUPS is not set" in found["text"]) == ("warn", True)
    Finisher(database, folder, lambda: datetime.now(UTC)).round()
    assert examined(backing_up, capsys)[1]["backup keys"]["state"] == "ok"
    folder.rename(tmp_path / "unmounted")
    found = examined(backing_up, capsys)[1]["backup keys"]
    assert (found["state"], "there is no keyring in" in found["text"]) == ("warn", True)
    folder.mkdir()
    (folder / "keyring").write_text("{}")
    assert "is not a keyring" in examined(backing_up, capsys)[1]["backup keys"]["text"]
    database.close()


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
