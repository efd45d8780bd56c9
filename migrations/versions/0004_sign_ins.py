"""Second factors that the services keep, and the browsers in which people are signed in.

The columns and the table of passkeys that 0001 made in Flask-Security's shapes were never written: nothing could set
up a second factor. So they are dropped, not converted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NEVER_USED: dict[str, sa.types.TypeEngine[object]] = {
    "tf_primary_method": sa.String(64), "tf_totp_secret": sa.String(255), "tf_phone_number": sa.String(128),
    "mf_recovery_codes": sa.JSON(),
}  # fmt: skip


def upgrade() -> None:
    """Make the new shapes."""
    op.drop_table("passkeys")
    with op.batch_alter_table("users") as users:
        for name in NEVER_USED:
            users.drop_column(name)
        users.drop_constraint("uq_users_fs_webauthn_user_handle", type_="unique")
        users.drop_column("fs_webauthn_user_handle")
        users.add_column(sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
        users.add_column(sa.Column("totp_counter", sa.BigInteger(), nullable=True))
    _table(
        "passkeys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.UniqueConstraint("credential_id", name="uq_passkeys_credential_id"),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"], unique=False)
    _table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=16), nullable=False),
        sa.UniqueConstraint("user_id", "code_hash", name="uq_recovery_codes_user_id_code_hash"),
    )
    _table(
        "sign_ins",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=False),
    )
    op.create_index("ix_sign_ins_user_id", "sign_ins", ["user_id"], unique=False)


def downgrade() -> None:
    """Back to 0001. Whoever has a second factor then has none, and everybody is signed out."""
    for name in ("sign_ins", "recovery_codes", "passkeys"):
        op.drop_table(name)
    with op.batch_alter_table("users") as users:
        users.drop_column("totp_counter")
        users.drop_column("totp_secret")
        users.add_column(sa.Column("fs_webauthn_user_handle", sa.String(64), nullable=True))
        users.create_unique_constraint("uq_users_fs_webauthn_user_handle", ["fs_webauthn_user_handle"])
        for name, kind in NEVER_USED.items():
            users.add_column(sa.Column(name, kind, nullable=True))
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=True),
        sa.Column("transports", sa.JSON(), nullable=True),
        sa.Column("backup_state", sa.Boolean(), nullable=False),
        sa.Column("device_type", sa.String(length=64), nullable=False),
        sa.Column("extensions", sa.String(length=255), nullable=True),
        sa.Column("create_datetime", MOMENT, nullable=True),
        sa.Column("lastuse_datetime", MOMENT, nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("usage", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_passkeys_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential_id", name="uq_passkeys_credential_id"),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"], unique=False)


def _table(name: str, *parts: sa.Column[object] | sa.UniqueConstraint) -> None:
    """A table of things that belong to one account and go with it."""
    owner = sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{name}_user_id_users", ondelete="CASCADE")
    key = sa.PrimaryKeyConstraint("id", name=f"pk_{name}")
    op.create_table(name, sa.Column("id", sa.Uuid(), nullable=False), *parts, owner, key)
