"""The outbox: when a letter is tried again, when it is given up, and what the pages and the trail say of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import builders
from tests.mail.letters import letter
from vendorrisk.db import vault
from vendorrisk.db.models import DataKey, Event, Letter, Request, Vendor
from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.services import work
from vendorrisk.services.letters import outbox
from vendorrisk.services.letters.outbox import LEASE, PAUSES, Parcel


def put(session: Session, now: datetime, request: Request | None = None, kind: str = "access_code") -> Letter:
    if request is None:
        return outbox.put(session, letter(kind), kind=kind, now=now)
    key_id = session.get_one(Vendor, request.vendor_id).key_id
    return outbox.put(session, letter(kind), kind=kind, key_id=key_id, request_id=request.id, now=now)


def take(session: Session, row: Letter, now: datetime) -> Parcel:
    parcel = outbox.take(session, row.id, now=now)
    assert parcel is not None
    return parcel


def events(session: Session) -> list[tuple[str, str, UUID, dict[str, Any]]]:
    rows = session.scalars(select(Event).where(Event.kind.startswith("letter.")).order_by(Event.number))
    return [
        (row.kind, row.object_kind, row.object_id, vault.open_json(session, row.details, context="trail.details"))
        for row in rows
    ]


def test_a_letter_waits_until_it_is_taken(session: Session, now: datetime) -> None:
    row = put(session, now)
    assert list(work.due(session, Letter, now=now)) == [row.id]
    parcel = take(session, row, now)
    assert parcel.message == letter("access_code")
    assert list(work.due(session, Letter, now=now)) == []


def test_nothing_of_it_is_stored_in_plain(session: Session, now: datetime) -> None:
    row = put(session, now, builders.add_request(session), "invitation")
    everything = repr([getattr(row, column.key) for column in Letter.__table__.columns])
    assert not [word for word in ("northwind", "Dana", "Acme", "7Gq0xw6t1") if word.lower() in everything.lower()]


def test_two_workers_never_hold_the_same_letter(session: Session, now: datetime) -> None:
    row = put(session, now)
    take(session, row, now)
    assert outbox.take(session, row.id, now=now) is None


def test_a_letter_that_is_not_there_is_nothing_to_do(session: Session, now: datetime) -> None:
    assert outbox.take(session, uuid4(), now=now) is None


def test_a_delivered_letter_is_done(session: Session, now: datetime) -> None:
    row = put(session, now)
    parcel = take(session, row, now)
    outbox.delivered(session, parcel, now=now + timedelta(seconds=2))
    assert (row.state, row.sent_at, row.leased_until) == (WorkState.DONE, now + timedelta(seconds=2), None)
    assert outbox.take(session, row.id, now=now + timedelta(days=9)) is None


def test_a_letter_is_tried_again_after_1_2_5_15_60_minutes_and_then_each_hour_for_a_day(
    session: Session, now: datetime
) -> None:
    row = put(session, now)
    moment, waits = now, []
    while row.state is not WorkState.FAILED:
        outbox.put_off(session, take(session, row, moment), "451 later", now=moment)
        if row.state is WorkState.QUEUED:
            assert outbox.take(session, row.id, now=row.not_before - timedelta(seconds=1)) is None
            waits.append(int((row.not_before - moment).total_seconds() / 60))
            moment = row.not_before
    assert waits[:8] == [1, 2, 5, 15, 60, 60, 60, 60]
    assert moment == now + timedelta(hours=24)
    assert row.attempts == len(PAUSES) + 1
    assert outbox.trouble(session, row) == "451 later"
    assert [kind for kind, *_ in events(session)] == ["letter.queued", "letter.undelivered"]


def test_a_refused_letter_is_given_up_at_once(session: Session, now: datetime) -> None:
    row = put(session, now)
    outbox.refused(session, take(session, row, now), "550 5.1.1 no such user", now=now)
    assert (row.state, row.attempts, row.error) == (WorkState.FAILED, 1, "550 5.1.1")
    assert outbox.trouble(session, row) == "550 5.1.1 no such user"
    assert list(work.due(session, Letter, now=now + timedelta(days=9))) == []


def test_the_letter_of_a_killed_worker_is_taken_again_with_the_same_identity(session: Session, now: datetime) -> None:
    row = put(session, now)
    first = take(session, row, now)
    almost = now + LEASE - timedelta(seconds=1)
    assert outbox.take(session, row.id, now=almost) is None
    assert list(work.due(session, Letter, now=now + LEASE)) == [row.id]
    second = take(session, row, now + LEASE)
    assert (second.message_id, second.thread, second.written_at) == (first.message_id, first.thread, first.written_at)
    assert (first.attempt, second.attempt) == (1, 2)


def test_whoever_lost_the_lease_cannot_put_the_letter_off_or_give_it_up(session: Session, now: datetime) -> None:
    row = put(session, now)
    first = take(session, row, now)
    take(session, row, now + LEASE)
    outbox.put_off(session, first, "too late", now=now + LEASE)
    outbox.refused(session, first, "too late", now=now + LEASE)
    assert (row.state, row.error) == (WorkState.RUNNING, "")


def test_whoever_lost_the_lease_but_has_sent_the_letter_says_so(session: Session, now: datetime) -> None:
    row = put(session, now)
    first = take(session, row, now)
    second = take(session, row, now + LEASE)
    outbox.delivered(session, first, now=now + LEASE)
    outbox.refused(session, second, "550 again?", now=now + LEASE)
    outbox.delivered(session, second, now=now + 2 * LEASE)
    assert (row.state, row.sent_at) == (WorkState.DONE, now + LEASE)
    assert [kind for kind, *_ in events(session)] == ["letter.queued", "letter.sent"]


def test_staff_can_have_an_undelivered_letter_tried_again(session: Session, now: datetime) -> None:
    petra = builders.add_user(session)
    row = put(session, now)
    outbox.refused(session, take(session, row, now), "550 no", now=now)
    later = now + timedelta(days=3)
    outbox.retry(session, row.id, by=builders.actor(petra), now=later)
    assert take(session, row, later).attempt == 1
    assert [kind for kind, *_ in events(session)][-1] == "letter.retried"


@pytest.mark.parametrize("state", [WorkState.QUEUED, WorkState.RUNNING, WorkState.DONE])
def test_only_undelivered_letters_can_be_tried_again(session: Session, now: datetime, state: WorkState) -> None:
    row = put(session, now)
    row.state = state
    with pytest.raises(WrongState):
        outbox.retry(session, row.id, by=builders.actor(builders.add_user(session)), now=now)
    with pytest.raises(NotFound):
        outbox.retry(session, uuid4(), by=builders.actor(builders.add_user(session, "b@acme.example")), now=now)


def test_the_letters_of_a_request_are_listed_newest_first(session: Session, now: datetime) -> None:
    request = builders.add_request(session)
    put(session, now, request, "invitation")
    put(session, now + timedelta(minutes=1), request)
    put(session, now, builders.add_request(session))
    shown = outbox.of_request(session, request.id)
    assert [(each.kind, each.to, each.state) for each in shown] == [
        ("access_code", "dana@northwind.example", WorkState.QUEUED),
        ("invitation", "dana@northwind.example", WorkState.QUEUED),
    ]


def test_letters_of_a_request_belong_to_the_story_of_its_case(session: Session, now: datetime) -> None:
    request = builders.add_request(session)
    row = put(session, now, request, "invitation")
    outbox.delivered(session, take(session, row, now), now=now)
    for kind, object_kind, object_id, details in events(session):
        assert kind in ("letter.queued", "letter.sent")
        assert (object_kind, object_id) == ("assessment", request.assessment_id)
        assert (details["letter"], details["to"], details["request"]) == (
            "invitation", "dana@northwind.example", request.reference,
        )  # fmt: skip


def test_letters_of_one_request_share_a_thread_and_others_do_not(session: Session, now: datetime) -> None:
    one, other = builders.add_request(session), builders.add_request(session)
    first, second = (take(session, put(session, now, one), now) for _ in range(2))
    assert first.thread == second.thread != take(session, put(session, now, other), now).thread
    assert first.message_id != second.message_id


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("550 5.1.1 <dana@northwind.example>: unknown", "550 5.1.1"),
        ("550-5.7.1 host northwind-example.mail.example\r\nsaid: no", "550-5.7.1"),
        ("550 host northwind-example.mail.example said: no", "550"),
        ("450 4.7.1northwind", "450"),
        ("550northwind", ""),
        ("[Errno 111] northwind.example: Connection refused", ""),
        ("signing in at the mail server: 535 5.7.8 northwind", ""),
        ("", ""),
    ],
)
def test_of_what_the_server_said_only_its_codes_lie_plain(
    session: Session, now: datetime, said: str, plain: str
) -> None:
    request = builders.add_request(session)
    row = put(session, now, request, "invitation")
    words = " ".join(said.split())
    outbox.put_off(session, take(session, row, now), said, now=now)
    assert row.error == plain
    assert outbox.of_request(session, request.id)[0].error == words
    outbox.refused(session, take(session, row, row.not_before), said, now=now)
    session.flush()
    everything = repr([getattr(row, column.key) for column in Letter.__table__.columns])
    assert (row.error, "northwind" in everything) == (plain, False)
    assert outbox.of_request(session, request.id)[0].error == words
    assert events(session)[-1][3]["error"] == words


def test_a_letter_that_went_at_last_keeps_nothing_of_what_was_said_before(session: Session, now: datetime) -> None:
    row = put(session, now)
    outbox.put_off(session, take(session, row, now), "451 4.7.1 later", now=now)
    outbox.delivered(session, take(session, row, row.not_before), now=now)
    assert (row.error, row.said) == ("", None)


def test_a_very_long_error_is_cut(session: Session, now: datetime) -> None:
    row = put(session, now)
    outbox.refused(session, take(session, row, now), f"550 {'5' * 5000}", now=now)
    session.flush()
    assert (row.error, len(outbox.trouble(session, row))) == ("550", 500)


def test_what_is_said_of_a_vendor_that_was_erased_meanwhile_is_not_kept(session: Session, now: datetime) -> None:
    request = builders.add_request(session)
    row = put(session, now, request, "invitation")
    parcel = take(session, row, now)
    destroy_key(session, request, now)
    outbox.put_off(session, parcel, "451 northwind is away", now=now)
    assert (row.error, row.said) == ("451", None)


def destroy_key(session: Session, request: Request, now: datetime) -> None:
    key_id = session.get_one(Vendor, request.vendor_id).key_id
    session.execute(update(DataKey).where(DataKey.id == key_id).values(wrapped=None, destroyed_at=now))
    vault.keyring(session).unwrapped.clear()


def test_the_letter_of_an_erased_vendor_is_given_up_unread(session: Session, now: datetime) -> None:
    request = builders.add_request(session)
    row = put(session, now, request, "invitation")
    destroy_key(session, request, now)
    assert outbox.take(session, row.id, now=now) is None
    assert (row.state, row.error) == (WorkState.FAILED, "The vendor was erased.")
    assert [each.to for each in outbox.of_request(session, request.id)] == ["(erased)"]
