"""`python -m vendorrisk score FILE [--json] [--rules]`: scores JSON or JSON Lines, without a database."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, DecimalException
from pathlib import Path
from typing import Any

from vendorrisk.domain import submission
from vendorrisk.domain.contradictions import RuleSet
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Questionnaire
from vendorrisk.library import shipped

OK, REFUSED = 0, 2


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    parser = commands.add_parser("score", help="score submissions in a JSON or JSON Lines file")
    parser.add_argument("file", metavar="FILE", help="one JSON object, or one on each line; - for standard input")
    parser.add_argument("--json", action="store_true", help="one line for each result, even on a terminal")
    parser.add_argument("--rules", action="store_true", help="also run the contradiction rules whose inputs are given")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one JSON object for each submission; 0 if all were scored, 2 if one was refused."""
    library = shipped.load()
    try:
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return REFUSED
    indent = 2 if sys.stdout.isatty() and not options.json else None
    status = OK
    for line, plain in submissions(text):
        outcome = score_one(plain, library.questionnaires, library.rules if options.rules else None)
        if "error" in outcome:
            status = REFUSED
            outcome = {"line": line, **outcome}
            print(f"{options.file}:{line}: {outcome['error']}", file=sys.stderr)
        print(json.dumps(outcome, ensure_ascii=False, indent=indent))
    return status


def score_one(
    plain: object,
    questionnaires: Mapping[str, Questionnaire],
    rules: RuleSet | None,
    *,
    today: date | None = None,
) -> dict[str, Any]:
    """The result for one submission as plain JSON, or {"error": reason}."""
    try:
        if isinstance(plain, InvalidAnswer):
            raise plain
        case = submission.read(plain, questionnaires, today=today or date.today())
        if rules is None:
            return submission.result(case)
        case, hits = submission.with_rules(case, rules)
        found = [{"rule": hit.key, "severity": hit.severity.value, "affects": list(hit.affects)} for hit in hits]
        return {**submission.result(case), "contradictions": found}
    except InvalidAnswer as error:
        return {"error": str(error)}


def submissions(text: str) -> Iterator[tuple[int, object]]:
    """The objects in a file with the line each begins on; an unreadable one comes as the InvalidAnswer to report."""
    try:
        yield 1, _parse(text)
        return
    except InvalidAnswer as error:
        # Not splitlines(): that also cuts at characters which may stand inside a JSON text.
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        if len(lines) < 2 or not any(line.startswith("{") and line.rstrip().endswith("}") for _, line in lines):
            yield 1, error
            return
    for number, line in lines:
        try:
            yield number, _parse(line)
        except InvalidAnswer as error:
            yield number, error


def _parse(text: str) -> object:
    def refuse(constant: str) -> None:
        raise InvalidAnswer(f"{constant} is not a number that can be scored")

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(found)
        if len(plain) < len(found):
            names = [key for key, _ in found]
            raise InvalidAnswer(f"the key {next(n for n in names if names.count(n) > 1)!r} stands there twice")
        return plain

    try:
        parsed: object = json.loads(text, parse_float=Decimal, parse_constant=refuse, object_pairs_hook=pairs)
    except (ValueError, DecimalException, RecursionError) as error:
        raise InvalidAnswer(f"not JSON: {error}") from None
    return parsed
