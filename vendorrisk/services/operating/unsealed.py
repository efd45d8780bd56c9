"""Hashes of files that a migration left to be sealed, for it had no keys (migrations/versions/0009).

Called before anything else is done with a database: by `opening`, and by `restoring` once the keys are there.
Whoever is killed meanwhile leaves the rest to the next start.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence, Request, Vendor

BATCH = 500
_IS_PLAIN = func.length(Evidence.sha256) == 64
"""A SHA-256 in hex; what is sealed is longer."""


def is_any(database: Database) -> bool:
    """Whether there are some. It needs no key."""
    with database.engine.connect() as connection:
        return connection.scalar(select(Evidence.id).where(_IS_PLAIN).limit(1)) is not None


def seal_all(database: Database) -> None:
    """Seal them with their vendors' keys, a batch at a time, and leave nothing of them in SQLite's log."""
    more = True
    while more:
        with database.writing() as session:
            more = seal_some(session)
    database.forget_log()


def seal_some(session: Session) -> bool:
    """Seal the next batch. Returns whether there was one."""
    plain = (
        select(Evidence.id, Evidence.sha256, Vendor.key_id)
        .join(Request, Request.id == Evidence.request_id)
        .join(Vendor, Vendor.id == Request.vendor_id)
        .where(_IS_PLAIN)
        .limit(BATCH)
    )
    rows = session.execute(plain).all()
    vault.preload(session, {key_id for _, _, key_id in rows})
    for evidence_id, sha256, key_id in rows:
        row = update(Evidence).where(Evidence.id == evidence_id, _IS_PLAIN)
        session.execute(row.values(sha256=_sealed(session, key_id, sha256)))
    return bool(rows)


def _sealed(session: Session, key_id: UUID, plain: bytes | None) -> Sealed | None:
    if plain is None or not vault.is_alive(session, key_id):
        return None
    return vault.seal_text(session, key_id, plain.decode("ascii"), context="evidence.sha256")
