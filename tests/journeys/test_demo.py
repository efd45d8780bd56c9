"""The demonstration's data, as a newcomer sees it: above all, the two acceptance cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.cli import demo
from vendorrisk.db.models import Assessment, Letter, Report, Request, Vendor
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import AssessmentStatus, Origin, RequestStatus, WorkState
from vendorrisk.domain.chain import Finding
from vendorrisk.domain.flags import FlagKind
from vendorrisk.domain.questionnaire import FlagLevel
from vendorrisk.services import copies
from vendorrisk.services.answering import answer_rows, scores
from vendorrisk.services.answering.scores import StoredScore
from vendorrisk.services.auditing import trail_checks
from vendorrisk.services.auditing.trail_checks import Anchored
from vendorrisk.services.casework import vendors
from vendorrisk.services.operating import opening
from vendorrisk.services.sending import invitations
from vendorrisk.settings import Settings

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

CRITICAL = {"DS-06", "DS-12", "DS-14", "CL-19"}
HIGH = {"DS-01", "DS-05", "DS-07", "DS-11", "DS-15", "DS-16", "DS-17", "DS-26", "BH-17", "BH-18", "BH-19", "CL-21",
        "CL-26", "CL-28"}  # fmt: skip
MEDIUM = {"DS-04", "DS-25", "BH-04", "BH-15", "BH-16", "BH-24", "BH-34", "CL-04", "CL-20", "CL-24", "CL-25", "CL-27"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    """The demonstration's folder, filled."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    settings = Settings.from_env(demo.environ({}, folder))
    demo.make(settings, folder, now=NOW)
    return settings, folder


@pytest.fixture
def seen(made: tuple[Settings, Path]) -> Iterator[Session]:
    """A look into its database."""
    database = opening.database(made[0])
    with database.reading() as session:
        yield session
    database.close()


def case_of(session: Session, name: str) -> Assessment:
    """The case of the vendor whose name begins like this."""
    found = [v for v in session.scalars(select(Vendor)) if vendors.name_of(session, v).startswith(name)]
    assert len(found) == 1, name
    return session.scalars(select(Assessment).where(Assessment.vendor_id == found[0].id)).one()


def score_of(session: Session, name: str) -> StoredScore:
    stored = scores.latest(session, case_of(session, name).id)
    assert stored is not None
    return stored


def answered_with(stored: StoredScore, level: FlagLevel) -> set[str]:
    """Codes of the questions whose answers carry a flag of this level."""
    return {f.question for f in stored.score.flags if f.level is level and f.kind is FlagKind.ANSWER}


def test_clearview_fires_every_flag_that_it_must(seen: Session) -> None:
    stored = score_of(seen, "Clearview AI")
    assert stored.score.band.value == "Critical"
    assert stored.score.tier == 1
    assert answered_with(stored, FlagLevel.CRITICAL) == CRITICAL
    assert answered_with(stored, FlagLevel.HIGH) == HIGH
    assert answered_with(stored, FlagLevel.MEDIUM) >= MEDIUM
    assert stored.working.hits == ()


def test_every_answer_of_clearview_names_a_public_source(seen: Session) -> None:
    request = seen.scalars(select(Request).where(Request.assessment_id == case_of(seen, "Clearview AI").id)).one()
    questions = copies.questions_by_id(copies.questionnaires(seen, request.copies))
    stored = answer_rows.load(seen, request, questions)
    assert len(stored) == 39
    assert {answer.origin for answer in stored.values()} == {Origin.PUBLIC}
    assert all(answer.said.source.startswith("https://") for answer in stored.values())


def test_larkfield_is_low_without_a_flag(seen: Session) -> None:
    stored = score_of(seen, "Larkfield")
    themes = {t.questionnaire_id: round(float(t.score.assured), 1) for t in stored.score.themes if t.score}
    assert themes == {"data-sourcing": 84.6, "breach-history": 83.7, "customer-list-protection": 85.1}
    assert stored.score.residual is not None
    assert round(float(stored.score.residual.assured), 1) == 7.9
    assert (stored.score.band.value, stored.score.flags, stored.score.provisional) == ("Low", (), False)
    levels = {mark.evidence for theme in stored.score.themes for mark in theme.marks}
    assert levels == {EvidenceLevel.EVIDENCED, EvidenceLevel.VERIFIED}


def test_a_contradiction_waits_for_the_reviewer(seen: Session) -> None:
    assert [hit.key for hit in score_of(seen, "Blue Heron").working.hits] == ["C-12"]


def test_there_are_vendors_in_every_state(seen: Session) -> None:
    assert set(seen.scalars(select(Assessment.status))) == set(AssessmentStatus)
    sent = set(seen.scalars(select(Request.status)))
    assert sent == {RequestStatus.SENT, RequestStatus.OPEN, RequestStatus.SUBMITTED}
    assert WorkState.FAILED in set(seen.scalars(select(Letter.state)))


def test_the_printed_link_lives(made: tuple[Settings, Path], seen: Session) -> None:
    notes = (made[1] / "demo.json").read_text(encoding="utf-8")
    token = notes.split("/q/")[1].split('"')[0]
    link = invitations.find(seen, token, now=NOW)
    assert link is not None
    assert 30 < link.request.answered < link.request.visible


def test_the_reports_say_how_far_a_trail_goes_in_which_nothing_is_out_of_order(made: tuple[Settings, Path]) -> None:
    database = opening.database(made[0])
    findings: list[Finding] = []
    with database.reading() as session:
        outcome = trail_checks.of_database(session, Anchored(), (), findings.append)
        reports = session.scalars(select(Report)).all()
    database.close()
    assert (findings, outcome.heads) == ([], len(reports))
    assert {report.head_position for report in reports} == {outcome.position}
