"""The trail's chain: seals of links, heads mailed and heads printed in reports, and indexes for looking events up.

Links are only ever added to: columns come and go by ALTER TABLE, which leaves rows and triggers alone. Going below this
revision drops the seals for good; a check then names every link that has none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what sealing needs."""
    op.add_column("trail_links", sa.Column("seal", sa.LargeBinary(length=32), nullable=True))
    op.create_index("ix_trail_events_actor", "trail_events", ["actor_id", "at"], unique=False)
    op.create_index("ix_trail_events_kind", "trail_events", ["kind", "at"], unique=False)
    op.create_table(
        "trail_heads",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("position", POSITION, nullable=False),
        sa.Column("chain", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_trail_heads"),
    )
    op.add_column("reports", sa.Column("head_position", sa.BigInteger(), nullable=True))
    op.add_column("reports", sa.Column("head_chain", sa.LargeBinary(length=32), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("reports", "head_chain")
    op.drop_column("reports", "head_position")
    op.drop_table("trail_heads")
    op.drop_index("ix_trail_events_kind", "trail_events")
    op.drop_index("ix_trail_events_actor", "trail_events")
    op.drop_column("trail_links", "seal")
