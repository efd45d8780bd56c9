"""Passkeys: keys in a phone, a computer or a stick, which prove possession and the person at once.

Every passkey must verify its person (fingerprint, face, PIN), so that one is two factors. They are found by themselves,
without an address typed first: nothing that the service sends out tells who has one. Called by web/passkeys.py.

py_webauthn is imported where it is used: it takes 70 ms and 14 MB, and many services run for days without a passkey.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db.models import Passkey, User
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.services import actors
from vendorrisk.services.people import factors

MOST = 10
MAX_NAME = 64


class Refused(Exception):
    """A passkey's answer that proves nothing. The text is for the person."""


@dataclass(frozen=True, slots=True)
class Site:
    """Whom passkeys are for: the host's name, and the address in the browser."""

    host: str
    origin: str
    name: str


def creation_options(session: Session, user: User, site: Site, challenge: bytes) -> dict[str, Any]:
    """What the browser needs to make a passkey of this account."""
    import webauthn
    from webauthn.helpers import options_to_json_dict, structs

    there = session.scalars(select(Passkey.credential_id).where(Passkey.user_id == user.id))
    options = webauthn.generate_registration_options(
        rp_id=site.host, rp_name=site.name, user_id=user.id.bytes, user_name=user.email,
        user_display_name=actors.name(user), challenge=challenge,
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=key) for key in there],
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
    )  # fmt: skip
    return options_to_json_dict(options)


def request_options(site: Site, challenge: bytes) -> dict[str, Any]:
    """What the browser needs to ask for a passkey: the same for everybody."""
    import webauthn
    from webauthn.helpers import options_to_json_dict, structs

    options = webauthn.generate_authentication_options(
        rp_id=site.host, challenge=challenge, user_verification=structs.UserVerificationRequirement.REQUIRED
    )
    return options_to_json_dict(options)


def add(
    session: Session, user: User, answer: str, name: str, *, site: Site, challenge: bytes, by: Actor, now: datetime
) -> Passkey:
    """Keep a new passkey. Raises Refused, or WrongState where there are too many or it is known already."""
    import webauthn

    try:
        made = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=site.host, expected_origin=site.origin,
            require_user_verification=True,
        )  # fmt: skip
    except _unreadable() as error:
        raise Refused("Your browser’s answer could not be used. Nothing was set up; try again.") from error
    if len(session.scalars(select(Passkey.id).where(Passkey.user_id == user.id)).all()) >= MOST:
        raise WrongState(f"You have {MOST} passkeys. Remove one that you do not use any more first.")
    if _find(session, made.credential_id) is not None:
        raise WrongState("This passkey is set up already.")
    passkey = Passkey(
        user_id=user.id, credential_id=made.credential_id, public_key=made.credential_public_key,
        sign_count=made.sign_count, name=name.strip()[:MAX_NAME] or "Passkey", created_at=now,
    )  # fmt: skip
    session.add(passkey)
    factors.note(session, EventKind.FACTOR_ADDED, user, f"a passkey was added (“{passkey.name}”)", by=by, now=now)
    return passkey


def owner(session: Session, answer: str) -> User | None:
    """Whose passkey this answer says to be of; not proven yet."""
    passkey = _find(session, _credential_id(answer))
    return session.get(User, passkey.user_id) if passkey is not None else None


def accept(session: Session, answer: str, *, site: Site, challenge: bytes, now: datetime) -> User | None:
    """Whose passkey answered the challenge; None where the answer proves nothing, or the account is closed."""
    passkey = _find(session, _credential_id(answer), for_update=True)
    if passkey is None:
        return None
    import webauthn

    try:
        seen = webauthn.verify_authentication_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=site.host, expected_origin=site.origin,
            credential_public_key=passkey.public_key, credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )  # fmt: skip
    except _unreadable():
        return None
    passkey.sign_count, passkey.used_at = seen.new_sign_count, now
    user = session.get_one(User, passkey.user_id)
    return user if user.active else None


def listed(session: Session, user_id: UUID) -> Sequence[Passkey]:
    """The passkeys of an account, the oldest first."""
    mine = select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.created_at, Passkey.id)
    return session.scalars(mine).all()


def remove(session: Session, user: User, passkey_id: UUID, *, by: Actor, now: datetime) -> None:
    """Forget a passkey. Raises NotFound, or WrongState where it is the last second factor."""
    # The account's row is held, so that two removals at once cannot each leave the other's to be the last.
    session.execute(select(User.id).where(User.id == user.id).with_for_update())
    passkey = session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user.id))
    if passkey is None:
        raise NotFound("There is no such passkey.")
    there = factors.of(session, user.id)
    if not there.has_app and there.passkeys == 1:
        raise WrongState("This is your only second factor. Set up an authenticator app or another passkey first.")
    session.delete(passkey)
    what = f"a passkey was removed (“{passkey.name}”)"
    factors.note(session, EventKind.FACTOR_REMOVED, user, what, by=by, now=now)


def _unreadable() -> tuple[type[Exception], ...]:
    """What py_webauthn raises at an answer that is wrong, or that no browser would send."""
    from webauthn.helpers.exceptions import WebAuthnException

    return WebAuthnException, ValueError, KeyError, TypeError, RecursionError


def _credential_id(answer: str) -> bytes:
    from webauthn.helpers import base64url_to_bytes

    try:
        return base64url_to_bytes(json.loads(answer)["id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return b""


def _find(session: Session, credential_id: bytes, *, for_update: bool = False) -> Passkey | None:
    query = select(Passkey).where(Passkey.credential_id == credential_id)
    return session.scalar(query.with_for_update() if for_update else query)
