"""A move that is not allowed is refused in a sentence for people, whatever the states are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest

from vendorrisk.domain import assessment
from vendorrisk.domain.assessment import ASSESSMENT_MOVES, REQUEST_MOVES, AssessmentStatus, RequestStatus
from vendorrisk.domain.errors import WrongState


@pytest.mark.parametrize(
    ("statuses", "moves", "check"),
    [
        (AssessmentStatus, ASSESSMENT_MOVES, assessment.check_assessment_move),
        (RequestStatus, REQUEST_MOVES, assessment.check_request_move),
    ],
)
def test_every_move_is_made_or_refused_in_a_sentence(
    statuses: Any, moves: dict[Any, frozenset[Any]], check: Callable[[Any, Any], None]
) -> None:
    for now, then in itertools.product(statuses, statuses):
        if then in moves[now]:
            check(now, then)
            continue
        with pytest.raises(WrongState) as refused:
            check(now, then)
        assert re.fullmatch(r"[A-Z][a-z ,:]+\.", str(refused.value))


def test_who_sends_too_early_is_told_what_is_missing() -> None:
    with pytest.raises(WrongState, match="The intake of this assessment has to be finished first"):
        assessment.check_assessment_move(AssessmentStatus.INTAKE, AssessmentStatus.SENT)
