"""`python -m vendorrisk doctor [--json]`: looks at everything that the service needs, and says what to do about it."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from vendorrisk.cli.output import FOUND_PROBLEMS, OK, give
from vendorrisk.services.operating import doctor
from vendorrisk.services.operating.health import Finding, State
from vendorrisk.settings import Settings

_MARKS = {State.OK: "ok  ", State.WARN: "look", State.STOP: "STOP"}


def register(commands: Any) -> None:
    """Add the command to the program's parser."""
    parser = commands.add_parser("doctor", help="look at everything that the service needs; changes nothing")
    parser.add_argument("--json", action="store_true", help="one object, for programs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Say what was found; 1 if something does not work, 3 where even the settings cannot be read."""
    settings = Settings.from_env(options.environ)
    found = []
    for name, finding in doctor.examine(settings, now=datetime.now(UTC)):
        found.append((name, finding))
        if not options.json:
            give(*_lines(name, finding))
    fit = all(finding.state is not State.STOP for _, finding in found)
    if options.json:
        give(json.dumps({"fit": fit, "checks": [_plain(name, finding) for name, finding in found]}))
    else:
        give("Everything that is needed works." if fit else "Something does not work: see STOP above.")
    return OK if fit else FOUND_PROBLEMS


def _lines(name: str, finding: Finding) -> list[str]:
    lines = [f"{_MARKS[finding.state]}  {name:<15} {finding.text}"]
    if finding.remedy and finding.state is not State.OK:
        lines.append(f"{'':23}→ {finding.remedy}")
    return lines


def _plain(name: str, finding: Finding) -> dict[str, str]:
    return {"name": name, "state": finding.state.value, "text": finding.text, "remedy": finding.remedy}
