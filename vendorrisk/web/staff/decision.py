"""Deciding a case: what it comes down to, the decision with its reason and conditions, and what was decided."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain.roles import Role
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Dossier, Heading
from vendorrisk.services.reviewing import answer_sheets, decisions, score_sheets
from vendorrisk.services.reviewing.reviews import Overtaken
from vendorrisk.services.reviewing.score_sheets import ScoreSheet
from vendorrisk.web import access, browsers, edge, freshness, readings
from vendorrisk.web.staff import bp
from vendorrisk.web.staff.decision_form import DecisionForm


def _shows_them(dossier: Dossier) -> bool:
    return dossier.case.decided_at is not None or dossier.can_review


@bp.get("/assessments/<reference>/decision")
@access.open_to(Role.STAFF, Role.ADMIN)
@readings.shows_answers(when=_shows_them)
def decision(reference: str) -> ResponseReturnValue:
    """The decision, or the form for it, or why it cannot be decided yet. Who is to decide proves first who they are."""
    with edge.reading() as session:
        dossier = dossiers.find(session, reference)
        head = dossiers.heading(session, dossier)
        if not _shows_them(dossier):
            return render_template("staff/decision/not_yet.html", head=head)
        sheet = score_sheets.open_score(session, dossier, now=edge.now())
    if sheet.decision is not None:
        return render_template("staff/decision/decided.html", head=head, sheet=sheet, decision=sheet.decision)
    if not browsers.is_fresh():
        return freshness.ask()
    today = edge.now().date()
    form = DecisionForm(valid_until=decisions.default_validity(today).isoformat(), seen=sheet.inputs_hash)
    return _page(reference, form)


def _page(reference: str, form: DecisionForm, overtaken: str = "") -> str:
    head, sheet, left = _open(reference)
    return render_template(
        "staff/decision/page.html", head=head, sheet=sheet, left=left, form=form, errors=form.problems(),
        overtaken=overtaken,
    )  # fmt: skip


def _open(reference: str) -> tuple[Heading, ScoreSheet, int]:
    with edge.reading() as session:
        dossier = dossiers.find(session, reference)
        _check(dossier)
        left = answer_sheets.open_answers(session, dossier, now=edge.now()).left
        sheet = score_sheets.open_score(session, dossier, now=edge.now())
        return dossiers.heading(session, dossier), sheet, left


def _check(dossier: Dossier) -> None:
    decisions.check_open(dossier)


@bp.post("/assessments/<reference>/decision")
@access.open_to(Role.STAFF, Role.ADMIN, fresh=True)
@readings.shows_answers(when=_shows_them)
def decide(reference: str) -> ResponseReturnValue:
    """Record the decision. Another row for a condition comes without anything being recorded."""
    _, sheet, _ = _open(reference)
    form = DecisionForm()
    if request.form.get("rows") == "add":
        if len(form.conditions) < decisions.MOST_CONDITIONS:
            form.conditions.append_entry()
        return _page(reference, form)
    form.judge_by(edge.now().date(), is_provisional=sheet.score.provisional)
    if not form.validate():
        return _page(reference, form), 422
    try:
        with edge.writing() as session:
            decisions.decide(
                session, reference, form.decision(), seen=form.seen.data or "", by=access.current_actor(),
                now=edge.now(),
            )  # fmt: skip
    except Overtaken as error:
        form.seen.data = sheet.inputs_hash
        return _page(reference, form, str(error)), 409
    flash("The decision is recorded. The answers, their review and the score are frozen with it.", "success")
    return redirect(url_for("staff.decision", reference=reference), 303)
