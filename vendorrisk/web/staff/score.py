"""The score page: the band and every figure behind it, flags, contradictions and how to set one aside."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain.roles import Role
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Heading
from vendorrisk.services.reviewing import reviews, score_sheets
from vendorrisk.services.reviewing.score_sheets import ScoreSheet
from vendorrisk.web import access, edge, readings
from vendorrisk.web import forms as shared
from vendorrisk.web.staff import bp
from vendorrisk.web.staff.review_forms import DismissForm


@bp.get("/assessments/<reference>/score")
@access.open_to(Role.STAFF, Role.ADMIN)
@readings.shows_answers()
def score(reference: str) -> ResponseReturnValue:
    """The score as the answers stand, or as it was when the case was decided."""
    return _page(reference, DismissForm())


def _page(reference: str, form: DismissForm) -> str:
    head, sheet = _open(reference)
    if sheet is None:
        return render_template("staff/answers/none.html", head=head)
    return render_template("staff/score/page.html", head=head, sheet=sheet, form=form, errors=shared.problems(form))


def _open(reference: str) -> tuple[Heading, ScoreSheet | None]:
    with edge.reading() as session:
        dossier = dossiers.find(session, reference)
        head = dossiers.heading(session, dossier)
        if dossier.request is None:
            return head, None
        return head, score_sheets.open_score(session, dossier, now=edge.now())


@bp.post("/assessments/<reference>/score/contradictions")
@access.open_to(Role.STAFF, Role.ADMIN)
@readings.shows_answers()
def dismiss_contradiction(reference: str) -> ResponseReturnValue:
    """Set a contradiction aside, with the reason."""
    form = DismissForm()
    if not form.validate():
        return _page(reference, form), 422
    with edge.writing() as session:
        reviews.dismiss(
            session, reference, form.key.data or "", form.reason.data or "", seen=form.seen.data or "",
            by=access.current_actor(), now=edge.now(),
        )  # fmt: skip
    flash("The contradiction is set aside, for as long as these answers stay as they are.", "success")
    return redirect(url_for("staff.score", reference=reference) + "#contradictions", 303)
