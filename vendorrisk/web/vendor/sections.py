"""The task list, the pages of the sections (which save without JavaScript too), and the preview of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from vendorrisk.domain.errors import NotFound
from vendorrisk.services import copies
from vendorrisk.services.answering import evidence, responses, sittings
from vendorrisk.services.answering.responses import Draft
from vendorrisk.services.answering.sittings import Look, Sitting
from vendorrisk.services.sending import briefs
from vendorrisk.web import access, drawing, edge
from vendorrisk.web.question_forms import Control
from vendorrisk.web.vendor import bp, pages, saving, uploads
from vendorrisk.web.vendor import session as respondent
from vendorrisk.web.vendor.pages import Place


@bp.get("/respond/<reference>")
@access.open_to_respondent
def tasks(reference: str) -> ResponseReturnValue:
    """All sections with how far they are, and the way to the next open question."""
    with edge.reading() as session:
        sitting = respondent.load(session, reference)
        if (other := respondent.elsewhere(sitting)) is not None:
            return other
        draft = responses.load(session, sitting.request, around=())
        places = pages.places(reference, draft)
        return render_template(
            "vendor/tasks.html", request_=sitting.request, draft=draft, places=places,
            next=pages.next_unanswered(places, draft),
            brief=briefs.of(session, sitting.request, settings=edge.services().settings),
            last_saved_by=responses.last_saved_by(session, sitting.request),
        )  # fmt: skip


@bp.get("/respond/<reference>/preview")
@access.open_to_respondent
def preview(reference: str) -> ResponseReturnValue:
    """Every question, those that depend on answers included: for reading, printing and handing round."""
    with edge.reading() as session:
        sitting = respondent.look(session, reference)
        if respondent.is_closed(sitting):
            return redirect(url_for(".closed", reference=reference), 303)
        asked_of = copies.questionnaires(session, sitting.request.copies)
        asked, more = briefs.counts(asked_of)
        return render_template(
            "vendor/preview.html", request_=sitting.request, asked=asked, more=more, questions=drawing.preview(asked_of)
        )


@dataclass(frozen=True, slots=True)
class _Page:
    """A section's page as loaded: who looks, at what."""

    session: Session
    sitting: Sitting | Look
    draft: Draft
    places: tuple[Place, ...]
    place: Place


def _open(
    session: Session, sitting: Sitting | Look, questionnaire_id: str, section_id: str, *, whole: bool = False
) -> _Page:
    """With the answers of this section, or of the `whole` request."""
    questionnaires = copies.questionnaires(session, sitting.request.copies)
    section = pages.section_of(questionnaires, questionnaire_id, section_id)
    around = None if whole else [question.id for question in section.questions]
    draft = responses.load(session, sitting.request, around=around)
    places = pages.places(sitting.request.reference, draft)
    return _Page(session, sitting, draft, places, pages.place_of(places, section))


@bp.get("/respond/<reference>/sections/<questionnaire_id>/<section_id>")
@access.open_to_respondent
def section(reference: str, questionnaire_id: str, section_id: str) -> ResponseReturnValue:
    """One section's questions."""
    with edge.reading() as session:
        page = _open(session, respondent.look(session, reference), questionnaire_id, section_id)
        if (other := respondent.elsewhere(page.sitting)) is not None:
            return other
        return _render(page, {})


def _render(page: _Page, given: Mapping[str, Control], **more: Any) -> str:
    files = evidence.by_question(evidence.of_request(page.session, page.sitting.request))
    reference = page.sitting.request.reference
    controls = pages.controls(page.place, page.draft, files, given)
    return render_template(
        "vendor/section.html", request_=page.sitting.request, place=page.place, places=page.places,
        questions=[drawing.question(control, reference) for control in controls],
        next=pages.next_unanswered(page.places, page.draft, page.place.number),
        saved_at=pages.saved_at(page.sitting, page.sitting.request.last_saved_at), **more,
    )  # fmt: skip


@bp.post("/respond/<reference>/sections/<questionnaire_id>/<section_id>")
@access.open_to_respondent
def save_section(reference: str, questionnaire_id: str, section_id: str) -> ResponseReturnValue:
    """Save the whole page: what is right is saved, what is not is shown again as it was typed."""
    stored_files = uploads.store_all(reference)
    with edge.writing() as session:
        sitting = respondent.load(session, reference, for_update=True)
        page = _open(session, sitting, questionnaire_id, section_id, whole=True)  # files may go to any question
        if not sitting.has_started:
            return redirect(url_for(".start", reference=reference), 303)
        responses.check_open(sitting.request, now=edge.now())
        by = sittings.actor(session, sitting)
        if uploads.change(session, sitting, page.draft, stored_files, by=by):
            page = replace(page, draft=responses.load(session, sitting.request))
        result = saving.save_all(session, sitting, page.draft, page.place.section.questions, by=by)
        after = result.saved.draft
        page = replace(page, draft=after, places=pages.places(reference, after))
        page = replace(page, place=pages.place_of(page.places, page.place.section))
        problems = [*result.problems, *stored_files.problems]
        if problems:
            body = _render(page, {**result.controls, **uploads.wrong(page.draft, stored_files, result.controls)},
                           errors=problems)  # fmt: skip
        onward = _onward(page, reference)
    if problems:
        return make_response(body, 409 if result.saved.conflicts else max(422, stored_files.status))
    return redirect(onward, 303)


def _onward(page: _Page, reference: str) -> str:
    """Where the pressed button leads."""
    for button in ("rows", "remove-file", "stay"):
        question_id = request.form.get(button, "").split(":")[0]
        if question_id in {question.id for question in page.place.section.questions}:
            return f"{page.place.url}#q-{question_id}-question"
    if request.form.get("then") == "sections":
        return url_for(".tasks", reference=reference)
    if request.form.get("then") == "here":
        return page.place.url
    following = [place for place in page.places[page.place.number :] if place.progress.visible]
    return following[0].url if following else url_for(".check", reference=reference)


@bp.get("/respond/<reference>/questions/<question_id>")
@access.open_to_respondent
def question(reference: str, question_id: str) -> ResponseReturnValue:
    """The way to one question, from letters and lists that know its id or code only."""
    with edge.reading() as session:
        sitting = respondent.look(session, reference)
        draft = responses.load(session, sitting.request, around=())
        urls = pages.question_urls(pages.places(reference, draft))
    if question_id not in urls:
        raise NotFound("There is no such question in this request.")
    return redirect(urls[question_id], 303)
