"""What an auditor is limited to: days of decisions, and vendors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables. Who has no row in them is not limited, as before."""
    op.create_table(
        "auditor_scopes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("every_vendor", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_auditor_scopes_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_auditor_scopes"),
    )
    op.create_table(
        "auditor_scope_vendors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["auditor_scopes.user_id"], name="fk_auditor_scope_vendors_user_id_auditor_scopes",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendors.id"], name="fk_auditor_scope_vendors_vendor_id_vendors"),
        sa.PrimaryKeyConstraint("user_id", "vendor_id", name="pk_auditor_scope_vendors"),
    )  # fmt: skip


def downgrade() -> None:
    """Back to where every auditor sees every decided case: close the accounts of those who must not, first."""
    op.drop_table("auditor_scope_vendors")
    op.drop_table("auditor_scopes")
