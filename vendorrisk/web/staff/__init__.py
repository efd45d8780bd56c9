"""The pages of staff: vendors, assessments, sending, reviewing and deciding. The factory registers `bp`."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("staff", __name__)

# The modules register their views on `bp` when they are imported, so they come after it.
from vendorrisk.web.staff import (  # noqa: E402
    answers,
    assessments,
    decision,
    erase,
    home,
    intake,
    on_behalf,
    reports,
    requests,
    score,
    trail,
    vendors,
    work,
)

__all__ = [
    "answers",
    "assessments",
    "bp",
    "decision",
    "erase",
    "home",
    "intake",
    "on_behalf",
    "reports",
    "requests",
    "score",
    "trail",
    "vendors",
    "work",
]
