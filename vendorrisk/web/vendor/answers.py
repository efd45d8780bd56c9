"""Autosave: one answer, one save, one version; a conflict comes back with both texts."""

from __future__ import annotations

from typing import Any

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from vendorrisk.domain import progress as counting
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services.answering import answers, responses, sittings
from vendorrisk.services.answering.responses import Draft
from vendorrisk.services.answering.seats import Seat
from vendorrisk.web import access, drawing, edge, question_forms
from vendorrisk.web.question_forms import Control
from vendorrisk.web.vendor import bp, pages, saving, uploads
from vendorrisk.web.vendor import session as respondent


@bp.post("/respond/<reference>/answers/<question_id>")
@access.open_to_respondent
def save_answer(reference: str, question_id: str) -> ResponseReturnValue:
    """Save one answer out of its form fields; JSON for the page's script."""
    with edge.writing() as session:
        seat = respondent.take_seat(session, reference)
        draft = responses.load(session, seat.request, around=[question_id])
        question = draft.questions[question_id]
        by = sittings.actor(session, seat)
        result = saving.save_all(session, seat, draft, [question], by=by)
        control = result.controls.get(question_id)
        if control is not None and control.clash is not None:
            return jsonify(_conflict(control)), 409
        if control is not None:
            return jsonify(message=control.error, at=control.error_at), 422
        return jsonify(_saved(session, seat, question, result.saved.draft))


def _conflict(control: Control) -> dict[str, Any]:
    assert control.clash is not None
    return {
        "version": control.version, "theirs": control.clash.theirs, "mine": control.clash.mine,
        "by": control.clash.by, "at": control.clash.at,
        "card": render_template("questions/clash.html", control=control),
    }  # fmt: skip


def _saved(session: Session, seat: Seat, question: Question, draft: Draft) -> dict[str, Any]:
    """What the page needs after a save. `html` is the question drawn anew, where the answer is not what was typed."""
    reference = seat.request.reference
    stored = draft.stored.get(question.id)
    places = pages.places(reference, draft)
    place = pages.place_with(places, question)
    following = pages.next_unanswered(places, draft, place.number)
    said = answers.as_domain({question.id: stored}) if stored else {}
    state = counting.state_of(question, said.get(question.id), draft.visible)
    answer: dict[str, Any] = {
        "version": stored.version if stored else 0, "state": state.value,
        "seen": question_forms.digest(question, stored.said if stored else question_forms.NOTHING),
        "saved_at": pages.saved_at(seat, stored.saved_at if stored else None),
        "visible": [q.id for q in place.section.questions if q.id in draft.visible],
        "answered": draft.progress.answered, "total": draft.progress.visible,
        "section": {"number": place.number, "answered": place.progress.answered, "total": place.progress.visible,
                    "state": place.state},
        "next": {"code": following.code, "url": following.url} if following else None,
    }  # fmt: skip
    if question_forms.name(question, "keep") in request.form:
        answer["html"] = _drawn(session, seat, question, draft, place)
    return answer


def _drawn(session: Session, seat: Seat, question: Question, draft: Draft, place: pages.Place) -> str:
    files = {question.id: uploads.question_files(session, seat, question)}
    drawn = next(c for c in pages.controls(place, draft, files) if c.question.id == question.id)
    return drawing.question(drawn, seat.request.reference)
