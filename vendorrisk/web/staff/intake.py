"""The intake: a few short pages of the intake questionnaire, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.db.models import Assessment
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import Answer
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.questionnaire import Purpose, Question, Questionnaire, Section
from vendorrisk.domain.roles import Role
from vendorrisk.services.casework import assessments, vendors
from vendorrisk.services.casework import intake as intakes
from vendorrisk.services.casework.intake import ChangedMeanwhile
from vendorrisk.web import access, edge, question_forms
from vendorrisk.web.forms import Problem
from vendorrisk.web.question_forms import Control
from vendorrisk.web.staff import bp

EDITABLE = (AssessmentStatus.INTAKE, AssessmentStatus.READY)


@dataclass(frozen=True, slots=True)
class Opened:
    """The case that a page of the intake belongs to."""

    case: Assessment
    vendor: str
    service: str
    questionnaire: Questionnaire
    answers: dict[str, Answer]


def _open(reference: str) -> Opened:
    with edge.reading() as session:
        case, vendor = assessments.get(session, reference)
        questionnaire = intakes.questionnaire(session, case)
        return Opened(
            case, vendors.name_of(session, vendor), assessments.service_of(session, case), questionnaire,
            intakes.answers(session, case, questionnaire),
        )  # fmt: skip


def _section(questionnaire: Questionnaire, number: int) -> Section:
    if not 1 <= number <= len(questionnaire.sections):
        abort(404)
    return questionnaire.sections[number - 1]


@bp.get("/assessments/<reference>/intake")
@access.open_to(Role.STAFF, Role.ADMIN)
def intake(reference: str) -> ResponseReturnValue:
    """On to the first page with something left to answer, or to the result."""
    opened = _open(reference)
    if opened.case.status is not AssessmentStatus.INTAKE:
        return redirect(url_for("staff.intake_result", reference=reference), 303)
    for number, section in enumerate(opened.questionnaire.sections, start=1):
        if any(question.id not in opened.answers for question in section.questions if question.required):
            return redirect(url_for("staff.intake_page", reference=reference, number=number), 303)
    return redirect(url_for("staff.intake_result", reference=reference), 303)


@bp.get("/assessments/<reference>/intake/<int:number>")
@access.open_to(Role.STAFF, Role.ADMIN)
def intake_page(reference: str, number: int) -> ResponseReturnValue:
    """One page of the intake."""
    opened = _open(reference)
    section = _section(opened.questionnaire, number)
    if opened.case.status not in EDITABLE:
        return redirect(url_for("staff.intake_result", reference=reference), 303)
    controls = [_stored(question, opened.answers.get(question.id, Answer())) for question in section.questions]
    return _page(opened, number, controls)


@bp.post("/assessments/<reference>/intake/<int:number>")
@access.open_to(Role.STAFF, Role.ADMIN)
def save_intake_page(reference: str, number: int) -> ResponseReturnValue:
    """Save one page; then the next one, or the result."""
    opened = _open(reference)
    section = _section(opened.questionnaire, number)
    found = [question_forms.typed(each, request.form, on=edge.now().date()) for each in section.questions]
    controls = [question_forms.from_typed(each) for each in found]
    if any(control.error for control in controls):
        return _page(opened, number, controls), 422
    given = {each.question.id: Answer(value=said.value, unknown=said.unknown) for each in found if (said := each.said)}
    finish = request.form.get("then") == "finish" or number == len(opened.questionnaire.sections)
    try:
        with edge.writing() as session:
            case, vendor = assessments.get(session, reference)
            by, now = access.current_actor(), edge.now()
            intakes.save(session, case, vendor, section, given, seen=request.form.get("seen", ""), by=by, now=now)
            if finish:
                intakes.complete(session, case, vendor, by=by, now=now)
    except ChangedMeanwhile as error:
        return _page(_open(reference), number, controls, conflict=str(error)), 409
    if finish:
        return redirect(url_for("staff.intake_result", reference=reference), 303)
    return redirect(url_for("staff.intake_page", reference=reference, number=number + 1), 303)


@bp.get("/assessments/<reference>/intake/result")
@access.open_to(Role.STAFF, Role.ADMIN)
def intake_result(reference: str) -> ResponseReturnValue:
    """Inherent score, tier and the proposed questionnaires, with the reasons; all answers with their way back."""
    opened = _open(reference)
    offered = {k: q for k, q in edge.services().library.questionnaires.items() if q.purpose is Purpose.VENDOR}
    result = intakes.result(opened.questionnaire, opened.answers, tuple(offered))
    said = {
        question.id: question_types.words(question, opened.answers[question.id].value)
        for question in opened.questionnaire
        if question.id in opened.answers
    }
    return render_template(
        "staff/intake/result.html", opened=opened, case=opened.case, result=result, said=said,
        proposed=[offered[key] for key in result.proposal.questionnaires], editable=opened.case.status in EDITABLE,
        points={item.question_id: item for item in (*result.inherent.impacts, *result.inherent.exposures)},
        address_of=lambda question_id: _address_of(opened, question_id),
    )  # fmt: skip


@bp.post("/assessments/<reference>/intake/result")
@access.open_to(Role.STAFF, Role.ADMIN)
def complete_intake(reference: str) -> ResponseReturnValue:
    """Take the intake as it stands and go on to sending."""
    with edge.writing() as session:
        case, vendor = assessments.get(session, reference)
        intakes.complete(session, case, vendor, by=access.current_actor(), now=edge.now())
    return redirect(url_for("staff.send", reference=reference), 303)


def _address_of(opened: Opened, question_id: str) -> str:
    pages = enumerate(opened.questionnaire.sections, start=1)
    number = next(n for n, section in pages if any(q.id == question_id for q in section.questions))
    reference = opened.case.reference
    return url_for("staff.intake_page", reference=reference, number=number, _anchor=f"q-{question_id}-question")


def _page(opened: Opened, number: int, controls: list[Control], *, conflict: str = "") -> str:
    section = opened.questionnaire.sections[number - 1]
    errors: list[Problem] = [
        (control.error_at, f"{control.question.code}: {control.error}") for control in controls if control.error
    ]
    return render_template(
        "staff/intake/page.html", opened=opened, case=opened.case, number=number, section=section, controls=controls,
        errors=errors, conflict=conflict, seen=intakes.fingerprint(section, opened.answers),
        sections=opened.questionnaire.sections, answered=opened.answers.keys(),
    )  # fmt: skip


def _stored(question: Question, answer: Answer) -> Control:
    return Control(question, question_types.fields(question, answer.value), unknown=answer.unknown)
