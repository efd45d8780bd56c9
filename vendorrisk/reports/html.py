"""The report as one HTML page: autoescaped templates over plain values. Called in the child process only.

Vendors' texts are text: nothing in them is ever read as HTML, CSS or a template.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vendorrisk.reports import view
from vendorrisk.reports.sections import SECTIONS

TEMPLATES = Path(__file__).parents[2] / "templates" / "report"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def page(report: view.Report) -> str:
    """The HTML of the whole report."""
    template = _environment().get_template("report.html")
    return template.render(report=report, sections=SECTIONS, snapshot=view.snapshot_hash(report))


def css() -> str:
    """The style sheet: a fixed file, no value ever enters it."""
    return (TEMPLATES / "report.css").read_text("utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=printable,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(day=day, moment=moment, shorten=shorten, size=size, paragraphs=paragraphs)
    return environment


def printable(value: Any) -> Any:
    """What cannot be printed (NUL, control characters, lone surrogates) shows as U+FFFD, so that it is seen."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNPRINTABLE.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))
    return value


def day(text: str) -> str:
    """ "2026-11-03" → "3 Nov 2026"; anything else stays as it is."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def moment(text: str) -> str:
    """ "2026-11-03T05:26:00Z" → "3 Nov 2026, 05:26 UTC"; anything else stays as it is."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{day(text)}, {found:%H:%M} UTC"


def shorten(text: str, most: int) -> str:
    """At most `most` characters, with an ellipsis where some are left out."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def size(count: int) -> str:
    """1,240 bytes → "1.2 kB"."""
    for unit, length in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count} bytes"


def paragraphs(text: str) -> list[str]:
    """The text's paragraphs, without the empty ones: short blocks are laid out faster than one long one."""
    return [part for part in printable(text).split("\n") if part.strip()]
