"""Accounts of staff and auditors: added, disabled and named here; called by commands, demo and sign-in pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import argon2
import email_validator
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Role as RoleRow
from vendorrisk.db.models import User
from vendorrisk.db.vault import Master
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.domain.roles import DESCRIPTIONS, Role
from vendorrisk.services import audit
from vendorrisk.services.people import factors, sign_ins, tries

MIN_PASSWORD = 12
"""Shortest password that a person may choose."""

_HASHER = argon2.PasswordHasher()


class BadAccount(Exception):
    """The address or password of an account cannot be taken. The text is for the person."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account as lists show it."""

    id: UUID
    email: str
    name: str
    roles: tuple[Role, ...]
    active: bool
    last_seen: datetime | None


def pepper(master: Master) -> str:
    """The secret that passwords are mixed with before hashing: a stolen database alone gives nothing to guess at."""
    return base64.urlsafe_b64encode(master.purpose("passwords")).decode()


def hash_password(session: Session, password: str) -> str:
    """Argon2id over an HMAC of the password: the very hash that Flask-Security makes and checks at sign-in."""
    key = pepper(vault.keyring(session).master).encode()
    plain = unicodedata.normalize("NFKD", password).encode()
    mixed = base64.b64encode(hmac.new(key, plain, hashlib.sha512).digest())
    return _HASHER.hash(mixed)


def hashing_options() -> dict[str, int]:
    """What argon2id costs here, as Flask-Security is told: a hash made by either is left as it is by the other."""
    return {
        "argon2__time_cost": _HASHER.time_cost,
        "argon2__memory_cost": _HASHER.memory_cost,
        "argon2__parallelism": _HASHER.parallelism,
    }


def random_password() -> str:
    """A password to be read out once: 20 characters of 5 bits, in groups."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def ensure_roles(session: Session) -> None:
    """Make the roles that are missing; called at each start."""
    there = set(session.scalars(select(RoleRow.name)))
    for role, description in DESCRIPTIONS.items():
        if role.value not in there:
            session.add(RoleRow(name=role.value, description=description))


def add(
    session: Session,
    email: str,
    *,
    name: str,
    roles: Collection[Role],
    password: str,
    by: Actor,
    now: datetime,
    phone: str = "",
    throwaway: bool = False,
) -> User:
    """Make an account. Raises BadAccount for an impossible address or a short password, WrongState where there is one.

    A `throwaway` account of the demonstration may have a password as short as "demo".
    """
    address = _checked_address(email)
    if len(password) < MIN_PASSWORD and not throwaway:
        raise BadAccount(f"The password must have at least {MIN_PASSWORD} characters.")
    if find(session, address) is not None:
        raise WrongState(f"There already is an account for {address}.")
    user = User(
        email=address,
        name=name.strip(),
        phone=phone,
        password=hash_password(session, password),
        active=True,
        fs_uniquifier=secrets.token_hex(32),
        create_datetime=now,
        roles=_role_rows(session, roles),
    )
    session.add(user)
    session.flush()
    _record(session, EventKind.USER_ADDED, user, by=by, now=now, roles=sorted(role.value for role in roles))
    return user


def disable(session: Session, email: str, *, by: Actor, now: datetime) -> User:
    """Close an account and end its sessions. Raises NotFound."""
    user = get(session, email)
    user.active = False
    _end_sessions(session, user)
    _record(session, EventKind.USER_CHANGED, user, by=by, now=now, active=False)
    return user


def enable(session: Session, email: str, *, by: Actor, now: datetime) -> User:
    """Open a closed account again. Raises NotFound."""
    user = get(session, email)
    user.active = True
    _record(session, EventKind.USER_CHANGED, user, by=by, now=now, active=True)
    return user


def change_roles(
    session: Session, email: str, *, add: Collection[Role] = (), remove: Collection[Role] = (), by: Actor, now: datetime
) -> User:
    """Give roles and take roles, and end the account's sessions. Raises NotFound."""
    user = get(session, email)
    before = {Role(row.name) for row in user.roles}
    after = (before | set(add)) - set(remove)
    user.roles = _role_rows(session, after)
    _end_sessions(session, user)
    _record(session, EventKind.USER_CHANGED, user, by=by, now=now, before=_named(before), after=_named(after))
    return user


