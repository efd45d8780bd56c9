"""The ledger of stored files, and when a file of evidence was scanned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Enter what is there. Files of removed evidence are entered as doomed: a crash may have left some behind."""
    op.create_table(
        "stored_files",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_stored_files"),
    )
    op.create_index("ix_stored_files_work", "stored_files", ["state", "leased_until"], unique=False)
    op.execute(
        "INSERT INTO stored_files (name, state, leased_until) SELECT storage_name, "
        "CASE WHEN removed_at IS NULL THEN 'kept' ELSE 'doomed' END, uploaded_at FROM evidence"
    )
    op.execute(
        "INSERT INTO stored_files (name, state, leased_until) SELECT storage_name, 'kept', asked_at FROM reports "
        "WHERE storage_name IS NOT NULL"
    )
    op.add_column("evidence", sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Files stay where they are; who points to them is known from evidence and reports."""
    op.drop_column("evidence", "scanned_at")
    op.drop_index("ix_stored_files_work", table_name="stored_files")
    op.drop_table("stored_files")
