"""Staff accounts, their roles and their second factors (Flask-Security's shapes)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask_security.core import RoleMixin, UserMixin, WebAuthnMixin
from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from vendorrisk.db.base import Base

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
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(String(64), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    tf_phone_number: Mapped[str | None] = mapped_column(String(128))
    mf_recovery_codes: Mapped[list[str] | None]
    create_datetime: Mapped[datetime | None]
    update_datetime: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    current_login_at: Mapped[datetime | None]
    last_login_ip: Mapped[str | None] = mapped_column(String(64))
    current_login_ip: Mapped[str | None] = mapped_column(String(64))
    login_count: Mapped[int | None]

    roles: Mapped[list[Role]] = relationship(secondary=users_roles, lazy="selectin")
    webauthn: Mapped[list[WebAuthn]] = relationship(lazy="select", cascade="all, delete-orphan")


class WebAuthn(Base, WebAuthnMixin):
    """A passkey of one account."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1024), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(1024))
    sign_count: Mapped[int | None] = mapped_column(default=0)
    transports: Mapped[list[str] | None]
    backup_state: Mapped[bool] = mapped_column(default=False)
    device_type: Mapped[str] = mapped_column(String(64), default="")
    extensions: Mapped[str | None] = mapped_column(String(255))
    create_datetime: Mapped[datetime | None]
    lastuse_datetime: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(String(64))
    usage: Mapped[str] = mapped_column(String(64))

    def get_user_mapping(self) -> dict[str, Any]:
        """How Flask-Security finds the owner."""
        return {"id": self.user_id}