def sign_out_everywhere(session: Session, email: str, *, by: Actor, now: datetime) -> User:
    """End every session of an account. Raises NotFound."""
    user = get(session, email)
    _end_sessions(session, user)
    _record(session, EventKind.SIGN_INS_ENDED, user, by=by, now=now)
    return user


def reset_factors(session: Session, email: str, *, password: str | None = None, by: Actor, now: datetime) -> User:
    """Take all second factors off an account, and set a `password` where one is given. Raises NotFound.

    Its sessions end; at the next sign-in its owner has to set a second factor up again.
    """
    user = get(session, email)
    factors.remove_all(session, user)
    if password is not None:
        user.password = hash_password(session, password)
    _end_sessions(session, user)
    what = "all second factors were taken off it" + (", and it has a new password" if password is not None else "")
    factors.note(session, EventKind.FACTORS_RESET, user, what, by=by, now=now)
    return user


def unlock(session: Session, email: str, *, address: str = "", by: Actor, now: datetime) -> User:
    """Forget what was tried wrongly as this person, and from `address`. Raises NotFound."""
    user = get(session, email)
    tries.clear(session, user, address)
    _record(session, EventKind.LIMITS_CLEARED, user, by=by, now=now, address=address)
    return user


def listed(session: Session) -> list[Account]:
    """All accounts by address."""
    users = session.scalars(select(User).order_by(User.email))
    return [_view(user) for user in users]


def find(session: Session, email: str) -> User | None:
    """The account with this address, in whatever case it was typed."""
    return session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def get(session: Session, email: str) -> User:
    """The account with this address. Raises NotFound."""
    user = find(session, email)
    if user is None:
        raise NotFound(f"There is no account for {email}.")
    return user


def admins(session: Session) -> Sequence[User]:
    """Those who run the service, and can act on what is reported to them."""
    are = User.active & User.roles.any(RoleRow.name == Role.ADMIN.value)
    return session.scalars(select(User).where(are).order_by(User.email)).all()


def by_uniquifier(session: Session, uniquifier: str) -> User | None:
    """The account that a half-done sign-in is about; None where it was closed or signed out meanwhile."""
    return session.scalar(select(User).where(User.fs_uniquifier == uniquifier, User.active))


def noted(session: Session, kind: EventKind, user_id: UUID, *, by: Actor, now: datetime, **details: Any) -> None:
    """Write into the trail what the sign-in pages saw: signed in, signed out, refused, password changed."""
    audit.record(session, kind, object_kind="user", object_id=user_id, by=by, now=now, details=details)


def _checked_address(email: str) -> str:
    try:
        found = email_validator.validate_email(email.strip(), check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise BadAccount(f"{email!r} is not an e-mail address: {error}") from None
    return found.normalized.lower()


def _role_rows(session: Session, roles: Collection[Role]) -> list[RoleRow]:
    names = [role.value for role in roles]
    return list(session.scalars(select(RoleRow).where(RoleRow.name.in_(names))))


def _named(roles: Collection[Role]) -> dict[str, list[str]]:
    return {"roles": sorted(role.value for role in roles)}


def _end_sessions(session: Session, user: User) -> None:
    # The uniquifier ends what has no row: a sign-in that waits for its second step, a reset letter.
    user.fs_uniquifier = secrets.token_hex(32)
    sign_ins.end_all(session, user.id)


def _record(session: Session, kind: EventKind, user: User, *, by: Actor, now: datetime, **details: Any) -> None:
    noted(session, kind, user.id, by=by, now=now, email=user.email, **details)


def _view(user: User) -> Account:
    names = {role.name for role in user.roles}
    roles = tuple(role for role in Role if role.value in names)
    return Account(user.id, user.email, user.name, roles, user.active, user.current_login_at)
