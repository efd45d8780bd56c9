"""The commands: what they print, where, and with which exit code."""

from __future__ import annotations

import http.client
import io
import json
import signal
import socket
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tests import builders
from tests.mail.server import nobody
from vendorrisk.cli import main as cli
from vendorrisk.cli import user
from vendorrisk.db.models import Event, Letter, SignIn
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.services import accounts, factors, limits, opening, sign_ins, tries
from vendorrisk.settings import Settings

OK, FOUND_PROBLEMS, USAGE, ENVIRONMENT = 0, 1, 2, 3
ROOT = Path(__file__).parents[2]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a deployment of this test's own."""
    return {
        "VENDORRISK_DATABASE": f"sqlite:///{tmp_path}/data/v.sqlite",
        "VENDORRISK_KEY_FILE": f"{tmp_path}/keys/master.key",
        "VENDORRISK_STORAGE": f"{tmp_path}/files",
        "VENDORRISK_MAIL": f"file:{tmp_path}/mail",
    }


def serving(*_arguments: object) -> None:
    """Stands for the service."""
    raise AssertionError("nobody asked for the service")


def run(environ: dict[str, str], *words: str) -> int:
    """Run one command."""
    return cli.run(list(words), environ, serve=serving)


# ---------------------------------------------------------------- usage


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


# ---------------------------------------------------------------- set-up and keys


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


# ---------------------------------------------------------------- accounts


def account_events(environ: dict[str, str]) -> list[str]:
    """The kinds of events about accounts, the oldest first."""
    with opening.database(Settings.from_env(environ)).reading() as session:
        return [kind for kind in session.scalars(select(Event.kind).order_by(Event.number)) if kind[:5] == "user."]


@pytest.fixture
def ada(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> str:
    """The address of an admin with an app, a recovery code, a session and five failures at the second step."""
    run(environ, "user", "add", "ada@acme.example", "--name", "Ada Admin", "--role", "admin")
    capsys.readouterr()
    now = datetime.now(UTC)
    with opening.database(Settings.from_env(environ)).writing() as session:
        user = accounts.find(session, "ada@acme.example")
        assert user is not None
        factors.keep_app(session, user.id, builders.APP_SECRET)
        factors.make_recovery_codes(session, user, by=SYSTEM, now=now)
        sign_ins.start(session, user.id, now=now)
        for _ in range(tries.FACTORS_OF.tries):
            tries.factor(session, user.id, "192.0.2.1", now=now)
    return "ada@acme.example"


def left(environ: dict[str, str]) -> tuple[bool, int, int, bool]:
    """Whether Ada has an app, how many recovery codes and sessions, and whether she is locked out."""
    with opening.database(Settings.from_env(environ)).reading() as session:
        user = accounts.find(session, "ada@acme.example")
        assert user is not None
        there = factors.of(session, user.id)
        sessions = len(session.scalars(select(SignIn)).all())
        locked = limits.is_reached(session, tries.FACTORS_OF, str(user.id), now=datetime.now(UTC))
        return there.has_app, there.recovery_codes, sessions, locked


def test_a_locked_out_admin_gets_back_in(environ: dict[str, str], ada: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert left(environ) == (True, 10, 1, True)
    assert run(environ, "user", "reset-factors", ada, "--new-password") == OK
    out, err = capsys.readouterr()
    assert len(out.strip()) == 23
    assert "no second factor any more" in err
    assert left(environ) == (False, 0, 0, False)
    assert account_events(environ)[-2:] == ["user.factors_reset", "user.limits_cleared"]
    with opening.database(Settings.from_env(environ)).reading() as session:
        kinds = session.scalars(select(Letter.kind).order_by(Letter.created_at)).all()
        assert kinds[-1] == "sign_in_changed", "the owner hears of it"


def test_failed_tries_are_forgotten_and_nothing_else(
    environ: dict[str, str], ada: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, "user", "unlock", ada, "--address", "192.0.2.1") == OK
    assert left(environ) == (True, 10, 1, False)
    with opening.database(Settings.from_env(environ)).reading() as session:
        assert not limits.is_reached(session, tries.FACTORS_FROM, "192.0.2.1", now=datetime.now(UTC))
    assert account_events(environ)[-1] == "user.limits_cleared"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("disable",), "user.changed"),
        (("sign-out",), "user.sign_ins_ended"),
        (("role", "--add", "staff"), "user.changed"),
        (("role", "--remove", "admin"), "user.changed"),
    ],
)
def test_what_changes_an_account_ends_its_sessions(
    environ: dict[str, str], ada: str, words: tuple[str, ...], kind: str
) -> None:
    assert run(environ, "user", words[0], ada, *words[1:]) == OK
    assert left(environ)[2] == 0
    assert account_events(environ)[-1] == kind


