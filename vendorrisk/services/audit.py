"""Writes the trail: one event for every change, in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CTE, Insert, bindparam, insert, select
from sqlalchemy.orm import Session

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.models import Event
from vendorrisk.db.prepared import Prepared
from vendorrisk.db.vault import Master
from vendorrisk.domain import chain
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.chain import Entry, Keyed

CONTEXT = "trail.details"
TRAIL_KIND, TRAIL = "trail", UUID("00000000-0000-0000-0000-000000000002")
"""What events about the trail itself are about."""
_COLUMNS = ("id", "at", "kind", "actor_kind", "actor_id", "object_kind", "object_id", "details", "mac")
_EVENTS = Event.metadata.tables[Event.__tablename__]


def adding(done: CTE | None = None) -> Insert:
    """The statement that adds an event, as `event` makes it; for a prepared.Chain, if the write before it was done."""
    values = {name: bindparam(name, type_=_EVENTS.c[name].type) for name in _COLUMNS}
    if done is None:
        return insert(_EVENTS).values(values).inline()
    return insert(_EVENTS).from_select(_COLUMNS, select(*values.values()).select_from(done), include_defaults=False)


_ADD = Prepared(adding())
"""Past the session: an event goes with every save, and nobody needs the object afterwards."""


def record(
    session: Session,
    kind: EventKind,
    *,
    object_kind: str,
    object_id: UUID,
    by: Actor,
    now: datetime,
    key_id: UUID = vault.SYSTEM_KEY,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an event to the trail. `details` (JSON) is sealed with `key_id`: the vendor's, where one is concerned.

    Events about a case have object_kind "assessment" and its id, so that one look-up gives the whole story.
    """
    about = (object_kind, object_id)
    _ADD.rows(session, **event(session, kind, about, by=by, now=now, key_id=key_id, details=details or {}))


def event(
    session: Session,
    kind: EventKind,
    about: tuple[str, UUID],
    *,
    by: Actor,
    now: datetime,
    key_id: UUID,
    details: Mapping[str, Any],
) -> dict[str, Any]:
    """An event's row, sealed and with its HMAC; `about` is the kind and the id of its object."""
    sealed = vault.seal_json(session, key_id, {"by": by.name, **details}, context=CONTEXT)
    entry = Entry(
        0, uuid4(), now.astimezone(UTC), kind.value, by.kind.value, by.id, *about, sealed, mac=b""
    )  # the database gives the number: the link covers it, the HMAC does not
    entry = entry._replace(mac=keyed(vault.keyring(session).master)(chain.body(entry)))
    return {name: getattr(entry, name) for name in _COLUMNS}


def keyed(master: Master) -> Keyed:
    """The trail's HMAC: the one place where its key comes from."""
    return partial(crypto.mac, master.purpose("trail"))
