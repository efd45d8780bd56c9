"""When a vendor was erased

Revision ID: 0003
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Vendors say when their key was destroyed."""
    op.add_column("vendors", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to where a destroyed key alone said it."""
    op.drop_column("vendors", "erased_at")