def test_roles_are_given_and_taken(environ: dict[str, str], ada: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(environ, "user", "role", ada, "--add", "staff", "--add", "auditor", "--remove", "admin") == OK
    assert "auditor, staff" in capsys.readouterr().err
    run(environ, "user", "list", "--json")
    assert json.loads(capsys.readouterr().out)["roles"] == ["staff", "auditor"]
    assert run(environ, "user", "role", ada) == USAGE


def test_a_closed_account_is_opened_again(
    environ: dict[str, str], ada: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, active in (("disable", False), ("enable", True)):
        assert run(environ, "user", command, ada) == OK
        capsys.readouterr()
        run(environ, "user", "list", "--json")
        assert json.loads(capsys.readouterr().out)["active"] is active


@pytest.mark.parametrize("command", ["disable", "enable", "sign-out", "reset-factors", "unlock"])
def test_an_unknown_account_is_said_so(
    environ: dict[str, str], ada: str, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(environ, "user", command, "nobody@acme.example") == FOUND_PROBLEMS
    assert "There is no account for nobody@acme.example." in capsys.readouterr().err


def test_an_account_gets_a_password_that_is_printed_once(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, "user", "add", "Ada@Acme.example", "--name", "Ada Admin", "--role", "admin") == OK
    out, err = capsys.readouterr()
    password = out.strip()
    assert len(password) == 23
    assert "\n" not in password
    assert password not in err
    database = opening.database(Settings.from_env(environ))
    with database.reading() as session:
        found = accounts.find(session, "ada@acme.example")
        assert found is not None
        assert password not in (found.password or "")
        assert found.name == "Ada Admin"
    database.close()


def test_a_password_may_come_from_standard_input(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("four unrelated words here\n"))
    words = ["user", "add", "a@acme.example", "--name", "A", "--role", "staff", "--password-stdin"]
    assert run(environ, *words) == OK
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    words[2] = "b@acme.example"
    assert run(environ, *words) == FOUND_PROBLEMS
    assert "at least 12 characters" in capsys.readouterr().err


@pytest.mark.parametrize(("email", "says"), [("nonsense", "is not an e-mail address"), ("a@acme.example", "already")])
def test_an_impossible_account_is_refused(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], email: str, says: str
) -> None:
    run(environ, "user", "add", "a@acme.example", "--name", "A", "--role", "staff")
    assert run(environ, "user", "add", email, "--name", "A", "--role", "staff") == FOUND_PROBLEMS
    assert says in capsys.readouterr().err


def test_accounts_are_listed_for_people_and_for_programs(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, "user", "list") == OK
    assert "There are no accounts yet." in capsys.readouterr().err
    run(environ, "user", "add", "a@acme.example", "--name", "Ana", "--role", "staff", "--role", "auditor")
    capsys.readouterr()
    run(environ, "user", "list")
    assert "a@acme.example" in capsys.readouterr().out
    run(environ, "user", "list", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "email": "a@acme.example",
        "name": "Ana",
        "roles": ["staff", "auditor"],
        "active": True,
        "last_sign_in": None,
    }


def test_a_disabled_account_says_so(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    run(environ, "user", "add", "a@acme.example", "--name", "Ana", "--role", "staff")
    assert run(environ, "user", "disable", "a@acme.example") == OK
    run(environ, "user", "list")
    assert "disabled" in capsys.readouterr().out
    assert run(environ, "user", "disable", "nobody@acme.example") == FOUND_PROBLEMS


def test_the_trail_says_that_it_was_the_command_line(environ: dict[str, str]) -> None:
    run(environ, "user", "add", "a@acme.example", "--name", "Ana", "--role", "staff")
    database = opening.database(Settings.from_env(environ))
    from sqlalchemy import select

    from vendorrisk.db.models import Event

    with database.reading() as session:
        event = session.scalars(select(Event).where(Event.kind == EventKind.USER_ADDED.value)).one()
        assert (event.actor_kind, event.actor_id) == ("system", user.OPERATOR.id)
    database.close()


# ---------------------------------------------------------------- mail and questionnaires


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
    files = sorted(str(path) for path in (ROOT / "questionnaires").glob("*.yaml"))
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


# ---------------------------------------------------------------- the whole program


def program(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run `python app.py` or `python -m vendorrisk` as a process of its own."""
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_taken_port_is_said_in_one_sentence(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = {"VENDORRISK_PORT": port, "VENDORRISK_BASE_URL": f"http://127.0.0.1:{port}"}
        ended = program(environ | told, "app.py")
    assert ended.returncode == ENVIRONMENT
    assert f"Port {port} on 127.0.0.1 is taken by another program." in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG is on"),
        ({"VENDORRISK_BASE_URL": "http://risk.example.com"}, "would travel unencrypted"),
        ({"VENDORRISK_DEMO": "1", "VENDORRISK_HOST": "0.0.0.0"}, "may only listen on this machine"),
        ({"VENDORRISK_DATABASE": "mysql://x"}, "VENDORRISK_DATABASE must start with"),
    ],
)
def test_the_service_does_not_start_in_a_bad_state(environ: dict[str, str], told: dict[str, str], says: str) -> None:
    ended = program(environ | told, "app.py")
    assert ended.returncode == ENVIRONMENT
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_whole_service_starts_answers_and_stops(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = {"VENDORRISK_PORT": str(port), "VENDORRISK_BASE_URL": f"http://127.0.0.1:{port}"}
    running = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environ | told, stderr=subprocess.PIPE, text=True
    )
    try:
        answer = _first_answer(port, "/q/a-secret-token")
        assert answer.status == 404
        assert answer.getheader("Content-Security-Policy")
        assert answer.getheader("Server") is None
    finally:
        running.send_signal(signal.SIGTERM)
        _, log = running.communicate(timeout=30)
    assert running.returncode == OK
    assert "GET /q/[cut] 404" in log
    assert "a-secret-token" not in log
    database = Path(environ["VENDORRISK_DATABASE"].removeprefix("sqlite:///"))
    for made in (database, Path(environ["VENDORRISK_KEY_FILE"])):
        assert stat.S_IMODE(made.stat().st_mode) == 0o600


def _first_answer(port: int, path: str) -> http.client.HTTPResponse:
    deadline = time.monotonic() + 45
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer
        except OSError:
            assert time.monotonic() < deadline, "the service did not come up"
            time.sleep(0.2)
