"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Up. The trail's tables are never changed in batch mode: that would drop their triggers."""
    ${upgrades if upgrades else "..."}


def downgrade() -> None:
    """Back."""
    ${downgrades if downgrades else "..."}
