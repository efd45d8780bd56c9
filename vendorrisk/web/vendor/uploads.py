"""Files that come with a page: checked and stored before its transaction, attached in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from vendorrisk import antivirus
from vendorrisk.db import vault
from vendorrisk.domain.audit import Actor
from vendorrisk.domain.errors import InvalidFile, NotFound
from vendorrisk.domain.questionnaire import Question, QuestionType
from vendorrisk.services.answering import checked_files, evidence, responses
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.answering.checked_files import Checked, Infected, NotScanned
from vendorrisk.services.answering.evidence import FileView
from vendorrisk.services.answering.responses import Change, Draft
from vendorrisk.services.answering.seats import Writer
from vendorrisk.services.answering.sittings import Sitting
from vendorrisk.web import edge, question_forms
from vendorrisk.web.forms import Problem
from vendorrisk.web.question_forms import Control
from vendorrisk.web.vendor import pages
from vendorrisk.web.vendor import session as respondent


@dataclass(frozen=True, slots=True)
class Stored:
    """What came with a page: files that were sealed away, and what was wrong with the others, each by its question."""

    files: list[tuple[str, Checked]] = field(default_factory=list)
    infected: list[tuple[str, Infected]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    unscanned: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The status of the answer, as far as the files are concerned."""
        return 503 if self.unscanned else 422 if self.messages else 200


def store_all(reference: str) -> Stored:
    """Check and seal every file of the page that was sent, each for its question (`q-<id>-files`)."""
    sent = [
        (key.removeprefix("q-").removesuffix("-files"), upload)
        for key in request.files
        for upload in request.files.getlist(key)
        if upload.filename and key.startswith("q-") and key.endswith("-files")
    ]
    stored = Stored()
    if not sent:
        return stored
    with edge.reading() as session:
        sitting = respondent.load(session, reference)
        responses.check_open(sitting.request, now=edge.now())
        draft = responses.load(session, sitting.request)
    checked = [
        (question, file)
        for question_id, upload in sent
        if (file := _check(question := pages.question_of(draft, question_id), upload, stored)) is not None
    ]
    if checked:
        _store(reference, checked, stored)
    return stored


def _check(question: Question, upload: FileStorage, stored: Stored) -> Checked | None:
    """One file, checked and scanned; what is wrong with it goes into `stored`."""
    name = upload.filename or ""
    scanner = antivirus.open_scanner(edge.services().settings.clamav)
    try:
        return checked_files.check(name, upload.stream.read(), scanner=scanner, now=edge.now())
    except InvalidFile as error:
        _refuse(question, name, error, stored)
        return None


def _refuse(question: Question, name: str, error: InvalidFile, stored: Stored) -> None:
    message = f"“{name[-80:]}”: {error}"
    stored.problems.append((f"q-{question.id}-files", f"{question.code}: {message}"))
    stored.messages[question.id] = f"{stored.messages.get(question.id, '')}\n{message}".strip()
    if isinstance(error, Infected):
        stored.infected.append((question.id, error))
    if isinstance(error, NotScanned):
        stored.unscanned.append(question.id)


def _store(reference: str, checked: list[tuple[Question, Checked]], stored: Stored) -> None:
    """Enter the names and commit, then store the bytes: a crash leaves nothing unknown (services/files.py)."""
    with edge.writing() as session:
        sitting = respondent.load(session, reference, for_update=True)
        for question, file in checked:
            beside = [other for _, other in stored.files]
            try:
                evidence.reserve(session, sitting.request, file, beside=beside, now=edge.now())
            except InvalidFile as error:
                _refuse(question, file.name, error, stored)
            else:
                stored.files.append((question.id, file))
        key_id, key = sitting.key_id, vault.data_key(session, sitting.key_id)
    for _, file in stored.files:
        evidence.store(edge.services().storage, key_id, key, file)


def change(session: Session, sitting: Sitting, draft: Draft, stored: Stored, *, by: Actor) -> bool:
    """Attach what was stored and take back the file whose "remove" was pressed; whether anything has changed."""
    attach_all(session, sitting, draft, stored, by=by)
    _, _, pressed = request.form.get("remove-file", "").partition(":")
    if pressed:
        remove(session, sitting, draft, pressed, by=by)
    return bool(stored.files or pressed)


def attach_all(session: Session, sitting: Sitting, draft: Draft, stored: Stored, *, by: Actor) -> None:
    """Make the stored files part of the request, and note those with a virus."""
    for entry in list(stored.files):
        question, checked = pages.question_of(draft, entry[0]), entry[1]
        try:
            evidence.attach(session, sitting.request, sitting.key_id, question, checked, by=by, now=edge.now())
        except InvalidFile as error:  # another sending was faster
            stored.files.remove(entry)
            _refuse(question, checked.name, error, stored)
    for question_id, infected in stored.infected:
        question = pages.question_of(draft, question_id)
        evidence.note_refusal(session, sitting.request, sitting.key_id, question, infected, by=by, now=edge.now())
    _answer_by_files(session, sitting, draft, {question_id for question_id, _ in stored.files}, by=by)


def remove(session: Session, sitting: Sitting, draft: Draft, file_id: str, *, by: Actor) -> None:
    """Take a file back."""
    try:
        wanted = UUID(file_id)
    except ValueError:
        raise NotFound("There is no such file.") from None
    view = evidence.remove(session, sitting.request, sitting.key_id, wanted, by=by, now=edge.now())
    _answer_by_files(session, sitting, draft, view.question_ids, by=by)


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
