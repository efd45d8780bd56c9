"""`user`: accounts made, closed, opened and let in again by an operator."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from tests import builders
from tests.cli.running import FOUND_PROBLEMS, OK, USAGE, run
from vendorrisk.cli import user
from vendorrisk.db.models import Event, Letter, SignIn
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.services import limits
from vendorrisk.services.operating import opening
from vendorrisk.services.people import accounts, factors, sign_ins, tries
from vendorrisk.settings import Settings


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
        "scope": None,
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
