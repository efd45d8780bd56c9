"""The score page: every figure explained, contradictions set aside with a reason, nothing claimed that is not so."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import builders, review_side
from tests.application import Clock
from tests.cast import Cast, SignIn
from tests.review_side import REASON
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Dismissal
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.services.reviewing import reviews


def words(page: str) -> str:
    """What a page says, without its markup."""
    text = re.sub(r"(?s)<(script|style)[^>]*>.*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def founding(database: Database) -> str:
    """The reference of Clearview AI's case."""
    with database.writing() as session:
        return review_side.clearview(session).reference


@pytest.fixture
def evasive(database: Database) -> str:
    """Nothing happened, and an event is listed."""
    with database.writing() as session:
        case, request = review_side.under_review(session, "breach-history")
        theme = review_side.themes("breach-history")[0]
        for code, said in {"BH-01": "yes", "BH-02": "no", "BH-03": "listed"}.items():
            builders.add_answer(session, request, theme.by_code[code].id, said)
        return case.reference


def page(client: FlaskClient, case: str) -> str:
    """The score page."""
    answer = client.get(f"/assessments/{case}/score")
    assert answer.status_code == 200
    return answer.text


def test_the_band_is_a_shape_and_a_word_and_no_probability(petra: FlaskClient, founding: str) -> None:
    shown = page(petra, founding)
    assert re.search(r'class="band band-large band-critical"><svg[^>]*class="shape".*?<span>Critical</span>', shown)
    assert "This is a review priority, not a probability." in shown


def test_the_formula_stands_there_with_its_own_figures(petra: FlaskClient, founding: str) -> None:
    said = words(page(petra, founding))
    assert "residual = 84.7 × (1 − 0.9 × 2.6 / 100) = 82.7" in said
    assert "The weakest theme rules: control effectiveness = the lowest of" in said
    assert "The open flags allow no better than Critical in tier 1" in said
    assert "Mean, for sorting only" in said and "Evidence gap:" in said


def test_the_working_names_every_question_and_ends_in_the_score(petra: FlaskClient, founding: str) -> None:
    shown = page(petra, founding)
    said = words(shown)
    found = re.findall(r"100 × ([\d.]+) / (\d+) = ([\d.]+)", said)
    assert len(found) == 3
    for total, weight, score in found:
        assert abs(100 * float(total) / int(weight) - float(score)) < 0.06
    assert "DS-02 Not answered: counts as the worst" in said
    assert shown.count('class="working"') == 3


def test_why_the_score_is_provisional_is_said(petra: FlaskClient, founding: str) -> None:
    said = words(page(petra, founding))
    assert "The score is provisional" in said and "questions without an answer: DS-02, DS-03" in said


def test_flags_say_why_they_are_up(petra: FlaskClient, founding: str) -> None:
    said = words(page(petra, founding))
    assert "Set off by the answer: “Yes, and the collection or use goes on”" in said
    assert "Not answered: the worst possible answer is assumed" in said


def test_what_would_help_most_and_whether_the_band_holds(petra: FlaskClient, founding: str) -> None:
    shown = page(petra, founding)
    rows = re.search(r"(?s)Questions with most to gain.*?</table>", shown)
    assert rows is not None and rows[0].count("<tr>") == 6
    assert "The band holds: it stays Critical" in words(shown)


def test_the_hashes_say_what_it_rests_on(petra: FlaskClient, founding: str) -> None:
    said = words(page(petra, founding))
    assert "Method version 1.0" in said and "As of 30 Jun 2026" in said
    assert len(re.findall(r"\b[0-9a-f]{64}\b", said)) == 4


def test_a_contradiction_is_set_aside_with_a_reason(petra: FlaskClient, database: Database, evasive: str) -> None:
    shown = page(petra, evasive)
    assert "An event is listed, yet no event is said to have happened" in shown
    assert "answers contradicted by others: BH-02, BH-03" in words(shown)
    hidden = dict(re.findall(r'<input type="hidden" name="(key|seen)" value="([^"]+)"', shown))
    url = f"/assessments/{evasive}/score/contradictions"
    sent = {**hidden, "csrf_token": builders.token_in(shown)}
    refused = petra.post(url, data={**sent, "reason": "too short"})
    assert refused.status_code == 422
    assert "at least 15 characters" in refused.text and ">\ntoo short</textarea>" in refused.text
    assert petra.post(url, data={**sent, "reason": REASON}).status_code == 303
    said = words(page(petra, evasive))
    assert "Set aside C-02/BH-03" in said and REASON in said and "Petra Novak" in said
    assert petra.post(url, data={**sent, "reason": REASON}).status_code == 409, "it does not stand any more"


def test_a_contradiction_of_other_answers_is_not_set_aside(
    petra: FlaskClient, database: Database, evasive: str
) -> None:
    shown = page(petra, evasive)
    sent = {"key": "C-02/BH-03", "seen": "0" * 64, "reason": REASON, "csrf_token": builders.token_in(shown)}
    assert petra.post(f"/assessments/{evasive}/score/contradictions", data=sent).status_code == 409
    with database.reading() as session:
        assert session.scalars(select(Dismissal)).all() == []


def test_a_score_that_hangs_on_one_weight_says_so(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        case, request = review_side.under_review(session, inherent="20", tier=3)
        builders.add_answer(session, request, "remote_access", "own")
        reference = case.reference
    said = words(page(petra, reference))
    assert "The band holds" in said or "The band hangs on" in said


def test_everything_not_applicable_is_not_assessed(petra: FlaskClient, database: Database, cast: Cast) -> None:
    with database.writing() as session:
        case, request = review_side.under_review(session)
        builders.add_answer(session, request, "remote_access", not_applicable="There are no offices at all.")
        reviews.set_review(
            session, case.reference, "remote_access", reviews.Change(na_approved=True), answer_version=1,
            by=builders.actor(cast.petra), now=review_side.NOW,
        )  # fmt: skip
        reference = case.reference
    shown = page(petra, reference)
    assert "Not assessed" in shown and "There is nothing to assess" in shown


def test_before_sending_there_is_no_score(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        case = builders.add_assessment(session, status=AssessmentStatus.READY).reference
    assert "Nothing has been sent yet" in page(petra, case)


def test_while_the_vendor_answers_it_is_a_draft(petra: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        request = builders.add_request(session, status=RequestStatus.OPEN)
        case = session.get_one(Assessment, request.assessment_id).reference
    assert "this is how it would stand now" in page(petra, case)


def test_a_decided_score_stays_as_it_was(
    sign_in: SignIn, database: Database, cast: Cast, clock: Clock, founding: str
) -> None:
    with database.writing() as session:
        case = session.scalar(select(Assessment).where(Assessment.reference == founding))
        assert case is not None
        review_side.decide(session, case, cast.petra)
    clock.advance(days=20)
    said = words(page(sign_in(cast.petra), founding))
    assert "Frozen on 30 Jun 2026" in said and "As of 30 Jun 2026 , frozen with the decision" in said
