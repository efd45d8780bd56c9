"""Home: what waits for staff. "/" leads everybody to their own first page."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain.roles import Role
from vendorrisk.services.casework import home as home_service
from vendorrisk.web import access, edge
from vendorrisk.web.staff import bp


@bp.get("/")
@access.open_to(*Role)
def start() -> ResponseReturnValue:
    """Staff go to Home, auditors to theirs."""
    if access.roles_of_current() & {Role.STAFF, Role.ADMIN}:
        return redirect(url_for("staff.home"), 303)
    return redirect("/audit", 303)


@bp.get("/home")
@access.open_to(Role.STAFF, Role.ADMIN)
def home() -> ResponseReturnValue:
    """What waits for staff, most urgent first."""
    with edge.reading() as session:
        waiting = home_service.show(session, now=edge.now())
    return render_template("staff/home.html", home=waiting)
