"""`user scope`: an operator limits an auditor, and everybody can see that it was done."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from tests import builders
from tests.cli.running import FOUND_PROBLEMS, OK, USAGE, run
from vendorrisk.db.models import Event
from vendorrisk.services.operating import opening
from vendorrisk.settings import Settings

EMAIL = "ida@audits.example"


@pytest.fixture
def vendors(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The references of two vendors; and there is an auditor."""
    run(environ, "user", "add", EMAIL, "--name", "Ida Hale", "--role", "auditor")
    capsys.readouterr()
    with opening.database(Settings.from_env(environ)).writing() as session:
        return sorted(builders.add_vendor(session).reference for _ in range(2))


def listed(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> object:
    """The limits as `user list` tells programs."""
    capsys.readouterr()
    run(environ, "user", "list", "--json")
    return json.loads(capsys.readouterr().out)["scope"]


def test_limits_are_set_listed_and_lifted(
    environ: dict[str, str], vendors: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = "cases decided from 2026-01-01 to 2026-06-30 (UTC), of 2 vendors"
    given = ("--from", "2026-01-01", "--to", "2026-06-30", "--vendor", vendors[0], "--vendor", vendors[1].lower())
    assert run(environ, "user", "scope", EMAIL.upper(), *given) == OK
    assert f"As an auditor, {EMAIL} sees {words}, from the next page on." in capsys.readouterr().err
    run(environ, "user", "list")
    assert f"Ida Hale  sees {words}" in capsys.readouterr().out
    assert listed(environ, capsys) == {"from": "2026-01-01", "to": "2026-06-30", "vendors": vendors}
    assert run(environ, "user", "scope", EMAIL, "--vendor", *vendors) == OK
    assert listed(environ, capsys) == {"from": "", "to": "", "vendors": vendors}
    assert run(environ, "user", "scope", EMAIL, "--all") == OK
    assert "sees every decided case" in capsys.readouterr().err
    assert listed(environ, capsys) is None
    with opening.database(Settings.from_env(environ)).reading() as session:
        kinds = session.execute(select(Event.kind, Event.actor_id).where(Event.kind == "user.scope_set")).all()
    assert kinds == [("user.scope_set", "command")] * 3


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), USAGE, "Say what they see"),
        (("--all", "--from", "2026-01-01"), USAGE, "Say what they see"),
        (("--from", "2026-02-01", "--to", "2026-01-31"), USAGE, "--to must not be before --from."),
        (("--from", "soon"), USAGE, "'soon' is not a day such as 2026-01-31"),
        (("--vendor",), USAGE, "expected at least one argument"),
        (("--vendor", "V-NONE"), FOUND_PROBLEMS, "There is no vendor V-NONE."),
    ],
)
def test_what_cannot_be_meant_changes_nothing(
    environ: dict[str, str], vendors: list[str], capsys: pytest.CaptureFixture[str], words: tuple[str, ...],
    code: int, says: str,
) -> None:  # fmt: skip
    run(environ, "user", "scope", EMAIL, "--vendor", vendors[0])
    before = listed(environ, capsys)
    assert run(environ, "user", "scope", EMAIL, *words) == code
    assert says in capsys.readouterr().err
    assert listed(environ, capsys) == before


def test_an_unknown_account_is_said_so(
    environ: dict[str, str], vendors: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("--all",), ("--from", "2026-01-01")):
        assert run(environ, "user", "scope", "nobody@acme.example", *words) == FOUND_PROBLEMS
        assert "There is no account for nobody@acme.example." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("staff", ["They are no auditor: it holds once they are.", "As staff they see every case"]),
        ("admin", ["They are no auditor: it holds once they are.", "As an admin they see everything"]),
    ],
)
def test_what_the_limit_does_not_do_is_said(
    environ: dict[str, str], vendors: list[str], capsys: pytest.CaptureFixture[str], role: str, says: list[str]
) -> None:
    run(environ, "user", "add", "sam@acme.example", "--name", "Sam", "--role", role)
    capsys.readouterr()
    assert run(environ, "user", "scope", "sam@acme.example", "--from", "2026-01-01") == OK
    said = capsys.readouterr().err
    assert all(words in said for words in says)
