"""The commands about keys, backups and erasing: what they print, where, and with which exit code."""

from __future__ import annotations

import io
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import builders
from tests.cli.running import ENVIRONMENT, FOUND_PROBLEMS, OK, USAGE, run
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.casework import vendor_search
from vendorrisk.services.casework.vendor_search import Filters
from vendorrisk.services.operating import keys, opening, rotation
from vendorrisk.services.people import factors
from vendorrisk.settings import Settings


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    """The environment of a deployment that is set up."""
    assert run(environ, "setup") == OK
    return environ


@pytest.fixture
def said(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """What was printed since the set-up."""
    capsys.readouterr()
    return capsys


def key_file(environ: dict[str, str]) -> Path:
    return Path(environ["VENDORRISK_KEY_FILE"])


def database(environ: dict[str, str]) -> Database:
    return opening.database(Settings.from_env(environ))


def elsewhere(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The same key, and nothing else."""
    return environ | {
        "VENDORRISK_DATABASE": f"sqlite:///{tmp_path}/new/v.sqlite", "VENDORRISK_STORAGE": f"{tmp_path}/new/files",
    }  # fmt: skip


# ---------------------------------------------------------------- keys


def test_the_exported_key_is_imported_on_another_machine(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    paper = tmp_path / "paper.txt"
    assert run(environ, "keys", "export", str(paper)) == OK
    out, err = said.readouterr()
    assert out == "" and "Fingerprint" in err
    assert stat.S_IMODE(paper.stat().st_mode) == 0o600
    assert run(environ, "keys", "import", str(paper)) == OK
    assert "the paper is good" in said.readouterr().err
    other = environ | {"VENDORRISK_KEY_FILE": f"{tmp_path}/other/master.key"}
    assert run(other, "keys", "import", str(paper)) == OK
    assert keys.load(key_file(other)) == keys.load(key_file(environ))
    assert run(other, "user", "list") == OK
    assert run(environ, "keys", "export", str(paper)) == ENVIRONMENT, "it is never written over"


def test_the_key_is_not_shown_on_a_screen_by_accident(
    environ: dict[str, str], said: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    assert run(environ, "keys", "export") == USAGE
    assert screen.getvalue() == "" and "--yes" in said.readouterr().err
    assert run(environ, "keys", "export", "--yes") == OK
    assert "VENDORRISK MASTER KEY" in screen.getvalue()


def test_a_pipe_gets_the_key(environ: dict[str, str], said: pytest.CaptureFixture[str]) -> None:
    assert run(environ, "keys", "export") == OK
    assert "VENDORRISK MASTER KEY" in said.readouterr().out


def test_a_paper_with_a_slip_or_of_another_key_changes_nothing(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(environ, "keys", "export")
    text = said.readouterr().out
    before = key_file(environ).read_bytes()
    paper = tmp_path / "paper.txt"
    paper.write_text(text.replace("line 2", "line 9"))
    assert run(environ, "keys", "import", str(paper)) == FOUND_PROBLEMS
    assert "Line 2 of the key is missing" in said.readouterr().err
    run(environ, "keys", "rotate")
    paper.write_text(text)
    changed = key_file(environ).read_bytes()
    assert run(environ, "keys", "import", str(paper)) == FOUND_PROBLEMS
    assert "another key" in said.readouterr().err
    assert before != changed == key_file(environ).read_bytes()


def test_rotating_says_what_to_do_next_and_everything_still_opens(
    environ: dict[str, str], said: pytest.CaptureFixture[str]
) -> None:
    (old,) = keys.load(key_file(environ))
    assert run(environ, "keys", "rotate") == OK
    err = said.readouterr().err
    (new,) = keys.load(key_file(environ))
    assert new != old and f"The master key is now {new.id}" in err and "keys export" in err
    assert run(environ, "user", "list") == OK


def test_rotating_on_several_machines_begins_with_a_file_that_all_get(
    environ: dict[str, str], said: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, "keys", "rotate", "--begin") == OK
    assert "Copy it to every machine" in said.readouterr().err
    both = keys.load(key_file(environ))
    assert len(both) == 2 and rotation.is_under_way(key_file(environ))
    assert run(environ, "user", "list") == OK, "the service works meanwhile"
    assert run(environ, "keys", "export") == FOUND_PROBLEMS
    assert "Finish that first" in said.readouterr().err
    assert run(environ, "keys", "rotate") == OK
    assert "Going on" in said.readouterr().err
    assert keys.load(key_file(environ)) == both[:1]


def test_rotating_stops_before_the_old_key_is_forgotten_where_the_backups_need_it(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environ |= {"VENDORRISK_BACKUPS": str(tmp_path / "backups")}
    assert run(environ, "backup") == OK
    archive = said.readouterr().out.strip()
    away = (tmp_path / "backups").rename(tmp_path / "away")
    assert run(environ, "keys", "rotate") == FOUND_PROBLEMS
    err = said.readouterr().err
    assert "Is its disk there?" in err and "was not forgotten" in err and "go on with" in err
    assert "is forgotten here" not in err and "keys export" not in err
    assert run(environ, "user", "list") == OK
    away.rename(tmp_path / "backups")
    assert run(environ, "backup", "--verify", archive) == OK
    assert run(environ, "keys", "rotate") == OK
    assert "Going on" in said.readouterr().err
    assert run(environ, "backup", "--verify", archive) == OK


def test_rotating_says_which_backups_it_did_not_reach(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(environ, "backup", str(tmp_path / "backups")) == OK
    # There is one backup a second at most, so this one gets another name.
    archive = str(Path(said.readouterr().out.strip()).rename(tmp_path / "backups" / "old.backup"))
    assert run(environ, "keys", "rotate") == FOUND_PROBLEMS
    assert "still open with the old master key only. Keep its paper until" in said.readouterr().err
    assert run(environ, "backup", "--verify", archive) == FOUND_PROBLEMS
    assert run(environ, "backup", str(tmp_path / "backups")) == OK
    assert run(environ, "backup", "--verify", archive) == OK


# ---------------------------------------------------------------- backups


def test_a_backup_is_made_verified_and_restored(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with database(environ).writing() as session:
        builders.add_vendor(session, "Northwind Mail")
    assert run(environ, "backup", str(tmp_path / "backups")) == OK
    out, err = said.readouterr()
    archive = out.strip()
    assert Path(archive).is_file() and "read back and compared" in err and "Set VENDORRISK_BACKUPS=" in err
    assert run(environ, "backup", "--verify", archive) == OK
    assert "It holds what its manifest says" in said.readouterr().err
    new = elsewhere(environ, tmp_path)
    assert run(new, "restore", archive) == OK
    assert "Everybody has to sign in again" in said.readouterr().err
    with database(new).reading() as session:
        assert [row.name for row in vendor_search.page(session, Filters(), 1).items] == ["Northwind Mail"]
    assert run(new, "restore", archive) == FOUND_PROBLEMS
    assert "There is a database already" in said.readouterr().err


def test_restoring_names_the_links_that_work_and_says_that_codes_do_not(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    with database(environ).writing() as session:
        coded = builders.add_request(session, now=now)
        codeless = builders.add_request(session, code_required=False, now=now)
        builders.add_link(session, coded, now=now)
        builders.add_link(session, codeless, now=now)
        factors.make_recovery_codes(session, builders.add_user(session), by=SYSTEM, now=now)
        names = coded.reference, codeless.reference
    assert run(environ, "backup", str(tmp_path / "backups")) == OK
    archive = said.readouterr().out.strip()
    assert run(elsewhere(environ, tmp_path), "restore", archive) == OK
    err = said.readouterr().err
    assert f"1 requests have a link that works as it did then, with a code mailed anew: {names[0]}." in err
    assert f"1 requests ask for no code, so their links were ended: {names[1]}." in err
    assert "The recovery codes of 1 people work no more" in err and "user reset-factors" in err


def test_a_backup_goes_into_the_folder_of_the_settings(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(environ, "backup") == USAGE
    assert "Name a folder" in said.readouterr().err
    assert run(environ | {"VENDORRISK_BACKUPS": str(tmp_path / "b")}, "backup") == OK
    assert "Set VENDORRISK_BACKUPS" not in said.readouterr().err


def test_a_backup_without_a_file_that_should_be_there_is_kept_and_told(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with database(environ).writing() as session:
        lost = Evidence(
            request_id=builders.add_request(session).id, name=b"n", kind="pdf", size=1, sha256=b"h",
            storage_name="evidence-lost", uploaded_at=builders.NOW, uploaded_by=b"u",
        )  # fmt: skip
        session.add(lost)
    assert run(environ, "backup", str(tmp_path / "backups")) == FOUND_PROBLEMS
    out, err = said.readouterr()
    assert "1 stored files were not there: evidence-lost" in err
    assert run(environ, "backup", "--verify", out.strip()) == OK


@pytest.mark.parametrize("what", ["nothing", "a text"])
def test_what_is_no_backup_is_refused_in_a_sentence(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path, what: str
) -> None:
    run(environ, "backup", str(tmp_path / "backups"))
    path = tmp_path / "backups" / "other"
    if what == "a text":
        path.write_text("hello")
    said.readouterr()
    assert run(environ, "backup", "--verify", str(path)) == FOUND_PROBLEMS
    assert "is not a backup" in (err := said.readouterr().err) or "cannot be read" in err


# ---------------------------------------------------------------- erasing


def test_a_vendor_is_erased_after_asking(
    environ: dict[str, str], said: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with database(environ).writing() as session:
        reference = builders.add_vendor(session, "Northwind Mail").reference
    words = ("vendor", "erase", reference.lower(), "--reason", "The contract has ended")
    monkeypatch.setattr(sys, "stdin", io.StringIO("no\n"))
    assert run(environ, *words) == FOUND_PROBLEMS
    assert "Nothing was erased" in said.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{reference}\n"))
    assert run(environ, *words) == OK
    assert f"{reference} was erased" in said.readouterr().err
    with database(environ).reading() as session:
        assert [row.name for row in vendor_search.page(session, Filters(), 1).items] == ["Erased vendor"]
    assert run(environ, *words, "--yes") == FOUND_PROBLEMS
    assert run(environ, "vendor", "erase", "V-NONE", "--reason", "x" * 20, "--yes") == FOUND_PROBLEMS
    assert "no such vendor" in said.readouterr().err


def test_a_vendor_whose_key_is_still_beside_the_backups_is_erased_with_a_word_and_code_1(
    environ: dict[str, str], said: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with database(environ).writing() as session:
        reference = builders.add_vendor(session, "Northwind Mail").reference
    assert run(environ, "backup", str(tmp_path / "backups")) == OK
    assert run(environ, "vendor", "erase", reference, "--reason", "The contract has ended", "--yes") == FOUND_PROBLEMS
    err = said.readouterr().err
    assert f"{reference} was erased" in err and "VENDORRISK_BACKUPS is not set here" in err
