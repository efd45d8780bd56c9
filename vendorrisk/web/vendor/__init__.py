"""The pages of the vendor's people, who never make an account. The factory registers `bp`."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("vendor", __name__)

# The modules register their views on `bp` when they are imported, so they come after it.
from vendorrisk.web.vendor import (  # noqa: E402
    answers,
    check,
    dead_ends,
    evidence,
    link,
    sections,
    start,
)

__all__ = ["answers", "bp", "check", "dead_ends", "evidence", "link", "sections", "start"]
