"""Files that come with a page: checked and sealed before the transaction, attached in it, deleted after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from vendorrisk.domain.audit import Actor
from vendorrisk.domain.errors import NotFound
from vendorrisk.domain.filetypes import InvalidFile
from vendorrisk.domain.questionnaire import Question, QuestionType
from vendorrisk.services import evidence, responses
from vendorrisk.services.answers import NewAnswer
from vendorrisk.services.evidence import Checked, FileView
from vendorrisk.services.responses import Change, Draft
from vendorrisk.services.seats import Writer
from vendorrisk.services.sittings import Sitting
from vendorrisk.web import edge, question_forms
from vendorrisk.web.forms import Problem
from vendorrisk.web.question_forms import Control
from vendorrisk.web.vendor import pages
from vendorrisk.web.vendor import session as respondent


@dataclass(frozen=True, slots=True)
class Stored:
    """What came with a page: files that were sealed away, and what was wrong with the others."""

    files: list[tuple[str, Checked]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """Names to delete from the storage after the commit, and whether anything about files has changed."""

    storage_names: list[str]
    changed: bool


def store_all(reference: str) -> Stored:
    """Check and seal every file of the page that was sent, each for its question (`q-<id>-files`)."""
    sent = [
        (key.removeprefix("q-").removesuffix("-files"), upload)
        for key in request.files
        for upload in request.files.getlist(key)
        if upload.filename and key.startswith("q-") and key.endswith("-files")
    ]
    stored = Stored()
    if sent:
        with edge.reading() as session:
            sitting = respondent.load(session, reference)
            responses.check_open(sitting.request, now=edge.now())
            draft = responses.load(session, sitting.request)
            for question_id, upload in sent:
                store(session, sitting, pages.question_of(draft, question_id), upload, stored)
    return stored


def store(session: Session, sitting: Sitting, question: Question, upload: FileStorage, stored: Stored) -> None:
    """Check and seal one file; what is wrong with it goes into `stored`."""
    name = upload.filename or ""
    try:
        checked = evidence.check_and_store(
            session, edge.services().storage, sitting.request, sitting.key_id, name, upload.stream.read()
        )
    except InvalidFile as error:
        message = f"“{name[-80:]}”: {error}"
        stored.problems.append((f"q-{question.id}-files", f"{question.code}: {message}"))
        stored.messages[question.id] = message
    else:
        stored.files.append((question.id, checked))


def change(session: Session, sitting: Sitting, draft: Draft, stored: Stored, *, by: Actor) -> Removed:
    """Attach what was stored and take back the file whose "remove" was pressed, in this transaction."""
    attach_all(session, sitting, draft, stored, by=by)
    _, _, pressed = request.form.get("remove-file", "").partition(":")
    names = [remove(session, sitting, draft, pressed, by=by)] if pressed else []
    return Removed(names, bool(stored.files or names))


def attach_all(session: Session, sitting: Sitting, draft: Draft, stored: Stored, *, by: Actor) -> None:
    """Make the stored files part of the request."""
    for question_id, checked in stored.files:
        question = pages.question_of(draft, question_id)
        evidence.attach(session, sitting.request, sitting.key_id, question, checked, by=by, now=edge.now())
    _answer_by_files(session, sitting, draft, {question_id for question_id, _ in stored.files}, by=by)


def remove(session: Session, sitting: Sitting, draft: Draft, file_id: str, *, by: Actor) -> str:
    """Take a file back; returns the name to delete from the storage after the commit."""
    try:
        wanted = UUID(file_id)
    except ValueError:
        raise NotFound("There is no such file.") from None
    view, name = evidence.remove(session, sitting.request, sitting.key_id, wanted, by=by, now=edge.now())
    _answer_by_files(session, sitting, draft, view.question_ids, by=by)
    return name


def _answer_by_files(
    session: Session, sitting: Sitting, draft: Draft, question_ids: Iterable[str], *, by: Actor
) -> None:
    """The answer to a question of type file is the names of its files."""
    asked = [draft.questions[name] for name in question_ids if draft.questions[name].type is QuestionType.FILE]
    if not asked:
        return
    files = evidence.by_question(evidence.of_request(session, sitting.request))
    changes = []
    for question in asked:
        stored = draft.stored.get(question.id)
        names = tuple(file.name for file in files.get(question.id, ()))
        said = NewAnswer(value=names or None, comment=stored.said.comment if stored else "")
        changes.append(Change(question, said, stored.version if stored else 0))
    responses.save(session, sitting, draft, changes, by=by, now=edge.now())


def delete(removed: Removed) -> None:
    """Delete the bytes of removed files: after the commit, so that no row is left without its file."""
    for name in removed.storage_names:
        edge.services().storage.delete(name)


def wrong(draft: Draft, stored: Stored, controls: Mapping[str, Control]) -> dict[str, Control]:
    """The questions whose files were not taken, with the reason."""
    found = {}
    for question_id, message in stored.messages.items():
        question = draft.questions[question_id]
        shown = controls.get(question_id) or question_forms.from_stored(question, draft.stored.get(question_id))
        if not shown.error:
            found[question_id] = replace(shown, error=message, error_at=f"q-{question_id}-files")
    return found


def question_files(session: Session, writer: Writer, question: Question) -> tuple[FileView, ...]:
    """The files behind one question."""
    return evidence.by_question(evidence.of_request(session, writer.request)).get(question.id, ())
