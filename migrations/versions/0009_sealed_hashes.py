"""Nothing that names a vendor stays plain: hashes of files, and what mail servers said. Columns without a reader go.

A migration has no keys. The hashes are left in the column that holds sealed values from now on, as plain bytes, and
services/operating/unsealed.py seals them before anything else is done: at the end of `upgrade`, of `restore`, and at
each start that finds some.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OURS = (
    "The worker that sent it was stopped each time.",
    "The vendor was erased.",
    "It waited to be sent when the backup was made, and may have been sent since. Try again if it was not.",
)
"""What we say of a letter ourselves; it names nobody."""
_CODES = re.compile(r"[245]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?(?!\S)")
_OF_THE_ERASED = (
    "request_id IN (SELECT requests.id FROM requests JOIN vendors ON vendors.id = requests.vendor_id "
    "WHERE vendors.erased_at IS NOT NULL)"
)
_GONE = (
    ("evidence", "valid_until", sa.Date()),
    ("invitations", "sections", sa.JSON()),
    ("requests", "submission_key", sa.String(length=64)),
)


def upgrade() -> None:
    """Hashes move, words shrink to their codes; those of erased vendors are not kept at all."""
    op.execute(f"UPDATE evidence SET sha256 = '' WHERE {_OF_THE_ERASED}")
    if op.get_bind().dialect.name == "postgresql":
        # It writes the table anew: a dropped column would stay in its rows.
        op.execute(
            "ALTER TABLE evidence ALTER COLUMN sha256 DROP NOT NULL, "
            "ALTER COLUMN sha256 TYPE BYTEA USING convert_to(NULLIF(sha256, ''), 'UTF8')"
        )
    else:
        op.execute("ALTER TABLE evidence RENAME COLUMN sha256 TO plain")
        op.add_column("evidence", sa.Column("sha256", sa.LargeBinary(), nullable=True))
        op.execute("UPDATE evidence SET sha256 = CAST(NULLIF(plain, '') AS BLOB)")
        op.drop_column("evidence", "plain")
    op.add_column("letters", sa.Column("said", sa.LargeBinary(), nullable=True))
    _leave_codes()
    for table, column, _ in _GONE:
        op.drop_column(table, column)


def _leave_codes() -> None:
    letters = sa.table("letters", sa.column("id", sa.Uuid()), sa.column("error", sa.String()))
    op.execute(f"UPDATE letters SET error = '' WHERE error <> 'The vendor was erased.' AND {_OF_THE_ERASED}")
    said = sa.select(letters).where(letters.c.error != "", letters.c.error.not_in(_OURS))
    for letter_id, error in op.get_bind().execute(said).all():
        codes = _CODES.match(error)
        kept = letters.update().where(letters.c.id == letter_id).values(error=codes[0] if codes else "")
        op.get_bind().execute(kept)


def downgrade() -> None:
    """And back, without the hashes, which the trail has too."""
    for table, column, kind in _GONE:
        op.add_column(table, sa.Column(column, kind, nullable=True))
    op.drop_column("letters", "said")
    op.drop_column("evidence", "sha256")
    op.add_column("evidence", sa.Column("sha256", sa.String(length=64), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("evidence", "sha256", server_default=None)
