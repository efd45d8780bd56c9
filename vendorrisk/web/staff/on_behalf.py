"""Answers that the vendor did not give itself: entered by staff from a call or a document, or from public facts."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain import plain_values
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.errors import InvalidAnswer, NotFound, WrongState
from vendorrisk.domain.roles import Role
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.answering.saves import Conflict
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Heading
from vendorrisk.services.reviewing import answer_sheets, on_behalf
from vendorrisk.services.reviewing.answer_sheets import Line
from vendorrisk.web import access, edge, question_forms, readings
from vendorrisk.web import forms as shared
from vendorrisk.web.forms import Problem
from vendorrisk.web.question_forms import Control, Typed
from vendorrisk.web.staff import bp
from vendorrisk.web.staff.review_forms import OnBehalfForm, StartReviewForm


def _open(reference: str, code: str) -> tuple[Heading, Line]:
    with edge.reading() as session:
        dossier = dossiers.find(session, reference)
        if dossier.request is None:
            raise NotFound("There is no such question.")
        line = answer_sheets.open_answers(session, dossier, now=edge.now()).line(code)
        if not dossier.can_answer:
            raise WrongState("Answers can be given on the vendor’s behalf from sending until the decision.")
        return dossiers.heading(session, dossier), line


@bp.get("/assessments/<reference>/answers/<code>/on-behalf")
@access.open_to(Role.STAFF, Role.ADMIN)
@readings.shows_answers()
def answer_on_behalf(reference: str, code: str) -> ResponseReturnValue:
    """The question as vendors see it, and whence the answer comes."""
    head, line = _open(reference, code)
    stored = line.stored
    form = OnBehalfForm(
        origin=stored.origin.value if stored and stored.origin is not Origin.VENDOR else None,
        source=stored.said.source if stored else "", answered_on=edge.now().date().isoformat(),
    )  # fmt: skip
    return _page(head, line, question_forms.from_stored(line.question, stored), form)


def _page(
    head: Heading, line: Line, control: Control, form: OnBehalfForm, errors: list[Problem] | None = None,
    conflict: Conflict | None = None,
) -> str:  # fmt: skip
    return render_template(
        "staff/answers/on_behalf.html", head=head, line=line, control=control, form=form, errors=errors or [],
        conflict=conflict,
    )  # fmt: skip


@bp.post("/assessments/<reference>/answers/<code>/on-behalf")
@access.open_to(Role.STAFF, Role.ADMIN)
@readings.shows_answers()
def save_on_behalf(reference: str, code: str) -> ResponseReturnValue:
    """Keep the answer; rows of a table come and go without anything being kept."""
    head, line = _open(reference, code)
    action, row = _row_button(request.form.get("rows", ""))
    found = question_forms.typed(
        line.question, request.form, on=edge.now().date(), files=line.files,
        without_row=row if action == "remove" else -1,
    )  # fmt: skip
    form = OnBehalfForm()
    if action:
        return _page(head, line, question_forms.from_typed(found), form)
    fine, said = form.validate(), found.said
    if not fine or said is None or said.state == "unanswered":
        return _page(head, line, question_forms.from_typed(found), form, _problems(found, form)), 422
    try:
        _save(reference, line, found, said, form)
    except InvalidAnswer as error:
        form.answered_on.errors = [str(error)]
        return _page(head, line, question_forms.from_typed(found), form, shared.problems(form)), 422
    except Conflict as conflict:
        head, line = _open(reference, code)
        control = replace(question_forms.from_typed(found), version=line.version)
        return _page(head, line, control, form, conflict=conflict), 409
    flash(f"The answer to {code} is saved.", "success")
    return redirect(url_for("staff.answers", reference=reference, q=code), 303)


def _row_button(pressed: str) -> tuple[str, int]:
    """What a table's button asks for: ("add", -1), ("remove", row) or ("", -1)."""
    _, _, asked = pressed.partition(":")
    action, _, row = asked.partition(":")
    if action == "remove" and (number := plain_values.read_count(row, -1)) >= 0:
        return action, number
    return ("add", -1) if action == "add" else ("", -1)


def _problems(found: Typed, form: OnBehalfForm) -> list[Problem]:
    problems = shared.problems(form)
    if found.error:
        return [(found.error_at, found.error), *problems]
    if found.said is not None and found.said.state == "unanswered":
        return [(question_forms.name(found.question), "Enter the answer."), *problems]
    return problems


def _save(reference: str, line: Line, found: Typed, said: NewAnswer, form: OnBehalfForm) -> None:
    answer = NewAnswer(said.value, said.not_applicable, said.unknown, said.comment, form.source.data or "")
    with edge.writing() as session:
        on_behalf.answer(
            session, reference, line.question.id, answer, origin=Origin(form.origin.data),
            expected_version=found.version, answered_on=form.day(), by=access.current_actor(), now=edge.now(),
        )  # fmt: skip


@bp.get("/assessments/<reference>/start-review")
@access.open_to(Role.STAFF, Role.ADMIN)
def start_review(reference: str) -> ResponseReturnValue:
    """Ask for the reason to begin the review without the vendor's own submission."""
    return _start_page(_startable(reference), StartReviewForm())


def _startable(reference: str) -> Heading:
    with edge.reading() as session:
        dossier = dossiers.find(session, reference)
        if not dossier.can_start_review:
            raise WrongState("The review cannot be started: there is no open request.")
        return dossiers.heading(session, dossier)


def _start_page(head: Heading, form: StartReviewForm) -> str:
    return render_template("staff/answers/start.html", head=head, form=form, errors=shared.problems(form))


@bp.post("/assessments/<reference>/start-review")
@access.open_to(Role.STAFF, Role.ADMIN)
def begin_review(reference: str) -> ResponseReturnValue:
    """Close the request and begin the review."""
    form = StartReviewForm()
    if not form.validate():
        return _start_page(_startable(reference), form), 422
    with edge.writing() as session:
        on_behalf.start_review(session, reference, form.reason.data or "", by=access.current_actor(), now=edge.now())
    flash("The review has begun. The vendor can no longer change its answers.", "success")
    return redirect(url_for("staff.answers", reference=reference), 303)
