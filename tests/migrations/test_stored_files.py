"""The migration that brings the ledger of stored files enters what earlier versions have stored."""

from __future__ import annotations

import re
from uuid import uuid4

from sqlalchemy import select

from tests import builders, stuck_work
from tests.builders import NOW
from vendorrisk.db import migrate
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence, StoredFile
from vendorrisk.domain.assessment import FileState


def before_it() -> str:
    (path,) = (migrate.MIGRATIONS / "versions").glob("*_stored_files.py")
    found = re.search(r'^down_revision = "(\w+)"', path.read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_what_was_stored_before_stands_in_the_ledger(database: Database, database_url: str) -> None:
    with database.writing() as session:
        request = builders.add_request(session)
        for number, removed in enumerate((None, NOW)):
            session.add(
                Evidence(
                    id=uuid4(), request_id=request.id, name=b"n", kind="pdf", size=1, sha256=b"h",
                    storage_name=f"evidence-{number}", uploaded_at=NOW, uploaded_by=b"u", removed_at=removed,
                )
            )  # fmt: skip
        stuck_work.report(session, NOW).storage_name = "report-1"
        stuck_work.report(session, NOW)
    database.close()
    migrate.downgrade(database_url, before_it())
    migrate.upgrade(database_url)
    with database.reading() as session:
        ledger = {row.name: (row.state, row.leased_until) for row in session.scalars(select(StoredFile))}
    assert ledger == {
        "evidence-0": (FileState.KEPT, NOW),
        "evidence-1": (FileState.DOOMED, NOW),
        "report-1": (FileState.KEPT, NOW),
    }
