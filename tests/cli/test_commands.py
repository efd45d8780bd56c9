"""The commands: what they print, where, and with which exit code."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.running import ENVIRONMENT, FOUND_PROBLEMS, OK, USAGE, run
from tests.mail.server import nobody
from vendorrisk.library import shipped


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["usr", "list"], "Did you mean 'user'?"),
        (["user", "lst"], "Did you mean 'list'?"),
        (["xyzzy"], "There are: serve, demo, setup"),
        (["user", "add", "a@acme.example", "--name", "A", "--role", "aditor"], "Did you mean 'auditor'?"),
        (["user", "add", "a@acme.example"], "--name"),
        ([], "COMMAND"),
    ],
)
def test_a_mistyped_command_is_guessed(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert run(environ, *words) == USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert "--help" in err


def test_every_command_has_help(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ, "--help") == OK
    for command in (
        "serve",
        "demo",
        "setup",
        "user",
        "vendor",
        "mail",
        "questionnaire",
        "score",
        "keys",
        "backup",
        "restore",
    ):
        assert command in capsys.readouterr().out or run(environ, command, "--help") == OK


def test_wrong_settings_are_all_said_at_once(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ | {"VENDORRISK_PRT": "1", "VENDORRISK_PORT": "x"}, "user", "list") == ENVIRONMENT
    err = capsys.readouterr().err
    assert "VENDORRISK_PRT is not a setting. Did you mean VENDORRISK_PORT?" in err
    assert "VENDORRISK_PORT is 'x'" in err


def test_setup_makes_a_key_and_a_database_of_ones_own_and_repeats_safely(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, "setup") == OK
    key = Path(environ["VENDORRISK_KEY_FILE"])
    content = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert run(environ, "setup") == OK
    assert key.read_bytes() == content
    assert "user add" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda key: key.chmod(0o640), "can be read by others"),
        (lambda key: key.unlink(), "There is no key file"),
        (lambda key: key.write_text("hello"), "is not a key file"),
        (lambda key: key.write_text("vendorrisk-key-1 ab " + "A" * 43 + "="), "is weak"),
        (lambda key: key.write_text("vendorrisk-key-1 ab c2hvcnQ="), "is weak"),
        (lambda key: key.write_text("vendorrisk-key-1 ab !!!"), "is not base64"),
    ],
)
def test_nothing_starts_with_a_bad_key(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], harm: object, says: str
) -> None:
    run(environ, "setup")
    harm(Path(environ["VENDORRISK_KEY_FILE"]))  # type: ignore[operator]
    capsys.readouterr()
    assert run(environ, "user", "list") == ENVIRONMENT
    assert says in capsys.readouterr().err


def test_nothing_starts_with_the_key_of_another_database(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(environ, "setup")
    other = environ | {
        "VENDORRISK_KEY_FILE": f"{tmp_path}/other.key",
        "VENDORRISK_DATABASE": f"sqlite:///{tmp_path}/other.sqlite",
    }
    run(other, "setup")
    mixed = environ | {"VENDORRISK_KEY_FILE": other["VENDORRISK_KEY_FILE"]}
    assert run(mixed, "user", "list") == ENVIRONMENT
    assert "not the one that this database was made with" in capsys.readouterr().err


def test_a_test_letter_goes_out_at_once(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, "mail", "test", "ops@acme.example") == OK
    (letter,) = (tmp_path / "mail").glob("*.eml")
    assert "To: ops@acme.example" in letter.read_text()
    assert "Taken for ops@acme.example" in capsys.readouterr().err


def test_a_letter_that_nobody_takes_is_said(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with nobody() as port:
        assert run(environ | {"VENDORRISK_MAIL": f"smtp://127.0.0.1:{port}"}, "mail", "test", "a@b.example") == 1
    assert "Not sent" in capsys.readouterr().err


def test_the_shipped_questionnaires_are_fine(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(str(path) for path in shipped.FOLDER.glob("*.yaml"))
    assert run(environ, "questionnaire", "lint", *files) == OK
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{len(files)} files are fine." in err


def test_a_mistake_is_shown_with_its_line_and_a_caret(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(
        "id: broken\nversion: '1'\ntitle: A\nsections:\n- id: one\n  title: B\n  questions:\n"
        "  - {id: a, code: AB-01, type: chioce, text: Why}\n"
    )
    assert run(environ, "questionnaire", "lint", str(path), str(tmp_path / "missing.yaml")) == FOUND_PROBLEMS
    out, err = capsys.readouterr()
    assert f"{path}:8:32: unknown type 'chioce' (did you mean 'choice'?)" in out
    (line, caret) = next((a, b) for a, b in zip(out.splitlines(), out.splitlines()[1:], strict=False) if "^" in b)
    assert line[caret.index("^") :].startswith("chioce")
    assert "missing.yaml:1:1:" in out
    assert "mistakes" in err
