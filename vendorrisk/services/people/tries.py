"""How often somebody may try to sign in, by person and by address; counted in the database by `limits`.

Called by the sign-in pages, and by the command that lets a locked-out person try again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from vendorrisk.db.models import User
from vendorrisk.services import limits
from vendorrisk.services.limits import Limit, TooMany

PASSWORDS_AS = Limit("sign-in as", 10, timedelta(minutes=5))
PASSWORDS_FROM = Limit("sign-in from", 10, timedelta(minutes=5))
RESETS_FOR = Limit("reset for", 3, timedelta(hours=1))
RESETS_FROM = Limit("reset from", 10, timedelta(hours=1))
FACTORS_OF = Limit("second factor of", 5, timedelta(minutes=5))
FACTORS_FROM = Limit("second factor from", 5, timedelta(minutes=5))
_CHALLENGE = Limit("passkey challenge", 1, timedelta(minutes=10))
"""A challenge is answered once: who listens in cannot send the same answer again."""


def password(session: Session, email: str, address: str, *, now: datetime) -> None:
    """Count a try at a password. Raises limits.TooMany."""
    limits.take(session, PASSWORDS_FROM, address, now=now)
    limits.take(session, PASSWORDS_AS, folded(email), now=now)


def password_was_right(session: Session, email: str, address: str) -> None:
    """Count it no more. The failures of others at the same address stay counted."""
    limits.forget(session, PASSWORDS_AS, folded(email))
    limits.give_back(session, PASSWORDS_FROM, address)


def reset(session: Session, email: str, address: str, *, now: datetime) -> None:
    """Count a wish for a new password. Raises limits.TooMany."""
    limits.take(session, RESETS_FROM, address, now=now)
    limits.take(session, RESETS_FOR, folded(email), now=now)


def factor(session: Session, user_id: UUID | None, address: str, *, now: datetime) -> None:
    """Count a try at a second factor; of nobody known, where a passkey is not one of ours. Raises limits.TooMany."""
    limits.take(session, FACTORS_FROM, address, now=now)
    if user_id is not None:
        limits.take(session, FACTORS_OF, str(user_id), now=now)


def factor_was_right(session: Session, user_id: UUID, address: str) -> None:
    """Count it no more, in the same way."""
    limits.forget(session, FACTORS_OF, str(user_id))
    limits.give_back(session, FACTORS_FROM, address)


def is_first_answer(session: Session, challenge: bytes, *, now: datetime) -> bool:
    """Use up a passkey's challenge. False where it was answered before."""
    try:
        limits.take(session, _CHALLENGE, challenge.hex(), now=now)
    except TooMany:
        return False
    return True


def clear(session: Session, user: User, address: str = "") -> None:
    """Forget all failures of a person, and those from `address`."""
    limits.forget(session, PASSWORDS_AS, folded(user.email))
    limits.forget(session, RESETS_FOR, folded(user.email))
    limits.forget(session, FACTORS_OF, str(user.id))
    if address:
        for limit in (PASSWORDS_FROM, RESETS_FROM, FACTORS_FROM):
            limits.forget(session, limit, limits.network(address))


def folded(email: str) -> str:
    """An address as tries at it are counted: in one case, and not longer than addresses are."""
    return email.strip().lower()[:254]
