"""Stuck letters and reports: the list, the number in the menu, and trying a letter again."""

from __future__ import annotations

from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain.roles import Role
from vendorrisk.services import paging
from vendorrisk.services.letters import outbox, stuck
from vendorrisk.services.letters.stuck import Counts
from vendorrisk.web import access, edge
from vendorrisk.web.staff import bp

FROM_LIST = "work"
"""`?back=work` on a retry: the button stood in the list, and leads back to it."""


@bp.get("/work")
@access.open_to(Role.STAFF, Role.ADMIN)
def work() -> ResponseReturnValue:
    """Every letter and report that failed, waits for another try, or that no worker takes."""
    now = edge.now()
    with edge.reading() as session:
        page = stuck.listed(session, paging.number_from(request.args.get("page")), now=now)
    return render_template("staff/work.html", page=page)


@bp.post("/letters/<uuid:letter_id>/retry")
@access.open_to(Role.STAFF, Role.ADMIN)
def retry_letter(letter_id: UUID) -> ResponseReturnValue:
    """Put a letter back into the queue."""
    with edge.writing() as session:
        outbox.retry(session, letter_id, by=access.current_actor(), now=edge.now())
        reference = stuck.request_of(session, letter_id)
    flash("The letter waits to be sent again.")
    if reference and request.args.get("back") != FROM_LIST:
        return redirect(url_for("staff.request_status", reference=reference), 303)
    return redirect(url_for("staff.work"), 303)


@bp.app_template_global()
def stuck_counts() -> Counts:
    """The figures for the menu of every page that staff see, their own account's too; asked for once in a request."""
    if "stuck" not in g:
        with edge.reading() as session:
            g.stuck = stuck.counts(session)
    counts: Counts = g.stuck
    return counts
