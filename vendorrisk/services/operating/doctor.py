"""The examination of a deployment: opens it as it is, and makes every check. Called by `doctor` and `upgrade`.

To add a check, write a function in `checkups`, and a line in CHECKS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from vendorrisk.db import engine, schema
from vendorrisk.db.engine import Database
from vendorrisk.db.schema import Standing
from vendorrisk.services.operating import checkups, keys, upgrading
from vendorrisk.services.operating.checkups import Deployment, Look
from vendorrisk.services.operating.health import Finding, State
from vendorrisk.services.operating.keys import BadKey
from vendorrisk.settings import Settings


def examine(
    settings: Settings, *, now: datetime, checks: Mapping[str, Look] | None = None
) -> Iterator[tuple[str, Finding]]:
    """Every check by its name, or those that are given. What cannot be looked into is a finding too.

    Nothing is changed by looking.
    """
    opened = _open(settings)
    try:
        deployment = Deployment(settings, opened, now)
        for name, look in (CHECKS if checks is None else checks).items():
            if opened is not None or look not in _NEED_THE_DATABASE:
                yield name, _tried(look, deployment)
    finally:
        if opened is not None:
            opened.close()


def _open(settings: Settings) -> Database | None:
    """The database as it is: nothing is made, migrated or written."""
    file = upgrading.sqlite_file(settings.database)
    if file is not None and not file.exists():
        return None
    try:
        opened = Database(engine.make_engine(settings.database), keys.master(settings.key_file))
        with Session(opened.engine) as session:  # not `reading`: whether the key fits is asked later
            fits = schema.standing(schema.current(session.connection())) is Standing.FITS
    except (BadKey, DBAPIError):
        return None
    if fits:
        return opened
    opened.close()
    return None


def _tried(look: Look, deployment: Deployment) -> Finding:
    try:
        return look(deployment)
    except Exception as error:  # a check that breaks must not hide the others
        return Finding(State.STOP, f"It could not be looked into: {type(error).__name__}.", "Look into the log.")


CHECKS: dict[str, Look] = {
    "key file": checkups.key_file,
    "database": checkups.reached,
    "key": checkups.key_fits,
    "durability": checkups.durable,
    "database file": checkups.sound,
    "old copies": checkups.copies,
    "backup keys": checkups.keyring,
    "trail": checkups.trail,
    "storage": checkups.storage,
    "room": checkups.room,
    "mail": checkups.mail,
    "antivirus": checkups.scanner,
    "links": checkups.links,
    "clock": checkups.clock,
    "jobs": checkups.work,
    "accounts": checkups.people,
    "reports": checkups.reports,
    "report network": checkups.network,
}
"""What `doctor` looks at, in the order in which a person would put things right."""

_NEED_THE_DATABASE = frozenset(
    {
        checkups.key_fits,
        checkups.durable,
        checkups.sound,
        checkups.keyring,
        checkups.trail,
        checkups.whole_trail,
        checkups.clock,
        checkups.work,
        checkups.people,
    }
)
