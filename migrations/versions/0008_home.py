"""Indexes that tell Home which cases wait, and a case's latest request, without opening their rows."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LONGER = (
    ("ix_assessments_status_due", ["status", "due_at"], ["provisional", "vendor_id", "id"]),
    ("ix_assessments_status_active", ["status", "active_at"], ["vendor_id", "id"]),
    ("ix_assessments_status_decided", ["status", "decided_at"], ["vendor_id", "id"]),
)


def upgrade() -> None:
    """Make three longer, and one in place of that which it covers."""
    for name, columns, more in _LONGER:
        op.drop_index(name, "assessments")
        op.create_index(name, "assessments", [*columns, *more])
    op.create_index("ix_requests_assessment_sent", "requests", ["assessment_id", "sent_at", "id"])
    op.drop_index("ix_requests_assessment_id", "requests")


def downgrade() -> None:
    """And back."""
    op.create_index("ix_requests_assessment_id", "requests", ["assessment_id"])
    op.drop_index("ix_requests_assessment_sent", "requests")
    for name, columns, _ in _LONGER:
        op.drop_index(name, "assessments")
        op.create_index(name, "assessments", columns)
