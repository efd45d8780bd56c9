"""Reads the command line and runs the command; `__main__` calls it.

A command is a module of this package with `register(commands)`, which adds a parser and sets its `run`. The options
that `run` gets hold two more things: `environ`, and `serve(settings, ready)`, which runs the whole service.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from sqlalchemy.exc import DBAPIError

from vendorrisk.cli import (
    backup,
    demo,
    doctor,
    keys,
    mail,
    questionnaire,
    score,
    serve_command,
    setup,
    trail,
    upgrade,
    user,
    vendor,
)
from vendorrisk.cli.output import ENVIRONMENT, FOUND_PROBLEMS, INTERRUPTED, USAGE, say
from vendorrisk.db.engine import Busy
from vendorrisk.db.migrate import BrokenMigration
from vendorrisk.domain.errors import VendorRiskError
from vendorrisk.library.mistakes import BrokenFile
from vendorrisk.services.auditing.trail_files import NotATrail
from vendorrisk.services.operating.backup_keys import BadBackup
from vendorrisk.services.operating.keys import BadKey
from vendorrisk.services.operating.opening import NotReady
from vendorrisk.services.operating.upgrading import NeedsUpgrade
from vendorrisk.services.people.accounts import BadAccount
from vendorrisk.settings import BadSettings
from vendorrisk.storage import Away, BadStorage

COMMANDS = (
    serve_command, demo, setup, doctor, upgrade, backup, keys, trail, user, vendor, mail, questionnaire, score,
)  # fmt: skip
"""The modules that register commands, in the order in which help lists them."""

_OF_THE_ENVIRONMENT = (Away, BadKey, BadStorage, BrokenMigration, NeedsUpgrade, NotReady, Busy, OSError)
_INVALID_CHOICE = re.compile(r"invalid choice: '?(?P<given>[^' ]+)'? \(choose from (?P<known>.*)\)")


class Parser(argparse.ArgumentParser):
    """A parser that guesses what a mistyped word was meant to be."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how to find help; exit with 2."""
        found = _INVALID_CHOICE.search(message)
        if found:
            known = [word.strip(" '") for word in found["known"].split(",")]
            close = difflib.get_close_matches(found["given"], known, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else f" There are: {', '.join(known)}."
            message = f"there is no '{found['given']}' here.{hint}"
        say(f"{self.prog}: {message}\nSee: {self.prog} --help")
        raise SystemExit(USAGE)


def parser() -> Parser:
    """The parser of all commands."""
    top = Parser(prog="python -m vendorrisk", description="Third-party vendor risk questionnaires.")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.register(commands)
    return top


def run(arguments: list[str], environ: Mapping[str, str], serve: Callable[..., Any]) -> int:
    """Run one command and turn what goes wrong into a sentence and an exit code."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    options.environ, options.serve = environ, serve
    try:
        result: int = options.run(options)
        return result
    except BadSettings as error:
        say(*error.problems)
        return ENVIRONMENT
    except (BadAccount, BadBackup, NotATrail, VendorRiskError, BrokenFile) as error:
        say(str(error))
        return FOUND_PROBLEMS
    except DBAPIError as error:
        say(f"The database does not answer: {error.orig}")
        return ENVIRONMENT
    except _OF_THE_ENVIRONMENT as error:
        say(str(error))
        return ENVIRONMENT
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return INTERRUPTED
