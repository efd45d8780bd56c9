"""Letters that were not delivered: the list, and trying one again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain.roles import Role
from vendorrisk.services import outbox
from vendorrisk.services import undelivered as given_up
from vendorrisk.web import access, edge
from vendorrisk.web.staff import bp


@bp.get("/letters")
@access.open_to(Role.STAFF, Role.ADMIN)
def undelivered() -> ResponseReturnValue:
    """Every letter that was given up, with the mail server's reason."""
    with edge.reading() as session:
        letters = given_up.listed(session)
    return render_template("staff/letters/list.html", letters=letters)


@bp.post("/letters/<uuid:letter_id>/retry")
@access.open_to(Role.STAFF, Role.ADMIN)
def retry_letter(letter_id: UUID) -> ResponseReturnValue:
    """Put a letter back into the queue."""
    with edge.writing() as session:
        outbox.retry(session, letter_id, by=access.current_actor(), now=edge.now())
        reference = given_up.request_of(session, letter_id)
    flash("The letter waits to be sent again.")
    if reference:
        return redirect(url_for("staff.request_status", reference=reference), 303)
    return redirect(url_for("staff.undelivered"), 303)


@bp.context_processor
def _count() -> dict[str, Any]:
    """The number in the menu of every staff page."""
    with edge.reading() as session:
        return {"undelivered_count": given_up.count(session)}
