"""Saving one answer opens few of the others, and must come to what opening all of them comes to."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders, strategies
from tests.databases import ON_SQLITE
from tests.domain import answer_strategies
from vendorrisk.db.engine import Database
from vendorrisk.domain.questionnaire import Question, Questionnaire, QuestionType
from vendorrisk.services.answering import responses, sittings
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.answering.responses import Change, Draft
from vendorrisk.services.answering.seats import Seat, take
from vendorrisk.services.sending import invitations

NOW = builders.NOW
_VALUED = (QuestionType.YES_NO, QuestionType.CHOICE, QuestionType.CHOICES)


def _said(question: Question, chance: Random) -> NewAnswer:
    kind = chance.choice(["value", "value", "value", "nothing", "unknown", "na"])
    if kind == "value" and question.type in _VALUED:
        return NewAnswer(answer_strategies.value(question, chance))
    if kind == "na":
        return NewAnswer(not_applicable="not part of this service")
    return NewAnswer(unknown=kind == "unknown")


def _start(database: Database, asked: list[Questionnaire]) -> tuple[str, str]:
    with database.writing() as session:
        request = builders.add_request(session, questionnaires=asked)
        link = invitations.find(session, builders.add_link(session, request), now=NOW)
        assert link is not None
        return request.reference, sittings.start(session, link, now=NOW)


def _save(database: Database, visit: tuple[str, str], question_id: str, chance: Random) -> Draft:
    with database.writing() as session:
        seat: Seat = take(session, *visit, now=NOW)
        draft = responses.load(session, seat.request, around=[question_id])
        stored = draft.stored.get(question_id)
        question = draft.questions[question_id]
        change = Change(question, _said(question, chance), stored.version if stored else 0)
        return responses.save(session, seat, draft, [change], by=sittings.actor(session, seat), now=NOW).draft


@ON_SQLITE
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.tuples(strategies.questionnaires(prefix="qa"), strategies.questionnaires(prefix="qb")), st.integers(0, 10**6))
def test_saves_one_by_one_count_and_show_what_the_whole_draft_does(
    database: Database, asked: tuple[Questionnaire, Questionnaire], seed: int
) -> None:
    chance, visit = Random(seed), _start(database, list(asked))
    names = [question.id for each in asked for question in each]
    for _ in range(5):
        light = _save(database, visit, chance.choice(names), chance)
        with database.reading() as session:
            sitting = sittings.find(session, *visit, now=NOW)
            whole = responses.load(session, sitting.request)
            assert (light.visible, light.said, light.progress) == (whole.visible, whole.said, whole.progress)
            kept = sitting.request.answered, sitting.request.visible
            assert kept == (whole.progress.answered, whole.progress.visible)
