"""The edge of the web: opens transactions and tells the time; every view uses it, nothing below does.

with edge.writing() as session:
    requests.send(session, …, by=access.current_actor(), now=edge.now())
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy.orm import Session

from vendorrisk.services.runtime import Runtime
from vendorrisk.web import runtime


def services() -> Runtime:
    """The runtime: settings, database, library, rules, storage."""
    return runtime.current()


def reading() -> AbstractContextManager[Session]:
    """A session for looking only."""
    return services().database.reading()


def writing() -> AbstractContextManager[Session]:
    """One transaction, committed when the block ends well."""
    return services().database.writing()


def now() -> datetime:
    """The moment of this request in UTC. Tests set app.config["CLOCK"]."""
    moment: datetime = current_app.config["CLOCK"]()
    return moment.astimezone(UTC)


def system_clock() -> datetime:
    """The clock that the factory installs."""
    return datetime.now(UTC)
