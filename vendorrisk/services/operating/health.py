"""The rules by which the service is called fit, each once: /readyz, `doctor` and the Send page ask them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vendorrisk import settings as settings_module
from vendorrisk.db import schema
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Letter, Report
from vendorrisk.db.schema import Standing
from vendorrisk.domain.assessment import WorkState
from vendorrisk.services import work
from vendorrisk.services.operating import keys
from vendorrisk.services.operating.keys import BadKey
from vendorrisk.settings import Settings
from vendorrisk.storage import BadStorage, Storage

STUCK = timedelta(minutes=10)
"""What has been due for longer is taken by nobody: no worker runs."""


class State(StrEnum):
    """How a check came out: fine, worth knowing, or not working."""

    OK = "ok"
    WARN = "warn"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw; `remedy` says what to do about it."""

    state: State
    text: str
    remedy: str = ""


def schema_fits(session: Session) -> Finding:
    """Whether the database's schema is the one of this version."""
    revision = schema.current(session.connection())
    standing = schema.standing(revision)
    if standing is Standing.FITS:
        return Finding(State.OK, f"The schema is at {revision}.")
    if standing is Standing.NEWER:
        text = f"The schema is at {revision}, made by a later version than this one."
        return Finding(State.STOP, text, "Run the later version.")
    text = f"The schema is at {revision or 'nothing'}; this version needs {schema.newest()}."
    return Finding(State.STOP, text, "python -m vendorrisk upgrade")


def key_fits(database: Database) -> Finding:
    """Whether the key opens what is in the database."""
    try:
        keys.check_opens(database)
    except BadKey as error:
        return Finding(State.STOP, str(error), "Put the key file back that belongs to this database.")
    return Finding(State.OK, "The key opens this database.")


def storage_takes(storage: Storage) -> Finding:
    """Whether files can be stored."""
    try:
        storage.probe()
    except BadStorage as error:
        return Finding(State.STOP, str(error), "Make room, or put its rights or address right.")
    return Finding(State.OK, "Files can be stored.")


def work_goes_on(session: Session, *, now: datetime) -> Finding:
    """Whether letters and reports that are due are taken by somebody."""
    before = now - STUCK
    if work.due(session, Letter, now=before, limit=1) or work.due(session, Report, now=before, limit=1):
        minutes = int(STUCK.total_seconds() // 60)
        text = f"Letters or reports have been due for more than {minutes} minutes, and nobody takes them."
        return Finding(State.STOP, text, "Start the service, or the process that runs the jobs.")
    return Finding(State.OK, "Letters and reports that are due are taken.")


def letters_held_up(session: Session) -> int:
    """How many letters were tried and still wait for the mail server."""
    waiting = select(func.count()).select_from(Letter).where(Letter.state == WorkState.QUEUED, Letter.attempts > 0)
    return session.scalar(waiting) or 0


def links_lead_here_only(settings: Settings) -> bool:
    """Whether links in letters open on this machine only."""
    return settings_module.is_loopback(urlsplit(settings.base_url).hostname or "")
