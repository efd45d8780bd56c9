"""Random answers to any questionnaire, for the properties of the score."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random

from hypothesis import strategies as st

from tests.domain.make import TODAY
from vendorrisk.domain.answers import Answer, EvidenceLevel, Value
from vendorrisk.domain.questionnaire import Question, Questionnaire, QuestionType
from vendorrisk.domain.scoring import Case

inherents = st.integers(0, 1000).map(lambda tenths: Decimal(tenths) / 10)


def value(question: Question, chance: Random) -> Value:
    """A value by option codes, as the score command takes it."""
    codes = [option.code for option in question.options]
    if not codes:
        return "some text"
    if question.type is not QuestionType.CHOICES:
        return chance.choice(codes)
    together = [option.code for option in question.options if not option.exclusive]
    if not together or chance.random() < 0.3:
        return (chance.choice(codes),)
    return tuple(sorted(chance.sample(together, chance.randint(1, len(together)))))


def answer(question: Question, chance: Random) -> Answer:
    """One answer: a value, "not applicable" (approved or not), "do not know" or nothing."""
    kind = chance.choice(["value"] * 7 + ["na", "unknown", "nothing"])
    answered_on = TODAY - timedelta(days=chance.choice([0, 100, 365, 400, 730, 731]))
    if kind == "na" and question.na_allowed:
        approved = chance.random() < 0.5
        return Answer(not_applicable="not part of the service", approved=approved, answered_on=answered_on)
    if kind == "unknown":
        return Answer(unknown=True, answered_on=answered_on)
    if kind == "nothing":
        return Answer(answered_on=answered_on)
    return Answer(
        value(question, chance), evidence=chance.choice(list(EvidenceLevel)), answered_on=answered_on,
        contradicted=chance.random() < 0.1,
    )  # fmt: skip


def case(questionnaires: Sequence[Questionnaire], seed: int) -> Case:
    """A case over the questionnaires, all of it following from the seed; now and then a question has no answer."""
    chance = Random(seed)
    given = {
        question.id: answer(question, chance)
        for questionnaire in questionnaires
        for question in questionnaire
        if chance.random() < 0.95
    }
    return Case(tuple(questionnaires), given, Decimal(chance.randint(0, 1000)) / 10, TODAY)


def cases(questionnaires: Sequence[Questionnaire]) -> st.SearchStrategy[Case]:
    """Random cases. Drawn from a seed: a hundred drawn answers would cost hypothesis more than scoring them."""
    return st.integers(0, 2**32).map(lambda seed: case(questionnaires, seed))
