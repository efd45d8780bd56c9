"""The trail in words: who did what, what it was before, and what is sealed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.review_side import NOW
from vendorrisk.db import vault
from vendorrisk.db.models import DataKey, Event, Link, Request
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import ActorKind, EventKind
from vendorrisk.services.auditing import readings, trail
from vendorrisk.services.auditing.trail import Detail
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.services.reviewing import reviews
from vendorrisk.services.reviewing.reviews import Change


@pytest.fixture
def dossier(session: Session) -> Dossier:
    """A case under review with one answer."""
    case, request = review_side.under_review(session)
    builders.add_answer(session, request, "remote_access", "managed", origin=Origin.VENDOR)
    session.flush()
    return dossiers.find(session, case.reference)


def test_every_kind_of_event_and_actor_has_its_words() -> None:
    assert {kind.value for kind in EventKind} - {kind.value for kind in trail.DID} == set()
    assert {kind.value for kind in ActorKind} == set(trail.ACTORS)
    assert all(words and words[0].islower() for words in trail.DID.values())


def test_the_latest_event_stands_first_with_its_details(session: Session, dossier: Dossier) -> None:
    (event, *_), first = trail.of_case(session, dossier, 1).page.items, EventKind.ASSESSMENT_OPENED.value
    assert (event.did, event.who, event.kind_of_actor) == ("saved an answer", "vendorrisk", "service")
    assert Detail("Question", "EX-13") in event.details
    assert trail.of_case(session, dossier, 1).page.items[-1].kind == first


def test_a_change_is_shown_with_what_it_was(session: Session, dossier: Dossier) -> None:
    petra = builders.actor(builders.add_user(session))
    for minute, level in enumerate((EvidenceLevel.CLAIMED, EvidenceLevel.VERIFIED)):
        reviews.set_review(
            session, dossier.case.reference, "remote_access", Change(level), answer_version=1, by=petra,
            now=NOW + timedelta(minutes=minute + 1),
        )  # fmt: skip
    session.flush()
    events = trail.of_case(session, dossier, 1).page.items
    reviewed = next(event for event in events if event.kind == EventKind.ANSWER_REVIEWED.value)
    assert reviewed.who == "Petra Novak"
    assert Detail("Evidence", "verified", "claimed") in reviewed.details


def test_what_is_not_in_the_chain_yet_is_counted(session: Session, dossier: Dossier) -> None:
    events = session.scalars(select(Event).where(Event.object_id == dossier.case.id)).all()
    assert trail.of_case(session, dossier, 1).unsealed == len(events)
    session.add(Link(position=1, event_number=events[0].number, chain=b"c" * 32, sealed_at=NOW))
    session.flush()
    found = trail.of_case(session, dossier, 1)
    assert found.unsealed == len(events) - 1
    assert [event.number for event in found.page.items if event.is_sealed] == [events[0].number]


def test_events_of_other_cases_are_not_shown(session: Session, dossier: Dossier) -> None:
    before = trail.of_case(session, dossier, 1).page.total
    review_side.under_review(session)
    session.flush()
    assert trail.of_case(session, dossier, 1).page.total == before


def test_a_long_trail_comes_in_pages(session: Session, dossier: Dossier) -> None:
    request = session.get_one(Request, dossier.sent.id)
    for _ in range(60):
        builders.add_answer(session, request, "remote_access", "own")
    session.flush()
    first, last = trail.of_case(session, dossier, 1).page, trail.of_case(session, dossier, 99).page
    assert len(first.items) == trail.PAGE_SIZE and first.total > 60
    assert last.number == 2 and {e.number for e in first.items}.isdisjoint(e.number for e in last.items)


def test_details_go_with_the_vendors_key_and_the_events_stay(session: Session, dossier: Dossier) -> None:
    session.get_one(DataKey, dossier.key_id).wrapped = None
    session.flush()
    vault.keyring(session).unwrapped.clear()
    events = trail.of_case(session, dossier, 1).page.items
    assert events and all(event.is_erased and event.details == () for event in events)


def test_reading_is_one_event_in_ten_minutes_for_each_person(session: Session, dossier: Dossier) -> None:
    petra = builders.actor(builders.add_user(session))
    li = builders.actor(builders.add_user(session, "li@acme.example", name="Li"))
    assert not readings.has_read_answers(session, dossier, by=petra, now=NOW)
    readings.note_answers(session, dossier, by=petra, now=NOW)
    session.flush()
    assert readings.has_read_answers(session, dossier, by=petra, now=NOW + timedelta(minutes=9))
    assert not readings.has_read_answers(session, dossier, by=petra, now=NOW + timedelta(minutes=10))
    assert not readings.has_read_answers(session, dossier, by=li, now=NOW)


def test_a_reading_dated_ahead_by_a_wrong_clock_silences_none(session: Session, dossier: Dossier) -> None:
    petra = builders.actor(builders.add_user(session))
    readings.note_answers(session, dossier, by=petra, now=NOW + timedelta(days=30))
    session.flush()
    assert not readings.has_read_answers(session, dossier, by=petra, now=NOW), "the clock was put right"
    readings.note_answers(session, dossier, by=petra, now=NOW)
    session.flush()
    assert readings.has_read_answers(session, dossier, by=petra, now=NOW)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""), (True, "yes"), (False, "no"), (0, "0"), (["a", "b"], "a, b"), ("not_applicable", "not applicable"),
        ({"evidence": "claimed", "odd_key": 1}, "Evidence: claimed; Odd key: 1"),
    ],
)  # fmt: skip
def test_details_are_said_in_words(value: object, words: str) -> None:
    assert trail.said(value) == words
