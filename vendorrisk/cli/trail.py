"""`python -m vendorrisk trail verify|export|accept`: is the trail as it was written, and a copy of it to keep."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from vendorrisk.cli.output import FOUND_PROBLEMS, OK, USAGE, give, say
from vendorrisk.cli.user import OPERATOR
from vendorrisk.db.engine import Database
from vendorrisk.domain import chain
from vendorrisk.domain.chain import Finding, Head
from vendorrisk.services import audit
from vendorrisk.services.auditing import anchor, trail_checks, trail_exports, trail_files, trail_search
from vendorrisk.services.auditing.trail_checks import Outcome
from vendorrisk.services.auditing.trail_files import Reader
from vendorrisk.services.auditing.trail_search import Filters
from vendorrisk.services.operating import opening
from vendorrisk.settings import Settings

_SHOWN = 20
"""How many findings are said one by one. `--json` gives them all."""


def register(commands: Any) -> None:
    """Add the commands to the program's parser."""
    noun = commands.add_parser("trail", help="is the trail as it was written; a copy of it")
    verbs = noun.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verifying = verbs.add_parser("verify", help="check the trail in the database, or in an export")
    verifying.add_argument("file", metavar="FILE", nargs="?", type=Path, help="an export (JSON lines) instead of it")
    verifying.add_argument("--head", action="append", default=[], type=_head, dest="heads", metavar="POSITION:HASH",
                           help="a head from a report or a daily letter; may be repeated")  # fmt: skip
    verifying.add_argument("--without-key", action="store_true", help="check the chain of FILE only")
    verifying.add_argument("--no-record", action="store_true", help="do not write into the trail that it was checked")
    verifying.add_argument("--json", action="store_true", help="one JSON object on each line, the outcome last")
    verifying.set_defaults(run=verify)
    exporting = verbs.add_parser("export", help="the trail as JSON lines, on standard output")
    exporting.add_argument("--since", type=_day, metavar="DAY", help="from this day on (2026-01-31, in UTC)")
    exporting.add_argument("--until", type=_day, metavar="DAY", help="up to this day")
    exporting.add_argument("--words", action="store_true", help="with the details opened: names, reasons, addresses")
    exporting.set_defaults(run=export)
    accepting = verbs.add_parser(
        "accept", help="after a backup or the clock was put back: take the chain as it ends now for right"
    )
    accepting.set_defaults(run=accept)


def _head(text: str) -> Head:
    try:
        return chain.parse_head(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-01-31") from None


def verify(options: argparse.Namespace) -> int:
    """Check the trail; 1 if anything is wrong."""
    if options.file is None and options.without_key:
        say("--without-key is for a FILE: the database is of no use without its key.")
        return USAGE
    settings = Settings.from_env(options.environ)
    teller = _Teller(as_json=options.json)
    if options.file is None:
        outcome = _verify_database(settings, options, teller.found)
    else:
        outcome = _verify_file(settings, options, teller.found)
    teller.told(outcome, str(options.file or "the database"))
    return OK if outcome.is_whole else FOUND_PROBLEMS


def _verify_database(settings: Settings, options: argparse.Namespace, found: Callable[[Finding], None]) -> Outcome:
    database = opening.as_it_is(settings)
    beside = trail_checks.anchored(anchor.path_of(settings), audit.keyed(database.master))
    with database.reading() as session:
        outcome = trail_checks.of_database(session, beside, options.heads, found)
    if not options.no_record:
        with database.writing() as session:
            trail_checks.record(session, outcome, by=OPERATOR, now=datetime.now(UTC))
    return outcome


def _verify_file(settings: Settings, options: argparse.Namespace, found: Callable[[Finding], None]) -> Outcome:
    keyed = None if options.without_key else audit.keyed(opening.as_it_is(settings).master)
    with options.file.open("rb") as file:
        return trail_checks.of_file(Reader(trail_files.lines_of(file), keyed), options.heads, found)


class _Teller:
    """Says what is found: the first findings one by one, the rest by their number."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._count = 0

    def found(self, finding: Finding) -> None:
        """One finding."""
        self._count += 1
        if self._as_json:
            plain = {"position": finding.position, "event": finding.number, "change": finding.change.value}
            give(json.dumps({**plain, "words": finding.words}, ensure_ascii=False))
        elif self._count <= _SHOWN:
            give(str(finding))

    def told(self, outcome: Outcome, what: str) -> None:
        """The outcome."""
        if self._as_json:
            give(json.dumps(_plain(outcome), ensure_ascii=False))
            return
        if self._count > _SHOWN:
            give(f"… and {self._count - _SHOWN:,} more. All of them: --json")
        say(*outcome.notes, *_summary(outcome, what))


def _summary(outcome: Outcome, what: str) -> Sequence[str]:
    counts = f"{_counted(outcome.sealed, 'sealed event')}, {outcome.unsealed:,} not yet sealed"
    if not outcome.is_whole:
        return (f"NOT as it was written: {_counted(outcome.problems, 'finding')} in {what} ({counts}).",)
    short = outcome.chain.hex()[: chain.SHORTEST_HASH]
    head = f"Head {outcome.position}:{short}" if outcome.position else "No head yet"
    return (f"As it was written: {what}, {counts}. {head}. It agrees with {_counted(outcome.heads, 'noted head')}.",)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "whole": outcome.is_whole, "sealed": outcome.sealed, "unsealed": outcome.unsealed,
        "problems": outcome.problems, "position": outcome.position, "chain": outcome.chain.hex(),
        "heads": outcome.heads, "notes": list(outcome.notes),
    }  # fmt: skip


def export(options: argparse.Namespace) -> int:
    """Write the trail to standard output. That this was done is in it."""
    settings, now = Settings.from_env(options.environ), datetime.now(UTC)
    database = opening.as_it_is(settings)
    filters = Filters(since=options.since, until=options.until)
    with database.writing() as session:
        trail_exports.note(session, filters, "JSON lines", trail_search.OPERATOR, by=OPERATOR, now=now)
    count = _write(database, settings, filters, with_words=options.words, now=now)
    say(f"{count - 2:,} events. Check the file with: python -m vendorrisk trail verify FILE")
    return OK


def _write(database: Database, settings: Settings, filters: Filters, *, with_words: bool, now: datetime) -> int:
    """Returns how many lines there were."""
    with database.reading() as session:
        lines = trail_exports.as_json_lines(
            session, filters, trail_search.OPERATOR, organisation=settings.organisation, with_words=with_words, now=now
        )
        return sum(bool(sys.stdout.write(line)) for line in lines)


def accept(options: argparse.Namespace) -> int:
    """Let the anchor stand where the chain ends now."""
    settings, now = Settings.from_env(options.environ), datetime.now(UTC)
    database, path = opening.as_it_is(settings), anchor.path_of(settings)
    keyed = audit.keyed(database.master)
    with database.writing() as session:
        before = trail_checks.anchored(path, keyed)
        accepted = trail_checks.accept(session, before, by=OPERATOR, now=now)
    if accepted is None:
        say("Nothing is sealed yet, so there is nothing to accept.")
        return FOUND_PROBLEMS
    anchor.write(path, accepted, keyed)
    stood = f", no longer at {before.heads[0].position:,}" if before.heads else ""
    say(f"The anchor stands at position {accepted.position:,}{stood}. That it was moved is in the trail.",
        "Next: python -m vendorrisk trail verify")  # fmt: skip
    return OK
