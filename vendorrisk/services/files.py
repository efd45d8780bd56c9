"""Stored files and their ledger: no file without a row that knows it, no row without its file, whoever is killed when.

A name is entered and committed (`begin`) before its bytes are stored; the transaction that points to the file says
`keep`, and the one that lets go of it `drop`. What was begun and never kept, and what was dropped, is deleted by
`sweep`, the file first and its row after it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import CursorResult, Select, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from vendorrisk.db.engine import Database
from vendorrisk.db.models import StoredFile
from vendorrisk.domain.assessment import FileState
from vendorrisk.domain.errors import WrongState
from vendorrisk.storage import Storage

LEASE = timedelta(minutes=15)
"""How long somebody may take from `begin` to `keep`: far longer than it takes to store 25 MB."""
BATCH = 100

_log = logging.getLogger(__name__)


def begin(session: Session, name: str, *, now: datetime) -> None:
    """Enter a name of our own making (random) before anything is stored under it. Commit before storing."""
    session.add(StoredFile(name=name, state=FileState.WRITING, leased_until=now + LEASE))
    session.flush()


def keep(session: Session, name: str) -> None:
    """The file is stored, and a row of this transaction points to it. Raises WrongState where it took too long."""
    if not _move(session, name, FileState.WRITING, FileState.KEPT):
        raise WrongState("Storing the file took too long, and nothing of it was kept. Send it again.")


def drop(session: Session, name: str) -> None:
    """No row points to the file any more: once this is committed, the next sweep deletes it."""
    _move(session, name, FileState.KEPT, FileState.DOOMED)


def sweep(database: Database, storage: Storage, *, now: datetime) -> int:
    """Delete what nobody keeps; returns how many files that were. Called by the job of every minute."""
    with database.reading() as session:
        if not session.scalars(_waste(now)).first():
            return 0
    with database.writing() as session:
        # From here on, whoever was too slow cannot keep it any more.
        names = list(session.scalars(_waste(now).limit(BATCH)))
        doom = update(StoredFile).where(StoredFile.name.in_(names)).values(state=FileState.DOOMED)
        session.execute(doom, execution_options={"synchronize_session": False})
    gone = [name for name in names if _deleted(storage, name)]
    with database.writing() as session:
        forget = delete(StoredFile).where(StoredFile.name.in_(gone), StoredFile.state == FileState.DOOMED)
        session.execute(forget, execution_options={"synchronize_session": False})
    return len(gone)


def _move(session: Session, name: str, before: FileState, after: FileState) -> bool:
    change = update(StoredFile).where(StoredFile.name == name, StoredFile.state == before).values(state=after)
    done = session.execute(change, execution_options={"synchronize_session": False})
    return cast("CursorResult[tuple[()]]", done).rowcount == 1


def _waste(now: datetime) -> Select[str]:
    abandoned = and_(StoredFile.state == FileState.WRITING, StoredFile.leased_until <= now)
    return select(StoredFile.name).where(or_(StoredFile.state == FileState.DOOMED, abandoned))


def _deleted(storage: Storage, name: str) -> bool:
    try:
        storage.delete(name)
    except Exception:  # a storage that is away for now must not keep the others from being deleted
        _log.exception("the stored file %s could not be deleted; it is tried again", name)
        return False
    return True
