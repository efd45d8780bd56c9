"""The trail of one case, for staff."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from vendorrisk.domain.roles import Role
from vendorrisk.services.auditing import trail as events
from vendorrisk.services.casework import dossiers
from vendorrisk.services.paging import number_from
from vendorrisk.web import access, edge
from vendorrisk.web.staff import bp


@bp.get("/assessments/<reference>/trail")
@access.open_to(Role.STAFF, Role.ADMIN)
def trail(reference: str) -> ResponseReturnValue:
    """Everything that happened, the latest first."""
    with edge.reading() as session:
        dossier = dossiers.find(session, reference)
        head = dossiers.heading(session, dossier)
        found = events.of_case(session, dossier, number_from(request.args.get("page")))
    return render_template("staff/trail.html", head=head, trail=found)
