"""Renders a report to PDF in a child process with limits; called by services/reporting, and by `doctor` for its probe.

The child gets no environment, a folder of its own that is removed afterwards, CPU, memory and wall-clock limits, and no
network where the system can cut it off.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from vendorrisk.reports import snapshots, view

WALL_SECONDS = 27
"""With starting and ending the child, a rendering is over within 30."""
_ROOT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-B", "-s", "-m", "vendorrisk.reports.child")


class RenderFailed(Exception):
    """The report could not be made; the text is a sentence for staff and names nothing of the report."""


def render(report: view.Report, *, seconds: float = WALL_SECONDS) -> bytes:
    """The report's PDF. Raises RenderFailed."""
    return render_snapshot(json.dumps(snapshots.to_plain(report)).encode(), seconds=seconds)


def render_snapshot(snapshot: bytes, *, seconds: float = WALL_SECONDS) -> bytes:
    """The PDF of a report that is kept as JSON: only the child reads it, within its limits. Raises RenderFailed."""
    with TemporaryDirectory(prefix="vendorrisk-report-") as folder:
        return _run([folder], snapshot, seconds)


def can_cut_network() -> bool:
    """Whether the child can be cut off from the network on this machine; `doctor` says so."""
    return _run(["--probe"], b"", WALL_SECONDS).strip() == b"cut"


def try_out() -> bytes:
    """One page with the embedded fonts, made in the child as a report is; for `doctor`. Raises RenderFailed."""
    with TemporaryDirectory(prefix="vendorrisk-report-") as folder:
        return _run([folder, "--page"], b"", WALL_SECONDS)


def _run(arguments: list[str], given: bytes, seconds: float) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [*_COMMAND, *arguments], input=given, capture_output=True, timeout=seconds, cwd=_ROOT, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        raise RenderFailed(f"The report was not ready after {seconds:g} seconds.") from None
    if done.returncode != 0:
        raise RenderFailed(_reason(done.returncode, done.stderr))
    return done.stdout


def _reason(code: int, said: bytes) -> str:
    if code < 0:
        return f"The report went beyond its limits of time or memory (signal {-code})."
    lines = said.decode("ascii", "replace").split()
    return f"The report could not be rendered ({lines[-1][:60] if lines else 'no reason given'})."
