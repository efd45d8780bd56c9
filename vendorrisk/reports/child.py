"""The process that renders: `python -m vendorrisk.reports.child` reads a snapshot (JSON) and writes the PDF; see `pdf`.

Exit codes: 0 made, 2 no snapshot, 3 could not be rendered. What goes to stderr names the kind of failure only: never a
text of the report. With --probe it tells whether the network can be cut off; with --page after the folder it makes one
page of its own.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import warnings
from typing import NoReturn

from vendorrisk.reports import sandbox, snapshots, view

MADE, NO_SNAPSHOT, FAILED = 0, 2, 3
_MADE_BETWEEN = 100_000
"""Objects made between two searches for garbage (Python: 700). Most of a report lives until it is written, and
searching took a tenth of its time."""


def main(arguments: list[str]) -> int:
    """Render stdin to stdout. The first argument is the folder for temporary files."""
    if arguments == ["--probe"]:
        print("cut" if sandbox.cut_network() else "open")
        return MADE
    tempfile.tempdir = arguments[0]
    gc.set_threshold(_MADE_BETWEEN)
    sandbox.enter()
    try:
        report = None if arguments[1:] == ["--page"] else snapshots.from_plain(json.load(sys.stdin.buffer))
    except (ValueError, RecursionError):
        return _fail("NotASnapshot", NO_SNAPSHOT)
    try:
        made = _render(report)
    except BaseException as error:
        # BaseException: WeasyPrint's fatal fetching error is one, and nothing of it may reach the log.
        return _fail(type(error).__name__, FAILED)
    sys.stdout.buffer.write(made)
    sys.stdout.buffer.flush()
    return MADE


def _render(report: view.Report | None) -> bytes:
    # Imported here, behind the limits, and in no other process: it costs 0.4 s and 30 MB.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from vendorrisk.reports import engine

        return engine.test_page() if report is None else engine.render(report)


def _leave(code: int) -> NoReturn:
    # Without taking a million objects down one by one; the parent removes the folder.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _fail(kind: str, code: int) -> int:
    print(kind, file=sys.stderr)
    return code


if __name__ == "__main__":
    _leave(main(sys.argv[1:]))
