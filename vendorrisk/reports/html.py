"""The report as one HTML page: autoescaped templates over plain values. Called in the child process only.

Vendors' texts are text: nothing in them is ever read as HTML, CSS or a template.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vendorrisk.reports import snapshots, view
from vendorrisk.reports.sections import SECTIONS

TEMPLATES = Path(__file__).parents[2] / "templates" / "report"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LONG_RUN = 200
_RUN, _PIECE = re.compile(rf"\S{{{_LONG_RUN},}}"), re.compile(r"\S{60}")
_LINES = 100
_BOOK, _CUT, _ROWS = 400_000, 1_000, 20
"""Characters of all answers together (some 150 pages) beyond which each text and table is cut short."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def page(report: view.Report) -> str:
    """The HTML of the whole report."""
    template = _environment().get_template("report.html")
    return template.render(report=report, sections=SECTIONS, snapshot=snapshots.digest(report), limits=limits(report))


def css() -> str:
    """The style sheet: a fixed file, no value ever enters it."""
    return (TEMPLATES / "report.css").read_text("utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=printable,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(
        day=day, moment=moment, shorten=shorten, size=size, paragraphs=paragraphs, direction=direction
    )
    return environment


def printable(value: Any) -> Any:
    """What cannot be printed (NUL, control characters, lone surrogates) shows as U+FFFD, so that it is seen."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _breakable(_UNPRINTABLE.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n")))
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


def paragraphs(text: str, most: int) -> list[str]:
    """The text's lines as paragraphs, at most `most` characters; what is left out is said, with the SHA-256 of all.

    From the hundredth line on they are run together, parted by ¶, and a run without a space gets places to break at:
    either would take minutes to lay out, and a vendor must not be able to prevent a report.
    """
    kept: str = printable(text[:most])
    lines = [line for line in kept.split("\n") if line.strip()]
    if len(lines) > _LINES:
        lines[_LINES:] = [" ¶ ".join(lines[_LINES:])]
    if len(text) > most:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        lines.append(f"[{len(text) - most:,} more characters are in the case. SHA-256 of the whole text: {digest}]")
    return lines


def _breakable(text: str) -> str:
    """With a zero-width space after every 60 characters of a run of more than 200 without a space."""
    if len(text) < _LONG_RUN:
        return text
    return _RUN.sub(lambda run: _PIECE.sub("\\g<0>\u200b", run[0]), text)


def direction(text: str) -> str:
    """Which way a text runs: that of its first letter."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"


def limits(report: view.Report) -> dict[str, int]:
    """How much of each text and how many rows of each table are printed: all, unless together they are a book."""
    total = 0
    for chapter in report.answers:
        for section in chapter.sections:
            total += sum(_length(answer) for answer in section.answers)
    if total <= _BOOK:
        return {"characters": _BOOK, "rows": _BOOK}
    return {"characters": _CUT, "rows": _ROWS}


def _length(answer: view.Answer) -> int:
    cells = sum(len(cell.text) + len(cell.label) for row in answer.rows for cell in row)
    return len(answer.text) + len(answer.comment) + len(answer.source) + cells
