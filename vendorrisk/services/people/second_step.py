"""The second step of a sign-in, and a passkey instead of both steps: tries counted, failures noted in the trail.

Called by the sign-in pages, inside one transaction each; whatever the outcome, commit it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from vendorrisk.db.models import User
from vendorrisk.domain.audit import EventKind
from vendorrisk.services import actors
from vendorrisk.services.people import accounts, factors, passkeys, tries
from vendorrisk.services.people.passkeys import Site


def by_code(session: Session, user: User, typed: str, *, address: str, now: datetime) -> bool:
    """Whether `typed` is a code of the person's app or one of their recovery codes. Raises limits.TooMany."""
    tries.factor(session, user.id, address, now=now)
    digits = "".join(typed.split())
    if len(digits) == factors.DIGITS and digits.isascii() and digits.isdigit():
        fits = factors.accept_app_code(session, user.id, digits, now=now)
    else:
        fits = factors.accept_recovery_code(session, user, typed, by=actors.of(user), now=now)
    _count(session, user, fits, address, "code", now)
    return fits


def by_passkey(
    session: Session, answer: str, *, site: Site, challenge: bytes, expected: User | None, address: str, now: datetime
) -> User | None:
    """Whose passkey answered the challenge; None where it proves nothing, or not that it is `expected`.

    Raises limits.TooMany.
    """
    claimed = passkeys.owner(session, answer)
    tries.factor(session, claimed.id if claimed else None, address, now=now)
    fits = claimed is not None and (expected is None or expected.id == claimed.id)
    fits = tries.is_first_answer(session, challenge, now=now) and fits
    user = passkeys.accept(session, answer, site=site, challenge=challenge, now=now) if fits else None
    if claimed is not None:
        _count(session, claimed, user is not None, address, "passkey", now)
    return user


def _count(session: Session, user: User, fits: bool, address: str, step: str, now: datetime) -> None:
    if fits:
        tries.factor_was_right(session, user.id, address)
    else:
        by = actors.of(user)
        accounts.noted(session, EventKind.SIGN_IN_FAILED, user.id, by=by, now=now, step=step)
