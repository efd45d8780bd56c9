"""Passkeys: only a key of ours, that verified its person, for this site, answering a challenge for the first time."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders
from tests.authenticator import Authenticator
from tests.builders import NOW
from vendorrisk.db.models import Event, Passkey, User
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.services.people import accounts, factors, passkeys, second_step
from vendorrisk.services.people.passkeys import Refused, Site

SITE = Site("risk.acme.example", "https://risk.acme.example", "Acme Ltd")
NONSENSE: tuple[object, ...] = ("", "AAAA", "é", 7, None, [])
CHALLENGE, ADDRESS = b"c" * 32, "192.0.2.1"


@pytest.fixture
def petra(session: Session) -> User:
    """Somebody with an app."""
    return builders.add_user(session)


def device(**other: str) -> Authenticator:
    """A device for our site, or for another."""
    return Authenticator(other.get("host", SITE.host), other.get("origin", SITE.origin))


def add(session: Session, user: User, key: Authenticator, name: str = "Laptop") -> Passkey:
    """Set the device up as a passkey of this account."""
    answer = key.create(CHALLENGE)
    by = builders.actor(user)
    return passkeys.add(session, user, answer, name, site=SITE, challenge=CHALLENGE, by=by, now=NOW)


def use(session: Session, answer: str, *, challenge: bytes = b"1" * 32, expected: User | None = None) -> User | None:
    """Sign in with it."""
    return second_step.by_passkey(
        session, answer, site=SITE, challenge=challenge, expected=expected, address=ADDRESS, now=NOW
    )


def test_a_passkey_that_was_set_up_signs_in_alone(session: Session, petra: User) -> None:
    key = device()
    add(session, petra, key)
    assert use(session, key.get(b"1" * 32)) is petra
    row = session.scalars(select(Passkey)).one()
    assert (row.used_at, row.sign_count, row.name) == (NOW, 2, "Laptop")
    assert factors.of(session, petra.id).passkeys == 1


def test_an_answer_is_taken_once(session: Session, petra: User) -> None:
    key = device()
    add(session, petra, key)
    answer = key.get(b"1" * 32)
    assert use(session, answer) is petra
    assert use(session, answer) is None


@pytest.mark.parametrize(
    ("key", "challenge"),
    [
        (device(host="evil.example"), b"1" * 32),
        (device(origin="https://evil.example"), b"1" * 32),
        (device(origin="http://risk.acme.example"), b"1" * 32),
        (device(), b"2" * 32),
    ],
)
def test_an_answer_for_another_site_or_challenge_proves_nothing(
    session: Session, petra: User, key: Authenticator, challenge: bytes
) -> None:
    host, origin = key.host, key.origin
    key.host, key.origin = SITE.host, SITE.origin
    add(session, petra, key)
    key.host, key.origin = host, origin
    assert use(session, key.get(challenge)) is None
    assert session.scalars(select(Event.kind).order_by(Event.number.desc())).first() == "user.sign_in_failed"


def test_a_passkey_that_did_not_verify_its_person_is_not_two_factors(session: Session, petra: User) -> None:
    key = device()
    add(session, petra, key)
    key.verifies = False
    assert use(session, key.get(b"1" * 32)) is None
    careless = device()
    careless.verifies = False
    with pytest.raises(Refused):
        add(session, petra, careless)


def test_a_copied_stick_is_noticed_by_its_counter(session: Session, petra: User) -> None:
    key = device()
    add(session, petra, key)
    assert use(session, key.get(b"1" * 32)) is petra
    key.count -= 1
    assert use(session, key.get(b"3" * 32), challenge=b"3" * 32) is None


def test_a_key_that_nobody_has_and_another_key_under_its_name_open_nothing(session: Session, petra: User) -> None:
    key, other = device(), device()
    add(session, petra, key)
    assert use(session, other.get(b"1" * 32)) is None
    other.id = key.id
    assert use(session, other.get(b"2" * 32), challenge=b"2" * 32) is None


def test_between_the_steps_only_the_same_persons_passkey_counts(session: Session, petra: User) -> None:
    adam, key = builders.add_user(session, "adam@acme.example"), device()
    add(session, petra, key)
    assert use(session, key.get(b"1" * 32), expected=adam) is None
    assert use(session, key.get(b"2" * 32), challenge=b"2" * 32, expected=petra) is petra


def test_the_passkey_of_a_closed_account_opens_nothing(session: Session, petra: User) -> None:
    key = device()
    add(session, petra, key)
    accounts.disable(session, petra.email, by=SYSTEM, now=NOW)
    session.flush()
    assert use(session, key.get(b"1" * 32)) is None


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "[]",
        "null",
        "1",
        "{",
        '{"id": 1}',
        '{"id": "AAAA"}',
        '{"id": "é"}',
        '{"id": "' + "A" * 9000 + '"}',
        "[" * 5000,
    ],
)
def test_nonsense_is_refused(session: Session, petra: User, answer: str) -> None:
    assert use(session, answer) is None
    with pytest.raises(Refused):
        passkeys.add(session, petra, answer, "x", site=SITE, challenge=CHALLENGE, by=builders.actor(petra), now=NOW)


def test_nonsense_in_the_place_of_a_real_answer_is_refused(session: Session, petra: User) -> None:
    key = device()
    add(session, petra, key)
    good = json.loads(key.get(b"1" * 32))
    for field in good["response"]:
        for value in NONSENSE:
            broken = {**good, "response": {**good["response"], field: value}}
            assert passkeys.accept(session, json.dumps(broken), site=SITE, challenge=b"1" * 32, now=NOW) is None


def test_a_passkey_is_set_up_once_and_ten_are_enough(session: Session, petra: User) -> None:
    key = device()
    add(session, petra, key)
    with pytest.raises(WrongState, match="set up already"):
        add(session, petra, key)
    for _ in range(passkeys.MOST - 1):
        add(session, petra, device())
    with pytest.raises(WrongState, match="Remove one"):
        add(session, petra, device())


def test_the_last_second_factor_cannot_be_removed(session: Session, petra: User) -> None:
    first, second = add(session, petra, device()), add(session, petra, device())
    by = builders.actor(petra)
    passkeys.remove(session, petra, first.id, by=by, now=NOW)
    factors.remove_all(session, builders.add_user(session, "adam@acme.example"))
    petra.totp_secret = None
    session.flush()
    with pytest.raises(WrongState, match="only second factor"):
        passkeys.remove(session, petra, second.id, by=by, now=NOW)


def test_nobody_removes_the_passkey_of_another(session: Session, petra: User) -> None:
    row, adam = add(session, petra, device()), builders.add_user(session, "adam@acme.example")
    with pytest.raises(NotFound):
        passkeys.remove(session, adam, row.id, by=builders.actor(adam), now=NOW)


def test_what_the_browser_is_asked_for(session: Session, petra: User) -> None:
    row = add(session, petra, device())
    asked = passkeys.creation_options(session, petra, SITE, CHALLENGE)
    assert asked["authenticatorSelection"] == {
        "residentKey": "required", "requireResidentKey": True, "userVerification": "required",
    }  # fmt: skip
    assert "authenticatorAttachment" not in asked["authenticatorSelection"], "the device's own keys are welcome"
    assert len(asked["excludeCredentials"]) == 1
    assert row.credential_id
    options = passkeys.request_options(SITE, CHALLENGE)
    assert options["userVerification"] == "required"
    assert not options.get("allowCredentials"), "the same for everybody"
