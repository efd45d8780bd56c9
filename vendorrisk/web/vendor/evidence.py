"""Evidence of one question: attaching by script (the section's form does it without), and reading files back."""

from __future__ import annotations

from uuid import UUID

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from vendorrisk.services.answering import evidence, responses, sittings
from vendorrisk.web import access, downloads, drawing, edge
from vendorrisk.web.vendor import bp, pages, uploads
from vendorrisk.web.vendor import session as respondent


@bp.post("/respond/<reference>/evidence/<question_id>")
@access.open_to_respondent
def attach(reference: str, question_id: str) -> ResponseReturnValue:
    """Attach the files that were chosen or dropped; JSON with the question's list drawn anew."""
    stored = uploads.store_all(reference)
    with edge.writing() as session:
        sitting = respondent.load(session, reference, for_update=True)
        responses.check_open(sitting.request, now=edge.now())
        draft = responses.load(session, sitting.request)
        question = pages.question_of(draft, question_id)
        uploads.attach_all(session, sitting, draft, stored, by=sittings.actor(session, sitting))
        files = uploads.question_files(session, sitting, question)
        after = responses.load(session, sitting.request)
    html = drawing.file_list(question, files, reference)
    version = after.stored[question_id].version if question_id in after.stored else 0
    return jsonify(html=html, messages=list(stored.messages.values()), version=version), stored.status


@bp.get("/respond/<reference>/evidence/<uuid:file_id>")
@access.open_to_respondent
def download(reference: str, file_id: UUID) -> ResponseReturnValue:
    """Give a file back to those who sent it."""
    with edge.writing() as session:
        sitting = respondent.load(session, reference)
        by = sittings.actor(session, sitting)
        view = evidence.read(session, sitting.request, sitting.key_id, file_id, by=by, now=edge.now())
    # The event is committed before the first byte leaves.
    with edge.reading() as session:
        chunks = evidence.open_file(session, edge.services().storage, file_id)
        return downloads.attachment(view.name, view.kind, view.size, chunks, is_head=request.method == "HEAD")
