"""CSV that spreadsheets open without running anything: each cell is made text. Called by every CSV export."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

_STARTS = frozenset("=+-@|%\t\r\n")
"""With what a formula, or a command for one, begins in the spreadsheets that people use."""


def guarded(value: Any) -> str:
    """The value as a cell's text: an apostrophe before what would be taken for a formula, no control characters."""
    text = "".join(c for c in str(value) if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    # Full-width and other forms of a sign count as the sign itself, also behind what is not seen.
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    begins = {text[:1], seen[:1], seen.lstrip(" '\"")[:1]}
    return f"'{text}" if begins & _STARTS else text


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The rows as lines of CSV (RFC 4180), all cells quoted and guarded."""
    for row in rows:
        line = io.StringIO()
        csv.writer(line, quoting=csv.QUOTE_ALL).writerow([guarded(cell) for cell in row])
        yield line.getvalue()
