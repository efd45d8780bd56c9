"""The two pages that every footer leads to: accessibility and privacy. They name nobody."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from vendorrisk.web import access

bp = Blueprint("about", __name__)
_PUBLIC = access.open_to_anyone("general statements, the same for everybody")


@bp.get("/accessibility")
@_PUBLIC
def accessibility() -> ResponseReturnValue:
    """What was done and tested so that everybody can use the pages, and what was not."""
    return render_template("about/accessibility.html")


@bp.get("/privacy")
@_PUBLIC
def privacy() -> ResponseReturnValue:
    """What is kept, where, and which cookies there are."""
    return render_template("about/privacy.html")
