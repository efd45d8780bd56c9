"""Indexes in the order of the lists that read them, in place of those on one column."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NEW = (
    ("ix_assessments_status_active", "assessments", ["status", "active_at"]),
    ("ix_assessments_status_decided", "assessments", ["status", "decided_at"]),
    ("ix_assessments_band_active", "assessments", ["band", "active_at"]),
    ("ix_assessments_tier_active", "assessments", ["tier", "active_at"]),
    ("ix_assessments_vendor_created", "assessments", ["vendor_id", "created_at"]),
    ("ix_letters_request_state", "letters", ["request_id", "state"]),
)
_OLD = (
    ("ix_assessments_decided_at", "assessments", ["decided_at"]),
    ("ix_assessments_band", "assessments", ["band"]),
    ("ix_assessments_tier", "assessments", ["tier"]),
    ("ix_assessments_vendor_id", "assessments", ["vendor_id"]),
    ("ix_letters_request_id", "letters", ["request_id"]),
)


_ERASED = sa.text("erased_at IS NOT NULL")


def upgrade() -> None:
    """Make the new ones, drop those that they cover."""
    for name, table, columns in _NEW:
        op.create_index(name, table, columns)
    for name, table, _ in _OLD:
        op.drop_index(name, table)
    # Erased vendors are few, and every list leaves them out.
    op.create_index("ix_vendors_erased", "vendors", ["id"], sqlite_where=_ERASED, postgresql_where=_ERASED)


def downgrade() -> None:
    """And back."""
    op.drop_index("ix_vendors_erased", "vendors")
    for name, table, columns in _OLD:
        op.create_index(name, table, columns)
    for name, table, _ in _NEW:
        op.drop_index(name, table)
