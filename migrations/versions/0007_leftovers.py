"""Indexes by which the hourly job finds what is past its use."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NEW = (
    ("ix_attempts_at", "attempts", ["at"]),
    ("ix_access_codes_expires_at", "access_codes", ["expires_at"]),
    ("ix_respondent_sessions_expires_at", "respondent_sessions", ["expires_at"]),
    ("ix_sign_ins_at", "sign_ins", ["at"]),
)


def upgrade() -> None:
    """Make them."""
    for name, table, columns in _NEW:
        op.create_index(name, table, columns)


def downgrade() -> None:
    """And back."""
    for name, table, _ in _NEW:
        op.drop_index(name, table)
