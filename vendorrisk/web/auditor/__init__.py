"""The pages of auditors: decided assessments, their reports and trails. Read only. The factory registers `bp`."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("auditor", __name__, url_prefix="/audit")

# The modules register their views on `bp` when they are imported, so they come after it.
from vendorrisk.web.auditor import assessments, trail  # noqa: E402

__all__ = ["assessments", "bp", "trail"]
