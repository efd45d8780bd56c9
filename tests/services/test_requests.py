"""Sending: one transaction, frozen questionnaires, a link that is nowhere stored; fresh links; withdrawing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import builders, staff_side
from tests.builders import NOW
from tests.databases import ON_SQLITE
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Event, Invitation, Letter, Request, User, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus, WorkState
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.library import shipped
from vendorrisk.library.loader import Library
from vendorrisk.services import copies
from vendorrisk.services.casework import contacts
from vendorrisk.services.casework.contacts import NewContact
from vendorrisk.services.letters import outbox, stuck
from vendorrisk.services.sending import briefs, invitations, request_sheets, requests
from vendorrisk.services.sending.requests import Sending


@pytest.fixture
def petra(session: Session) -> User:
    return builders.add_user(session)


@pytest.fixture
def case(session: Session, petra: User) -> Assessment:
    """Ready to send, tier 2."""
    return staff_side.ready(session, petra, harm_if_known="danger")


def test_sending_freezes_issues_a_link_and_queues_a_letter(session: Session, case: Assessment, petra: User) -> None:
    sent = staff_side.send(session, case, petra, note="Please hurry.")
    library = shipped.load()
    assert copies.questionnaires(session, sent.request.copies) == tuple(
        library.questionnaires[name] for name in staff_side.ASKED
    )
    assert (case.status, sent.request.status) == (AssessmentStatus.SENT, RequestStatus.SENT)
    assert (sent.request.answered, sent.request.visible) == (
        0,
        briefs.counts(copies.questionnaires(session, sent.request.copies))[0],
    )
    assert sent.request.closes_at == sent.request.due_at + timedelta(days=14)
    (letter,) = outbox.of_request(session, sent.request.id)
    assert (letter.kind, letter.state, letter.to) == ("invitation", WorkState.QUEUED, "victor@northwind.example")
    kinds = set(session.scalars(select(Event.kind).where(Event.object_id == case.id)))
    assert {"request.sent", "invitation.issued", "letter.queued"} <= kinds


def test_the_letter_carries_the_link_and_the_note_and_opens(session: Session, case: Assessment, petra: User) -> None:
    sent = staff_side.send(session, case, petra, note="Please hurry.")
    row = session.scalars(select(Letter).where(Letter.request_id == sent.request.id)).one()
    text = vault.open_json(session, row.content, context=outbox.CONTEXT)["text"]
    assert sent.link in text and "Please hurry." in text and sent.request.reference in text
    token = sent.link.removeprefix("https://risk.acme.example/q/")
    assert invitations.find(session, token, now=NOW) is not None


def test_the_preview_is_the_letter_but_for_link_and_reference(session: Session, case: Assessment, petra: User) -> None:
    sent = staff_side.send(session, case, petra, note="Please hurry.")
    row = session.scalars(select(Letter).where(Letter.request_id == sent.request.id)).one()
    letter = vault.open_json(session, row.content, context=outbox.CONTEXT)
    to = contacts.of_vendor(session, case.vendor_id)[0]
    preview = requests.preview(
        Sending(to.id, staff_side.ASKED, sent.request.due_at, "Europe/London", "Please hurry."),
        requests.frozen(shipped.load(), staff_side.ASKED, case.tier), to=to, sender=petra,
        service="Mailing service for members", link=sent.link, reference=sent.request.reference,
        settings=staff_side.SMTP,
    )  # fmt: skip
    assert (preview.subject, preview.text, preview.html) == (letter["subject"], letter["text"], letter["html"])


def test_a_later_edit_of_a_questionnaire_never_reaches_back(session: Session, case: Assessment, petra: User) -> None:
    sent = staff_side.send(session, case, petra, asked=("breach-history",))
    now_different = replace(shipped.load().questionnaires["breach-history"], version="2.0", sections=())
    copies.keep(session, now_different, now=NOW)
    (frozen,) = copies.questionnaires(session, sent.request.copies)
    assert frozen.version == "1.0" and len(frozen.questions) == 35


def test_tier_4_gets_the_short_forms(session: Session, petra: User) -> None:
    case = staff_side.ready(session, petra)
    sent = staff_side.send(session, case, petra)
    asked = copies.questionnaires(session, sent.request.copies)
    full = [shipped.load().questionnaires[each.id] for each in asked]
    assert case.tier == 4
    assert all(len(short.questions) < len(whole.questions) for short, whole in zip(asked, full, strict=True))


def test_a_failure_while_sending_leaves_nothing_behind(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.writing() as session:
        petra = builders.add_user(session)
        reference = staff_side.ready(session, petra).reference

    def broken(*_all: object, **_more: object) -> None:
        raise RuntimeError("the outbox broke")

    monkeypatch.setattr(outbox, "put", broken)
    before = _counts(database)
    with pytest.raises(RuntimeError), database.writing() as session:
        case = session.scalars(select(Assessment).where(Assessment.reference == reference)).one()
        staff_side.send(session, case, petra)
    assert _counts(database) == before
    with database.reading() as session:
        assert session.scalars(select(Assessment.status)).one() is AssessmentStatus.READY


def _counts(database: Database) -> list[int | None]:
    with database.reading() as session:
        return [
            session.scalar(select(func.count()).select_from(table)) for table in (Request, Invitation, Letter, Event)
        ]


@ON_SQLITE  # it looks into the files
def test_neither_link_nor_note_nor_address_is_stored_in_plain(database: Database, database_url: str) -> None:
    with database.writing() as session:
        petra = builders.add_user(session)
        sent = staff_side.send(session, staff_side.ready(session, petra), petra, note="Canarynote")
    path = Path(database_url.removeprefix("sqlite:///"))
    stored = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    assert sent.request.reference.encode() in stored
    for secret in (sent.link.rpartition("/")[2], "Canarynote", "victor@northwind.example", "Victor Lang"):
        assert secret.encode() not in stored


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"asked": ()}, "at least one questionnaire"),
        ({"due": NOW - timedelta(hours=1)}, "in the future"),
        ({"due": NOW + timedelta(days=400)}, "within a year"),
        ({"code_required": False}, "tiers 1 and 2"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_reason(
    session: Session, case: Assessment, petra: User, change: dict[str, object], words: str
) -> None:
    with pytest.raises(WrongState, match=words):
        staff_side.send(session, case, petra, **change)  # type: ignore[arg-type]


def test_the_code_may_be_off_in_tiers_3_and_4(session: Session, petra: User) -> None:
    case = staff_side.ready(session, petra)
    sent = staff_side.send(session, case, petra, code_required=False)
    assert sent.request.code_required is False
    letter = session.scalars(select(Letter).where(Letter.request_id == sent.request.id)).one()
    text = vault.open_json(session, letter.content, context=outbox.CONTEXT)["text"]
    assert "You need no account" in text
    assert "code" not in text


def test_an_unfinished_intake_and_a_second_sending_are_refused(session: Session, case: Assessment, petra: User) -> None:
    unfinished = builders.add_assessment(session, builders.add_vendor(session))
    builders.add_contact(session, session.get_one(Vendor, unfinished.vendor_id))
    for wrong in (unfinished, case):
        if wrong is case:
            staff_side.send(session, case, petra)
        with pytest.raises(WrongState):
            staff_side.send(session, wrong, petra)


def test_a_contact_of_another_vendor_and_an_intake_cannot_be_sent(
    session: Session, case: Assessment, petra: User
) -> None:
    stranger = builders.add_contact(session, builders.add_vendor(session))
    library = shipped.load()
    due = NOW + timedelta(days=3)
    own = contacts.of_vendor(session, case.vendor_id)[0]
    for sending in (Sending(stranger.id, ("breach-history",), due, "UTC"), Sending(own.id, ("intake",), due, "UTC")):
        with pytest.raises(NotFound):
            requests.send(
                session, case.id, sending, library=library, rules=library.rules, settings=staff_side.SMTP,
                by=builders.actor(petra), now=NOW,
            )  # fmt: skip


def test_a_fresh_link_replaces_the_old_one_and_keeps_what_was_answered(
    session: Session, case: Assessment, petra: User
) -> None:
    sent = staff_side.send(session, case, petra)
    sent.request.answered = 7
    vendor = requests.get(session, sent.request.reference)[2]
    sam = contacts.add(session, vendor, NewContact("Sam", "sam@n.example"), by=builders.actor(petra), now=NOW)
    late = sent.request.closes_at - timedelta(days=1)
    fresh = requests.fresh_link(
        session, sent.request.reference, sam.id, settings=staff_side.SMTP, by=builders.actor(petra), now=late
    )
    old, new = (link.rpartition("/")[2] for link in (sent.link, fresh.link))
    assert invitations.find(session, old, now=late) is None
    assert invitations.find(session, new, now=late) is not None
    assert fresh.request.answered == 7 and fresh.request.closes_at == late + timedelta(days=14)
    shown = request_sheets.show(session, sent.request.reference)
    assert (shown.invited_name, shown.invited_email) == ("Sam", "sam@n.example")


def test_a_withdrawn_request_has_no_living_link_and_the_case_can_be_sent_again(
    session: Session, case: Assessment, petra: User
) -> None:
    sent = staff_side.send(session, case, petra)
    requests.withdraw(session, sent.request.reference, by=builders.actor(petra), now=NOW + timedelta(hours=1))
    assert (case.status, sent.request.status) == (AssessmentStatus.READY, RequestStatus.WITHDRAWN)
    later = NOW + timedelta(hours=2)
    assert invitations.find(session, sent.link.rpartition("/")[2], now=later) is None
    with pytest.raises(WrongState):
        requests.withdraw(session, sent.request.reference, by=builders.actor(petra), now=later)
    with pytest.raises(WrongState):
        to = contacts.of_vendor(session, case.vendor_id)[0].id
        requests.fresh_link(
            session, sent.request.reference, to, settings=staff_side.SMTP, by=builders.actor(petra), now=later
        )
    assert staff_side.send(session, case, petra).request.reference != sent.request.reference


def test_a_submitted_request_cannot_be_withdrawn(session: Session, case: Assessment, petra: User) -> None:
    sent = staff_side.send(session, case, petra)
    sent.request.status, case.status = RequestStatus.SUBMITTED, AssessmentStatus.REVIEW
    session.flush()
    with pytest.raises(WrongState):
        requests.withdraw(session, sent.request.reference, by=builders.actor(petra), now=NOW)


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (datetime(2026, 6, 30, 9, tzinfo=UTC), "2026-07-14T17:00:00+01:00"),  # a Tuesday
        (datetime(2026, 6, 27, 9, tzinfo=UTC), "2026-07-13T17:00:00+01:00"),  # a Saturday: the Monday after
        (datetime(2026, 6, 28, 9, tzinfo=UTC), "2026-07-13T17:00:00+01:00"),  # a Sunday
        (datetime(2026, 10, 15, 9, tzinfo=UTC), "2026-10-29T17:00:00+00:00"),  # over the end of summer time
        (datetime(2026, 6, 29, 23, 30, tzinfo=UTC), "2026-07-14T17:00:00+01:00"),  # already tomorrow in London
    ],
)
def test_the_default_due_date_is_a_working_day_at_five(moment: datetime, due: str) -> None:
    assert requests.default_due("Europe/London", now=moment).isoformat() == due


def test_an_undelivered_letter_stops_nagging_once_it_was_replaced(
    session: Session, case: Assessment, petra: User
) -> None:
    sent = staff_side.send(session, case, petra)
    staff_side.refuse_letters(session, sent)
    (failed,) = stuck.listed(session, 1, now=NOW).items
    assert (failed.to, failed.error, failed.request) == (
        "victor@northwind.example",
        "550 mailbox unknown",
        sent.request.reference,
    )
    to, later = contacts.of_vendor(session, case.vendor_id)[0].id, NOW + timedelta(minutes=5)
    requests.fresh_link(
        session, sent.request.reference, to, settings=staff_side.SMTP, by=builders.actor(petra), now=later
    )
    session.flush()
    assert stuck.listed(session, 1, now=NOW).total == 0 and stuck.counts(session).failed == 0


def test_a_library_without_questionnaires_offers_none() -> None:
    assert requests.frozen(Library({}), (), 2) == ()
