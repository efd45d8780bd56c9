"""`trail verify|export|accept`: what they print, where, and with which exit code."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli import running
from tests.cli.running import ENVIRONMENT, FOUND_PROBLEMS, OK, USAGE
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.jobs.seal_trail import Sealer
from vendorrisk.services import audit
from vendorrisk.services.auditing import anchor
from vendorrisk.services.operating import opening
from vendorrisk.settings import Settings


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    """A deployment of this test's own with five sealed events, as the service leaves it."""
    settings = Settings.from_env(environ)
    database = opening.database(settings)
    with database.writing() as session:
        for number in range(5):
            audit.record(
                session, EventKind.VENDOR_ADDED, object_kind="vendor", object_id=audit.TRAIL, by=SYSTEM,
                now=datetime.now(UTC), details={"name": f"Vendor {number}"},
            )  # fmt: skip
    Sealer(database, anchor.path_of(settings), lambda: datetime.now(UTC)).round()
    database.close()
    return environ


def run(environ: dict[str, str], *words: str) -> int:
    return running.run(environ, "trail", *words)


def tampered(environ: dict[str, str], *statements: str) -> None:
    """Somebody who owns the file drops the triggers, writes, and puts them back."""
    connection = sqlite3.connect(environ["VENDORRISK_DATABASE"].removeprefix("sqlite:///"))
    made = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in made:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in (*statements, *(sql for _, sql in made)):
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture
def export(environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """An export in a file."""
    assert run(environ, "export", "--words") == OK
    file = tmp_path / "trail.jsonl"
    file.write_text(capsys.readouterr().out)
    return file


def test_a_trail_that_nobody_touched(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ, "verify") == OK
    out, err = capsys.readouterr()
    assert out == ""
    assert "As it was written: the database, 5 sealed events, 0 not yet sealed. Head 5:" in err
    assert "It agrees with 1 noted head." in err


def test_what_was_changed_is_named_on_standard_output(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    tampered(environ, "UPDATE trail_events SET kind = 'x' WHERE number = 3")
    assert run(environ, "verify") == FOUND_PROBLEMS
    out, err = capsys.readouterr()
    assert out == "position 3, event 3: changed: the event is not what was written\n"
    assert "NOT as it was written: 1 finding in the database" in err


def test_many_findings_are_counted_and_json_gives_them_all(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendorrisk.cli.trail._SHOWN", 2)
    tampered(environ, "UPDATE trail_events SET kind = 'x'")
    assert run(environ, "verify", "--no-record") == FOUND_PROBLEMS
    assert "… and 3 more" in capsys.readouterr().out
    assert run(environ, "verify", "--no-record", "--json") == FOUND_PROBLEMS
    *findings, outcome = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [finding["event"] for finding in findings] == [1, 2, 3, 4, 5]
    assert (outcome["whole"], outcome["problems"], outcome["sealed"]) == (False, 5, 5)


def test_a_check_is_an_event_unless_it_should_not_be(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    unsealed = []
    for words in (["verify", "--no-record"], ["verify"], ["verify", "--json"]):
        assert run(environ, *words) == OK
    outcome = json.loads(capsys.readouterr().out)
    unsealed.append(outcome["unsealed"])
    assert unsealed == [1]


def test_what_was_cut_off_and_a_backup_that_was_put_back(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    tampered(environ, "DELETE FROM trail_links WHERE position > 3", "DELETE FROM trail_events WHERE number > 3")
    assert run(environ, "verify", "--no-record") == FOUND_PROBLEMS
    out = capsys.readouterr().out
    assert "position 5: cut off: the chain ends at position 3; the anchor beside the key knows position 5" in out
    assert run(environ, "accept") == OK
    assert "The anchor stands at position 3, no longer at 5." in capsys.readouterr().err
    assert run(environ, "verify") == OK


def test_an_export_is_checked_by_itself(
    environ: dict[str, str], export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, "verify", str(export)) == OK
    assert "5 sealed events, 1 not yet sealed" in capsys.readouterr().err
    head = json.loads(export.read_text().splitlines()[3])
    digits = head["chain"][:16]
    assert run(environ, "verify", str(export), "--head", f"3:{digits}") == OK
    assert run(environ, "verify", str(export), "--head", f"2:{digits}") == FOUND_PROBLEMS
    export.write_text(export.read_text().replace("Vendor 2", "Vendor 7"))
    capsys.readouterr()
    assert run(environ, "verify", str(export)) == FOUND_PROBLEMS
    assert "position 3, event 3: changed: its readable words" in capsys.readouterr().out


def test_without_the_key_only_the_chain_is_checked_and_that_is_said(
    environ: dict[str, str], export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(environ["VENDORRISK_KEY_FILE"]).unlink()
    assert run(environ, "verify", str(export)) == ENVIRONMENT
    assert "There is no key file" in capsys.readouterr().err
    assert run(environ, "verify", str(export), "--without-key") == OK
    assert "Without the key: only the chain was checked" in capsys.readouterr().err


def test_a_part_of_the_trail_is_exported_by_days(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ, "export", "--until", "2020-01-01") == OK
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[0])["partial"] is True
    assert len(out.splitlines()) == 2 and "0 events." in err
    assert "Vendor" not in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["verify", "--head", "1204"], "is not a head: it must be POSITION:HASH"),
        (["verify", "--head", "1204:9f2c"], "must have 16 to 64 digits"),
        (["export", "--since", "31.1.2026"], "is not a day such as 2026-01-31"),
        (["verfy"], "Did you mean 'verify'?"),
        (["verify", "--without-key"], "--without-key is for a FILE"),
    ],
)
def test_wrong_use_is_said(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert run(environ, *words) == USAGE
    assert says in capsys.readouterr().err


def test_what_is_no_export_and_what_is_not_there(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear Petra")
    assert run(environ, "verify", str(other)) == FOUND_PROBLEMS
    assert "not an export of the trail" in capsys.readouterr().err
    assert run(environ, "verify", str(tmp_path / "nothing")) == ENVIRONMENT
    assert "No such file" in capsys.readouterr().err


def test_a_database_of_another_version_or_none_is_not_touched(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tampered(environ, "UPDATE alembic_version SET version_num = '0001'")
    assert run(environ, "verify") == ENVIRONMENT
    assert "python -m vendorrisk upgrade" in capsys.readouterr().err
    assert run(environ | {"VENDORRISK_DATABASE": f"sqlite:///{tmp_path}/none.sqlite"}, "verify") == ENVIRONMENT
    assert "There is no database" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()
