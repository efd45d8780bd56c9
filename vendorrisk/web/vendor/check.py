"""Checking all answers, declaring them, sending them once, and the receipt."""

from __future__ import annotations

from dataclasses import dataclass

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import BooleanField, StringField, ValidationError

from vendorrisk.domain import contradictions
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.contradictions import Hit
from vendorrisk.domain.progress import AnswerState, state_of
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services import copies
from vendorrisk.services.answering import evidence, responses, sittings, submissions
from vendorrisk.services.answering.evidence import FileView
from vendorrisk.services.answering.responses import Draft
from vendorrisk.services.answering.sittings import Sitting
from vendorrisk.services.sending import briefs
from vendorrisk.web import access, edge, forms, question_forms
from vendorrisk.web.vendor import bp, pages
from vendorrisk.web.vendor import session as respondent
from vendorrisk.web.vendor.pages import Place
from vendorrisk.web.vendor.start import said

FILTERS = {"all": "All", "unanswered": "Unanswered", "na": "Not applicable"}
_DEALT_WITH = {AnswerState.NA_PENDING, AnswerState.NA_APPROVED}


class DeclarationForm(FlaskForm):
    """Who sends the answers, and that they stand by them."""

    name = StringField("Your name", [said("your name")])
    role = StringField("Your role", [said("your role")])
    declared = BooleanField("To the best of my knowledge these answers are true and complete, and I may give them.")
    incomplete = BooleanField()
    missing = 0

    def validate_declared(self, field: BooleanField) -> None:
        """Nothing is sent without the declaration."""
        if not field.data:
            raise ValidationError("Confirm that the answers are true and complete.")

    def validate_incomplete(self, field: BooleanField) -> None:
        """Leaving required questions open has to be said, because it counts."""
        if self.missing and not field.data:
            raise ValidationError("Answer the questions that are missing, or confirm that they stay unanswered.")


@dataclass(frozen=True, slots=True)
class Line:
    """One question on the page, with its answer in words."""

    question: Question
    depth: int
    state: AnswerState
    words: str
    comment: str
    url: str
    files: tuple[FileView, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One section with its lines."""

    place: Place
    lines: tuple[Line, ...]


@bp.get("/respond/<reference>/check")
@access.open_to_respondent
def check(reference: str) -> ResponseReturnValue:
    """All answers in one place: to change before sending, to read afterwards."""
    with edge.reading() as session:
        sitting = respondent.load(session, reference)
        if sitting.request.status is not RequestStatus.SUBMITTED and (other := respondent.elsewhere(sitting)):
            return other
        form = DeclarationForm(
            formdata=None, name=sittings.name_of(session, sitting), role=sittings.role_of(session, sitting)
        )  # fmt: skip
        return _page(session, sitting, responses.load(session, sitting.request), form)


def _page(session: Session, sitting: Sitting, draft: Draft, form: DeclarationForm) -> str:
    places = pages.places(sitting.request.reference, draft)
    chosen = request.args.get("show", "all")
    files = evidence.by_question(evidence.of_request(session, sitting.request))
    blocks = [_block(place, draft, files, chosen) for place in places]
    rules = copies.rules(session, sitting.request.rules_copy)
    return render_template(
        "vendor/check.html", request_=sitting.request, draft=draft, places=places, form=form,
        blocks=[block for block in blocks if block.lines], filters=FILTERS,
        chosen=chosen if chosen in FILTERS else "all",
        urls=pages.question_urls(places), errors=forms.problems(form), can_edit=sitting.request.submitted_at is None,
        hits=_hits(rules, draft), brief=briefs.of(session, sitting.request, settings=edge.services().settings),
    )  # fmt: skip


def _hits(rules: contradictions.RuleSet, draft: Draft) -> tuple[Hit, ...]:
    return contradictions.find(rules, draft.questionnaires, draft.answers, on=edge.now().date())


def _block(place: Place, draft: Draft, files: dict[str, tuple[FileView, ...]], chosen: str) -> Block:
    placed = question_forms.in_tree_order(place.questionnaire, place.section.questions)
    lines = (
        _line(question, depth, place, draft, files.get(question.id, ()))
        for question, depth in placed
        if question.id in draft.visible
    )
    return Block(place, tuple(line for line in lines if _is_chosen(line.state, chosen)))


def _is_chosen(state: AnswerState, chosen: str) -> bool:
    if chosen == "unanswered":
        return state is AnswerState.UNANSWERED
    return state in _DEALT_WITH if chosen == "na" else True


def _line(question: Question, depth: int, place: Place, draft: Draft, files: tuple[FileView, ...]) -> Line:
    stored = draft.stored.get(question.id)
    return Line(
        question=question, depth=depth, state=state_of(question, draft.answers.get(question.id), draft.visible),
        words=responses.words(question, stored.said if stored else None),
        comment=stored.said.comment if stored else "", url=f"{place.url}#q-{question.id}-question", files=files,
    )  # fmt: skip


@bp.post("/respond/<reference>/submit")
@access.open_to_respondent
def submit(reference: str) -> ResponseReturnValue:
    """Send the answers. Pressed twice, or from two browsers, it is sent once and shows one receipt."""
    form = DeclarationForm()
    with edge.writing() as session:
        sitting = respondent.load(session, reference, for_update=True)
        if sitting.request.status is not RequestStatus.SUBMITTED:
            draft = responses.load(session, sitting.request)
            form.missing = len(draft.progress.missing_required)
            if not form.validate():
                return make_response(_page(session, sitting, draft, form), 422)
            submissions.submit(
                session, sitting, draft, form.name.data or "", form.role.data or "",
                settings=edge.services().settings, by=sittings.actor(session, sitting), now=edge.now(),
            )  # fmt: skip
    return redirect(url_for(".done", reference=reference), 303)


@bp.get("/respond/<reference>/done")
@access.open_to_respondent
def done(reference: str) -> ResponseReturnValue:
    """The receipt, and where the review stands; or that staff have begun the review without a submission."""
    with edge.reading() as session:
        sitting = respondent.load(session, reference)
        if sitting.request.status is not RequestStatus.SUBMITTED:
            return redirect(url_for(".tasks", reference=reference), 303)
        if sitting.request.submission is None:
            brief = briefs.of(session, sitting.request, settings=edge.services().settings)
            return render_template("vendor/taken_over.html", request_=sitting.request, brief=brief)
        status = sittings.assessment(session, sitting).status
        return render_template(
            "vendor/done.html", request_=sitting.request, sent=submissions.of(session, sitting.request),
            step=3 if status is AssessmentStatus.DECIDED else 1,
            brief=briefs.of(session, sitting.request, settings=edge.services().settings),
        )  # fmt: skip
