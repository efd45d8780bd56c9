"""Second factors: each code works once, on however many processes, and a stolen database gives none away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders
from tests.builders import NOW
from vendorrisk import crypto
from vendorrisk.db.engine import Database
from vendorrisk.db.models import RecoveryCode, User
from vendorrisk.services import limits
from vendorrisk.services.limits import TooMany
from vendorrisk.services.people import accounts, factors, second_step, tries

ADDRESS = "192.0.2.1"


@pytest.fixture
def petra(session: Session) -> User:
    """Somebody with an app and nothing else."""
    return builders.add_user(session)


def code_at(session: Session, user: User, seconds: int = 0) -> str:
    """What the app shows that many seconds from now."""
    return builders.app_code(session, user, NOW + timedelta(seconds=seconds))


# ---------------------------------------------------------------- the app


def test_a_code_of_the_app_is_taken_once(session: Session, petra: User) -> None:
    code = code_at(session, petra)
    assert factors.accept_app_code(session, petra.id, code, now=NOW)
    assert not factors.accept_app_code(session, petra.id, code, now=NOW)


def test_no_code_is_taken_that_is_older_than_the_last_one(session: Session, petra: User) -> None:
    earlier, later = code_at(session, petra, -factors.STEP), code_at(session, petra)
    assert factors.accept_app_code(session, petra.id, later, now=NOW)
    assert not factors.accept_app_code(session, petra.id, earlier, now=NOW)


@pytest.mark.parametrize(("seconds", "fits"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_clocks_may_differ_by_one_step(session: Session, petra: User, seconds: int, fits: bool) -> None:
    code = code_at(session, petra, seconds)
    assert factors.accept_app_code(session, petra.id, code, now=NOW) is fits


def test_codes_are_those_of_the_standard(session: Session, petra: User) -> None:
    """RFC 6238, appendix B: the secret is "12345678901234567890", the last six of eight digits at 59 seconds."""
    assert factors._code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 59 // factors.STEP) == "287082"


def test_twenty_tries_of_one_code_at_once_let_one_in(database: Database) -> None:
    with database.writing() as session:
        user = builders.add_user(session)
        code = code_at(session, user)

    def accepted(_number: int) -> bool:
        with database.writing() as session:
            return factors.accept_app_code(session, user.id, code, now=NOW)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(accepted, range(20))) == 1


def test_a_new_app_is_kept_only_after_it_has_shown_a_code(session: Session, petra: User) -> None:
    secret = factors.proposed_secret(session, petra.id, "nonce")
    by = builders.actor(petra)
    for wrong in ("000000", "", "é", "\ud800"):
        assert not factors.add_app(session, petra, secret, wrong, by=by, now=NOW)
    step = int(NOW.timestamp()) // factors.STEP
    code = factors._code(secret, step)
    assert factors.add_app(session, petra, secret, code, by=by, now=NOW)
    assert not factors.accept_app_code(session, petra.id, code, now=NOW), "the code that set it up is used"
    before = factors._code(builders.APP_SECRET, step + 1)
    assert not factors.accept_app_code(session, petra.id, before, now=NOW), "and so is the app from before"


def test_the_proposed_secret_is_another_for_each_person_and_browser(session: Session, petra: User) -> None:
    adam = builders.add_user(session, "adam@acme.example")
    made = {factors.proposed_secret(session, user.id, nonce) for user in (petra, adam) for nonce in ("a", "b")}
    assert len(made) == 4
    assert all(len(secret) == 32 for secret in made), "160 bits in base32"


# ---------------------------------------------------------------- recovery codes


def test_a_recovery_code_is_taken_once_however_it_is_typed(session: Session, petra: User) -> None:
    by = builders.actor(petra)
    first, second, *_ = factors.make_recovery_codes(session, petra, by=by, now=NOW)
    assert factors.accept_recovery_code(session, petra, f" {first.upper()} ", by=by, now=NOW)
    assert not factors.accept_recovery_code(session, petra, first, by=by, now=NOW)
    assert factors.accept_recovery_code(session, petra, second.replace("-", " "), by=by, now=NOW)
    assert factors.of(session, petra.id).recovery_codes == factors.RECOVERY_CODES - 2


def test_new_recovery_codes_replace_the_old(session: Session, petra: User) -> None:
    by = builders.actor(petra)
    old = factors.make_recovery_codes(session, petra, by=by, now=NOW)
    new = factors.make_recovery_codes(session, petra, by=by, now=NOW)
    assert not set(old) & set(new)
    assert not factors.accept_recovery_code(session, petra, old[0], by=by, now=NOW)


def test_nobody_elses_recovery_code_is_taken(session: Session, petra: User) -> None:
    adam = builders.add_user(session, "adam@acme.example")
    code = factors.make_recovery_codes(session, adam, by=builders.actor(adam), now=NOW)[0]
    assert not factors.accept_recovery_code(session, petra, code, by=builders.actor(petra), now=NOW)


@pytest.mark.parametrize("typed", ["", " ", "-", "x" * 5000, "\ud800", "\x00"])
def test_nonsense_is_no_code(session: Session, petra: User, typed: str) -> None:
    assert not second_step.by_code(session, petra, typed, address=ADDRESS, now=NOW)


# ---------------------------------------------------------------- at rest, and limits


def test_a_stolen_database_holds_neither_secret_nor_codes(session: Session, petra: User) -> None:
    codes = factors.make_recovery_codes(session, petra, by=builders.actor(petra), now=NOW)
    session.flush()
    stored = session.scalars(select(User.totp_secret).where(User.id == petra.id)).one()
    assert stored is not None
    assert builders.APP_SECRET.encode() not in stored
    crypto.key_id_of(stored)  # a sealed value
    hashes = session.scalars(select(RecoveryCode.code_hash)).all()
    assert len(hashes) == factors.RECOVERY_CODES
    assert not any(code.replace("-", "").encode() in b"".join(hashes) for code in codes)


def test_a_sealed_secret_opens_for_its_owner_only(session: Session, petra: User) -> None:
    adam = builders.add_user(session, "adam@acme.example")
    adam.totp_secret = session.scalars(select(User.totp_secret).where(User.id == petra.id)).one()
    session.flush()
    with pytest.raises(crypto.CannotOpen):
        factors.next_app_code(session, adam.id, now=NOW)


def test_the_sixth_wrong_code_is_refused_unseen_and_survives_a_restart(database: Database) -> None:
    with database.writing() as session:
        user = builders.add_user(session)
    for number in range(5):
        with database.writing() as session:
            assert not second_step.by_code(session, user, "000000", address=f"192.0.2.{number}", now=NOW)
    restarted = Database(database.engine, database.master)
    with restarted.writing() as session, pytest.raises(TooMany):
        second_step.by_code(session, user, code_at(session, user), address="192.0.2.9", now=NOW)
    later = NOW + timedelta(minutes=5, seconds=1)
    with restarted.writing() as session:
        good = builders.app_code(session, user, later)
        assert second_step.by_code(session, user, good, address="192.0.2.9", now=later)


def test_a_success_does_not_make_up_for_the_failures_of_others_at_the_same_address(session: Session) -> None:
    petra, mallory = builders.add_user(session), builders.add_user(session, "mallory@acme.example")
    for _ in range(4):
        second_step.by_code(session, petra, "000000", address=ADDRESS, now=NOW)
    assert second_step.by_code(session, mallory, code_at(session, mallory), address=ADDRESS, now=NOW)
    second_step.by_code(session, petra, "000000", address=ADDRESS, now=NOW)
    assert limits.is_reached(session, tries.FACTORS_FROM, ADDRESS, now=NOW)


def test_an_answer_to_a_passkeys_challenge_counts_once(session: Session) -> None:
    assert tries.is_first_answer(session, b"challenge", now=NOW)
    assert not tries.is_first_answer(session, b"challenge", now=NOW)
    assert tries.is_first_answer(session, b"another", now=NOW)


def test_whoever_is_closed_is_known_by_no_uniquifier(session: Session, petra: User) -> None:
    before = petra.fs_uniquifier
    assert accounts.by_uniquifier(session, before) is petra
    accounts.disable(session, petra.email, by=builders.actor(petra), now=NOW)
    session.flush()
    assert accounts.by_uniquifier(session, before) is None
    assert accounts.by_uniquifier(session, petra.fs_uniquifier) is None
