"""Scoring a whole submission, against a bare loop of dict look-ups over the same answers."""

from __future__ import annotations

import random
from decimal import Decimal

from bench.measure import Line, side_by_side
from tests.domain.answer_strategies import case
from vendorrisk.domain.scoring import score
from vendorrisk.library import shipped


def lines() -> list[Line]:
    """One line."""
    themes = [q for q in shipped.load().questionnaires.values() if q.id != "intake"]
    submission = case(themes, seed=7)
    answers = submission.answers
    table = {
        (question.id, option.code): (question.weight, option.high or Decimal(0))
        for theme in themes
        for question in theme
        for option in question.options
    }
    keys = list(table)
    random.Random(7).shuffle(keys)

    def bare_loop() -> Decimal:
        total = Decimal(0)
        for theme in themes:
            for question in theme.questions:
                answer = answers.get(question.id)
                code = answer.value if answer is not None else None
                if isinstance(code, str):
                    weight, risk = table[question.id, code]
                    total += weight * risk
        return total

    against = "a loop of dict look-ups, weight times risk"
    return [
        side_by_side("score of 104 questions", lambda: score(submission), against, bare_loop, budget=8, floor_runs=20)
    ]
