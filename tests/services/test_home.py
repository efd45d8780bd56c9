"""Home: every case is in the group of what it waits for, in a bounded number of statements."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from tests import builders, staff_side, statements
from tests.builders import NOW
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Review
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.services.casework import home


def _in_review(session: Session, name: str, *, reviewed: bool) -> Assessment:
    case = builders.add_assessment(session, builders.add_vendor(session, name), status=AssessmentStatus.REVIEW)
    request = builders.add_request(session, case, status=RequestStatus.SUBMITTED)
    if reviewed:
        case.provisional = False
        session.add(Review(request_id=request.id, question_id="remote_access", answer_version=1, at=NOW))
    session.flush()
    return case


def _groups(session: Session, days: int = 0) -> dict[str, list[str]]:
    shown = home.show(session, now=NOW + timedelta(days=days))
    return {group.key: [row.vendor for row in group.rows] for group in shown.groups}


def test_an_empty_service_has_no_vendors_and_no_groups(session: Session) -> None:
    shown = home.show(session, now=NOW)
    assert (shown.has_vendors, shown.groups, shown.waiting) == (False, (), 0)
    builders.add_vendor(session)
    assert home.show(session, now=NOW).has_vendors


def test_cases_stand_where_they_wait(session: Session) -> None:
    petra = builders.add_user(session)
    builders.add_assessment(session, builders.add_vendor(session, "Unfinished"), owner=petra)
    staff_side.ready(session, petra, "Ready")
    staff_side.send(session, staff_side.ready(session, petra, "Out"), petra)
    staff_side.refuse_letters(session, staff_side.send(session, staff_side.ready(session, petra, "Bounced"), petra))
    _in_review(session, "Arrived", reviewed=False)
    _in_review(session, "Looked at", reviewed=True)
    builders.add_assessment(session, builders.add_vendor(session, "Done"), status=AssessmentStatus.DECIDED)
    assert _groups(session) == {
        "undelivered": ["Bounced"], "review": ["Arrived"], "decide": ["Looked at"], "ready": ["Ready"],
        "intake": ["Unfinished"], "decided": ["Done"],
    }  # fmt: skip
    later = _groups(session, days=20)
    assert later["overdue"] == ["Out"] and later["undelivered"] == ["Bounced"]
    assert "decided" not in _groups(session, days=31)
    assert home.show(session, now=NOW).waiting == 5


def test_home_shows_six_of_a_group_and_counts_the_rest(database: Database) -> None:
    with database.writing() as session:
        for number in range(9):
            builders.add_assessment(session, builders.add_vendor(session, f"Vendor {number}"))
    with database.reading() as session, statements.sent(database) as seen:
        (group,) = home.show(session, now=NOW).groups
    assert (len(group.rows), group.total, group.more) == (6, 9, 3)
    assert len(seen) <= 9
