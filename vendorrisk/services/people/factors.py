"""Second factors that people type: the code of an authenticator app, and recovery codes for a lost phone.

The app's secret lies sealed in the database, recovery codes as keyed hashes: a stolen copy gives neither. Each code is
accepted by one conditional statement, so that none works twice, on however many processes. Called by the sign-in pages,
the account's pages and commands.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import CursorResult, Delete, Update, delete, func, or_, select, update
from sqlalchemy.orm import Session

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.models import Passkey, RecoveryCode, User
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.mail import messages
from vendorrisk.services import audit
from vendorrisk.services.letters import outbox

STEP = 30
"""Seconds that a code of the app is shown; one step early or late is taken too, for clocks that differ."""

DIGITS = 6
RECOVERY_CODES = 10
_SECRET_BYTES = 20
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has besides its password."""

    has_app: bool
    passkeys: int
    recovery_codes: int

    @property
    def is_enough(self) -> bool:
        """Whether the person can pass the second step at all."""
        return self.has_app or self.passkeys > 0


def of(session: Session, user_id: UUID) -> Factors:
    """What this account has; one query."""
    passkeys = select(func.count(Passkey.id)).where(Passkey.user_id == user_id).scalar_subquery()
    codes = select(func.count(RecoveryCode.id)).where(RecoveryCode.user_id == user_id).scalar_subquery()
    has_app, keys, left = session.execute(
        select(User.totp_secret.is_not(None), passkeys, codes).where(User.id == user_id)
    ).one()
    return Factors(bool(has_app), keys, left)


# ---------------------------------------------------------------- the authenticator app


def proposed_secret(session: Session, user_id: UUID, nonce: str) -> str:
    """The secret that somebody is about to set up, in base32: nothing is stored until the app has shown a code."""
    key = vault.keyring(session).master.purpose("authenticator set-up")
    return base64.b32encode(crypto.keyed_hash(key, user_id.bytes, nonce.encode())[:_SECRET_BYTES]).decode()


def app_address(secret: str, email: str, issuer: str) -> str:
    """The otpauth:// address that the picture holds."""
    return _totp(secret).get_provisioning_uri(email, issuer)


def add_app(session: Session, user: User, secret: str, typed: str, *, by: Actor, now: datetime) -> bool:
    """Set up the app, if `typed` is a code of it. The app before it works no more."""
    step = _step_of(secret, typed, now=now)
    if step is None:
        return False
    keep_app(session, user.id, secret, used=step)
    note(session, EventKind.FACTOR_ADDED, user, "an authenticator app was set up", by=by, now=now)
    return True


def keep_app(session: Session, user_id: UUID, secret: str, *, used: int | None = None) -> None:
    """Store the secret of an app that somebody has; `used` is the step of the last code that was taken from it."""
    sealed = vault.seal_text(session, vault.SYSTEM_KEY, secret, context=_context(user_id))
    session.execute(update(User).where(User.id == user_id).values(totp_secret=sealed, totp_counter=used))


def accept_app_code(session: Session, user_id: UUID, typed: str, *, now: datetime) -> bool:
    """Whether `typed` is a code of the person's app that was not used yet. It is now."""
    secret = _secret(session, user_id)
    step = _step_of(secret, typed, now=now) if secret else None
    if step is None:
        return False
    later = or_(User.totp_counter.is_(None), User.totp_counter < step)
    return _hits(session, update(User).where(User.id == user_id, later).values(totp_counter=step)) == 1


def next_app_code(session: Session, user_id: UUID, *, now: datetime) -> str | None:
    """A code that `accept_app_code` takes now and for half a minute more. For the demonstration and for tests, where
    there is no phone.
    """
    secret, used = _secret(session, user_id), session.scalar(select(User.totp_counter).where(User.id == user_id))
    _, *lasting = _steps(now)  # the first may end while it is being typed
    fresh = [step for step in lasting if used is None or step > used]
    return _code(secret, fresh[0]) if secret and fresh else None


def _secret(session: Session, user_id: UUID) -> str:
    sealed = session.scalar(select(User.totp_secret).where(User.id == user_id))
    return vault.open_optional(session, sealed, context=_context(user_id))


def _step_of(secret: str, typed: str, *, now: datetime) -> int | None:
    given = "".join(typed.split()).encode("utf-8", "surrogatepass")
    return next((step for step in _steps(now) if hmac.compare_digest(_code(secret, step).encode(), given)), None)


def _steps(now: datetime) -> range:
    step = int(now.timestamp()) // STEP
    return range(step - 1, step + 2)


def _code(secret: str, step: int) -> str:
    return _totp(secret).generate(step * STEP).decode()


def _totp(secret: str) -> TOTP:
    # SHA-1 is what every authenticator app speaks; as an HMAC it is sound.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP)  # noqa: S303  # nosec B303


def _context(user_id: UUID) -> str:
    return f"user.totp.{user_id}"


# ---------------------------------------------------------------- recovery codes


def make_recovery_codes(session: Session, user: User, *, by: Actor, now: datetime) -> Sequence[str]:
    """New recovery codes, to be shown this once; those before them work no more."""
    codes = [_random_code() for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(session, code)) for code in codes)
    note(session, EventKind.RECOVERY_CODES_MADE, user, "new recovery codes were made", by=by, now=now)
    return codes


def accept_recovery_code(session: Session, user: User, typed: str, *, by: Actor, now: datetime) -> bool:
    """Whether `typed` is one of the person's recovery codes. It is none any more."""
    mine = RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(session, typed)
    if _hits(session, delete(RecoveryCode).where(*mine)) != 1:
        return False
    note(session, EventKind.RECOVERY_CODE_USED, user, "a recovery code was used to sign in", by=by, now=now)
    return True


def _random_code() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def _hash(session: Session, code: str) -> bytes:
    plain = "".join(code.lower().replace("-", "").split())
    key = vault.keyring(session).master.purpose("recovery codes")
    return crypto.keyed_hash(key, plain.encode("utf-8", "surrogatepass"))[:16]


# ---------------------------------------------------------------- all of them


def remove_all(session: Session, user: User) -> None:
    """Take every second factor off an account: its owner sets one up at the next sign-in."""
    session.execute(update(User).where(User.id == user.id).values(totp_secret=None, totp_counter=None))
    session.execute(delete(Passkey).where(Passkey.user_id == user.id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def note(session: Session, kind: EventKind, user: User, what: str, *, by: Actor, now: datetime) -> None:
    """Into the trail, and in a letter to the person: whoever did not do it themselves hears of it."""
    audit.record(
        session, kind, object_kind="user", object_id=user.id, by=by, now=now,
        details={"email": user.email, "what": what},
    )  # fmt: skip
    letter = messages.sign_in_changed(to=user.email, to_name=user.name, what=what, at=now)
    outbox.put(session, letter, kind="sign_in_changed", now=now)


def _hits(session: Session, statement: Update | Delete) -> int:
    return cast("CursorResult[tuple[()]]", session.execute(statement)).rowcount
