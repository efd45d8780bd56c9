"""The answers of a case under review: a list and the chosen question, with the reviewer's word on it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain.errors import InvalidAnswer, NotFound
from vendorrisk.domain.roles import Role
from vendorrisk.services.answering import evidence
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Heading
from vendorrisk.services.reviewing import answer_sheets, reviews
from vendorrisk.services.reviewing.answer_sheets import Line, Sheet
from vendorrisk.services.reviewing.reviews import Overtaken
from vendorrisk.web import access, case_words, downloads, edge, readings
from vendorrisk.web import forms as shared
from vendorrisk.web.forms import Problem
from vendorrisk.web.staff import bp
from vendorrisk.web.staff.review_forms import ReviewForm


@bp.context_processor
def _case_words() -> dict[str, Any]:
    return case_words.FOR_TEMPLATES


@bp.get("/assessments/<reference>/answers")
@access.open_to(Role.STAFF, Role.ADMIN)
@readings.shows_answers()
def answers(reference: str) -> ResponseReturnValue:
    """The answers: `q` chooses a question by its code, `show` narrows the list."""
    opened = _open(reference)
    if opened is None:
        return _nothing_yet(reference)
    head, sheet = opened
    show = _show(request.args.get("show", ""))
    code = request.args.get("q", "")
    line = sheet.line(code) if code else _first(sheet, show)
    form = ReviewForm.for_line(line, show) if line is not None and head.can_review else None
    return _page(head, sheet, line, show, form, is_chosen=bool(code))


def _open(reference: str) -> tuple[Heading, Sheet] | None:
    with edge.reading() as session:
        dossier = dossiers.find(session, reference)
        if dossier.request is None:
            return None
        sheet = answer_sheets.open_answers(session, dossier, now=edge.now())
        return dossiers.heading(session, dossier), sheet


def _nothing_yet(reference: str) -> ResponseReturnValue:
    with edge.reading() as session:
        head = dossiers.heading(session, dossiers.find(session, reference))
    return render_template("staff/answers/none.html", head=head)


def _show(typed: str) -> str:
    return typed if typed in answer_sheets.SHOWN else "all"


def _first(sheet: Sheet, show: str) -> Line | None:
    code = sheet.start(show)
    return sheet.line(code) if code else None


def _page(
    head: Heading, sheet: Sheet, line: Line | None, show: str, form: ReviewForm | None, *, is_chosen: bool,
    errors: list[Problem] | None = None, overtaken: str = "",
) -> str:  # fmt: skip
    lines = sheet.chosen(show)
    before, after = sheet.neighbours(line.question.code, show) if line is not None else ("", "")
    return render_template(
        "staff/answers/page.html", head=head, sheet=sheet, sections=sheet.sections(lines), counts=sheet.counts(),
        line=line, show=show, form=form, is_chosen=is_chosen, before=before, after=after, errors=errors or [],
        overtaken=overtaken,
    )  # fmt: skip


@bp.post("/assessments/<reference>/answers/<code>")
@access.open_to(Role.STAFF, Role.ADMIN)
@readings.shows_answers()
def review_answer(reference: str, code: str) -> ResponseReturnValue:
    """Keep a reviewer's word on one answer and go on to the next."""
    opened = _open(reference)
    if opened is None:
        raise NotFound("There is no such question.")
    head, sheet = opened
    line = sheet.line(code)
    form = ReviewForm()
    form.fit(line)
    show = _show(form.show.data or "")
    if not form.validate():
        return _page(head, sheet, line, show, form, is_chosen=True, errors=shared.problems(form)), 422
    try:
        with edge.writing() as session:
            reviews.set_review(
                session, reference, line.question.id, form.change(), answer_version=form.answer_version(),
                seen=form.seen.data or "", by=access.current_actor(), now=edge.now(),
            )  # fmt: skip
    except InvalidAnswer as error:
        form.note.errors = [str(error)]
        return _page(head, sheet, line, show, form, is_chosen=True, errors=shared.problems(form)), 422
    except Overtaken as error:
        return _show_again(reference, code, show, str(error))
    _say_saved(line, form)
    return redirect(_next_address(reference, sheet, code, show), 303)


def _show_again(reference: str, code: str, show: str, sentence: str) -> ResponseReturnValue:
    """The page as things stand now, with what was typed still in the form."""
    opened = _open(reference)
    assert opened is not None
    head, sheet = opened
    line = sheet.line(code)
    form = ReviewForm()
    form.fit(line)
    form.renew(line)
    return _page(head, sheet, line, show, form, is_chosen=True, overtaken=sentence), 409


def _say_saved(line: Line, form: ReviewForm) -> None:
    level = form._fields.get("evidence")
    if level is not None and level.data != "claimed" and not line.has_something_to_look_at:
        word = case_words.EVIDENCE[form.change().evidence][0].lower()
        flash(
            f"{line.question.code} is marked as {word}, but it has no file and no source. Say in the note what "
            "you saw.",
            "warning",
        )
        return
    flash(f"{line.question.code} is reviewed.", "success")


def _next_address(reference: str, sheet: Sheet, code: str, show: str) -> str:
    if request.form.get("stay"):
        return url_for("staff.answers", reference=reference, q=code, show=_in_address(show))
    _, after = sheet.neighbours(code, show)
    waiting = [line.question.code for line in sheet.lines if line.is_left and line.question.code != code]
    following = after if show != "review" else next((c for c in (after, *waiting) if c in waiting), "")
    return url_for("staff.answers", reference=reference, q=following or code, show=_in_address(show))


def _in_address(show: str) -> str | None:
    return show if show != "all" else None


@bp.get("/assessments/<reference>/evidence/<uuid:file_id>")
@access.open_to(Role.STAFF, Role.ADMIN)
def evidence_file(reference: str, file_id: UUID) -> ResponseReturnValue:
    """A file of evidence, to be saved. That it was read is in the trail before its first byte leaves."""
    with edge.writing() as session:
        dossier = dossiers.find(session, reference)
        if dossier.request is None:
            raise NotFound("There is no such file.")
        view = evidence.read(
            session, dossier.request, dossier.key_id, file_id, by=access.current_actor(), now=edge.now()
        )
    with edge.reading() as session:
        chunks = evidence.open_file(session, edge.services().storage, file_id)
        return downloads.attachment(view.name, view.kind, view.size, chunks, is_head=request.method == "HEAD")
