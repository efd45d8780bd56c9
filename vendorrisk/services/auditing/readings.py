"""Readings of answers, evidence and reports are events: written here before anything is shown.

Called by `web/readings.py`, `evidence` and `reports`. The edge commits before evidence or a report leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Event
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.services import audit
from vendorrisk.services.auditing import trail
from vendorrisk.services.casework.dossiers import Dossier

COALESCED = timedelta(minutes=10)
"""Readings of the same thing by the same person within this time are one event."""


def has_noted(
    session: Session, kind: EventKind, case_id: UUID, thing: Mapping[str, Any], *, by: Actor, now: datetime
) -> bool:
    """Whether the trail says already that this person has read this thing of the case just now."""
    recent = session.scalars(
        select(Event).where(
            Event.object_kind == "assessment", Event.object_id == case_id, Event.kind == kind.value,
            Event.actor_id == by.id,
            # What a clock that was ahead dated into the future is no reading "just now".
            Event.at > now - COALESCED, Event.at <= now,
        )
    )  # fmt: skip
    bodies = [trail.opened(session, event)[0] for event in recent]
    return any(all(body.get(name) == value for name, value in thing.items()) for body in bodies)


def note(
    session: Session, kind: EventKind, case_id: UUID, thing: Mapping[str, Any], *, key_id: UUID, by: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """Write that somebody reads this thing of the case; once in ten minutes for the same person and thing."""
    if has_noted(session, kind, case_id, thing, by=by, now=now):
        return
    audit.record(
        session, kind, object_kind="assessment", object_id=case_id, key_id=key_id, by=by, now=now, details=thing
    )


def has_read_answers(session: Session, dossier: Dossier, *, by: Actor, now: datetime) -> bool:
    """Whether there is nothing to write: no answers were asked for, they are erased, or the trail knows of this."""
    if dossier.request is None or not vault.is_alive(session, dossier.key_id):
        return True
    return has_noted(session, EventKind.ANSWERS_READ, dossier.case.id, _answers(dossier), by=by, now=now)


def note_answers(session: Session, dossier: Dossier, *, by: Actor, now: datetime) -> None:
    """Write that somebody reads the answers of this case."""
    thing = _answers(dossier)
    note(session, EventKind.ANSWERS_READ, dossier.case.id, thing, key_id=dossier.key_id, by=by, now=now)


def _answers(dossier: Dossier) -> dict[str, str]:
    return {"request": dossier.sent.reference}
