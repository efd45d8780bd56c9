"""Accounts of staff and auditors, their roles and limits, what proves who they are, and where they are signed in."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from vendorrisk import lean
from vendorrisk.db.base import Base, Sealed, UuidKey

with lean.without("webauthn"):  # for its passkeys; ours are in services/people/passkeys.py
    from flask_security.core import RoleMixin, UserMixin

users_roles = Table(
    "users_roles",
    Base.metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Base, RoleMixin):
    """admin, staff or auditor."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    description: Mapped[str] = mapped_column(String(255), default="")
    permissions: Mapped[str | None] = mapped_column(String(1000))
    update_datetime: Mapped[datetime | None]


class User(Base, UserMixin):
    """A member of staff or an auditor. The address stays plain: sign-in needs it."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="", doc="Shown to vendors, so that they can check who asks.")
    password: Mapped[str | None] = mapped_column(String(255), doc="argon2id")
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, doc="Changing it ends all sessions.")
    totp_secret: Mapped[Sealed | None] = mapped_column(doc="The authenticator app's; context user.totp.<id>")
    totp_counter: Mapped[int | None] = mapped_column(
        BigInteger, doc="The step of the last code used: none works twice."
    )
    create_datetime: Mapped[datetime | None]
    update_datetime: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    current_login_at: Mapped[datetime | None]
    last_login_ip: Mapped[str | None] = mapped_column(String(64))
    current_login_ip: Mapped[str | None] = mapped_column(String(64))
    login_count: Mapped[int | None]

    roles: Mapped[list[Role]] = relationship(secondary=users_roles, lazy="selectin")


class AuditorScope(Base):
    """What one auditor is limited to. Who has no row is not limited."""

    __tablename__ = "auditor_scopes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    first_day: Mapped[date | None] = mapped_column(doc="Of the decision, in UTC. None: from the beginning.")
    last_day: Mapped[date | None] = mapped_column(doc="Included. None: without end.")
    every_vendor: Mapped[bool] = mapped_column(doc="Else those of `auditor_scope_vendors`; where there is none, none.")


class AuditorScopeVendor(Base):
    """One vendor whose cases an auditor may see."""

    __tablename__ = "auditor_scope_vendors"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("auditor_scopes.user_id", ondelete="CASCADE"), primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)


class Passkey(Base):
    """A passkey of one account. It proves possession and, by a fingerprint or a PIN, the person: two factors in one."""

    __tablename__ = "passkeys"

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1024), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(1024))
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(64), doc="What its owner calls it.")
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that stands for a lost phone, once: the row goes when it is used."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(
        LargeBinary(16), doc="Keyed: the database alone gives nothing to guess at."
    )


class SignIn(Base):
    """A browser in which somebody is signed in. Deleting the row ends it, whatever copies of its cookie there are."""

    __tablename__ = "sign_ins"

    id: Mapped[UuidKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    confirmed_at: Mapped[datetime] = mapped_column(doc="When the person last proved who they are.")
