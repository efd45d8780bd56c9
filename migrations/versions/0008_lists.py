"""Indexes in the order of the lists that read them, in place of those on one column."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0001"
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


def upgrade() -> None:
    """Make the new ones, drop those that they cover."""
    for name, table, columns in _NEW:
        op.create_index(name, table, columns)
    for name, table, _ in _OLD:
        op.drop_index(name, table)


def downgrade() -> None:
    """And back."""
    for name, table, columns in _OLD:
        op.create_index(name, table, columns)
    for name, table, _ in _NEW:
        op.drop_index(name, table)
