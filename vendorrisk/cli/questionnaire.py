"""`python -m vendorrisk questionnaire lint FILE…`: every mistake as file:line:column, with the line and a caret."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vendorrisk.cli.output import FOUND_PROBLEMS, OK, give, say
from vendorrisk.library import loader, mistakes, rules, shipped
from vendorrisk.library.mistakes import BrokenFile, Mistake


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    noun = commands.add_parser("questionnaire", help="questionnaire files")
    verbs = noun.add_subparsers(title="commands", metavar="COMMAND", required=True)
    linting = verbs.add_parser("lint", help="check questionnaires, or a file of contradiction rules")
    linting.add_argument("files", metavar="FILE", nargs="+", type=Path)
    linting.set_defaults(run=lint)


def lint(options: argparse.Namespace) -> int:
    """Check each file by itself; 1 if there is any mistake."""
    found = [pair for path in options.files for pair in _check(path)]
    for mistake, excerpt in found:
        give(str(mistake), *([excerpt] if excerpt else []))
    if found:
        say(f"{len(found)} mistake{'s' if len(found) > 1 else ''}.")
        return FOUND_PROBLEMS
    say(f"{len(options.files)} file{'s are' if len(options.files) > 1 else ' is'} fine.")
    return OK


def _check(path: Path) -> list[tuple[Mistake, str]]:
    """The mistakes in a file, each with the line it is in."""
    text = ""
    try:
        text = loader.read_file(path)
        if path.name == loader.RULES_FILE:
            rules.load_text(text, str(path), shipped.load())
        else:
            loader.load_text(text, str(path))
    except BrokenFile as error:
        return [(found, mistakes.excerpt(text, found.line, found.column)) for found in error.mistakes]
    return []
