"""Saving and sending under pressure, on both databases: one wins, the others hear of it, nothing is miscounted."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import builders
from tests.services.test_invitations import together
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Answer, Event, Request
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.errors import WrongState
from vendorrisk.services import copies
from vendorrisk.services.answering import answer_rows, responses, sittings, submissions
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.answering.responses import Change, Saved
from vendorrisk.services.sending import invitations
from vendorrisk.settings import Settings

NOW = builders.NOW


@pytest.fixture
def visit(database: Database) -> tuple[str, str]:
    """Reference and cookie of a browser that may answer."""
    with database.writing() as session:
        case = builders.add_assessment(session, status=AssessmentStatus.READY)
        request = builders.add_request(session, case)
        link = invitations.find(session, builders.add_link(session, request), now=NOW)
        assert link is not None
        return request.reference, sittings.start(session, link, now=NOW)


def save(database: Database, visit: tuple[str, str], question_id: str, value: str, version: int) -> Saved:
    with database.writing() as session:
        sitting = sittings.find(session, *visit, now=NOW, for_update=True)
        draft = responses.load(session, sitting.request)
        change = Change(draft.questions[question_id], NewAnswer(value), version)
        return responses.save(session, sitting, draft, [change], by=sittings.actor(session, sitting), now=NOW)


def request_of(session: Session, reference: str) -> Request:
    return session.scalars(select(Request).where(Request.reference == reference)).one()


def test_of_twenty_saves_over_one_version_one_wins(database: Database, visit: tuple[str, str]) -> None:
    save(database, visit, "remote_access", "no", 0)
    values = ["managed", "own"] * 10
    outcomes = together(20, lambda n: bool(save(database, visit, "remote_access", values[n], 1).saved))
    assert outcomes.count(True) == 1
    with database.reading() as session:
        request = request_of(session, visit[0])
        questions = copies.questions_by_id(copies.questionnaires(session, request.copies))
        stored = answer_rows.load(session, request, questions)
        assert stored["remote_access"].version == 2
        saves = select(func.count()).where(Event.kind == "answer.saved")
        assert session.scalar(saves) == 2


@pytest.mark.parametrize("version", [7, -1])
def test_another_version_of_an_answer_that_nobody_gave_changes_nothing(
    database: Database, visit: tuple[str, str], version: int
) -> None:
    result = save(database, visit, "remote_access", "no", version)
    assert (result.saved, dict(result.conflicts)) == ((), {"remote_access": None})
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 0
        assert session.scalar(select(func.count()).where(Event.kind == "answer.saved")) == 0


def test_saves_at_once_of_different_answers_are_all_counted(database: Database, visit: tuple[str, str]) -> None:
    save(database, visit, "remote_access", "own", 0)
    asked = ("own_devices_checked", "remote_access_logged")
    together(2, lambda n: save(database, visit, asked[n], "yes", 0))
    with database.reading() as session:
        request = request_of(session, visit[0])
        assert (request.answered, request.visible) == (3, 3)


def submit(database: Database, visit: tuple[str, str], settings: Settings, name: str) -> str:
    with database.writing() as session:
        sitting = sittings.find(session, *visit, now=NOW, for_update=True)
        draft = responses.load(session, sitting.request)
        by = sittings.actor(session, sitting)
        sent = submissions.submit(session, sitting, draft, name, "CEO", settings=settings, by=by, now=NOW)
        return sent.digest


def test_fifty_submissions_at_once_are_one(database: Database, visit: tuple[str, str], settings: Settings) -> None:
    save(database, visit, "remote_access", "no", 0)
    digests = together(50, lambda n: submit(database, visit, settings, f"Name {n}"))
    assert len(set(digests)) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(Event.kind == "request.submitted")) == 1
        assert session.scalar(select(func.count()).where(Event.kind == "score.computed")) == 1
        request = request_of(session, visit[0])
        assert submissions.of(session, request).digest == request.submission_hash


def test_the_hash_changes_with_any_answer_and_not_with_hidden_ones(session: Session, settings: Settings) -> None:
    digests = []
    for number, (value, hidden) in enumerate((("no", ""), ("no", "yes"), ("managed", ""))):
        case = builders.add_assessment(session, status=AssessmentStatus.READY)
        request = builders.add_request(session, case)
        builders.add_answer(session, request, "remote_access", value)
        if hidden:
            builders.add_answer(session, request, "own_devices_checked", hidden)
        draft = responses.load(session, request)
        receipt = submissions._receipt(draft, (), "Victor", "CEO")
        request.reference = "R-SAME"
        digests.append(submissions._digest(request, draft, (), receipt, now=NOW))
        request.reference = f"R-SAME{number}"
        assert receipt.hidden == (1 if hidden else 0)
    assert digests[0] == digests[1] != digests[2]


def test_nothing_is_saved_or_sent_after_closing(database: Database, visit: tuple[str, str], settings: Settings) -> None:
    with database.writing() as session:
        request_of(session, visit[0]).status = RequestStatus.WITHDRAWN
    with pytest.raises(WrongState):
        save(database, visit, "remote_access", "no", 0)
    with pytest.raises(WrongState):
        submit(database, visit, settings, "Victor")
