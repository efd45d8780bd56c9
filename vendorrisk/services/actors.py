"""Which user an actor is: for the columns that say who did something."""

from __future__ import annotations

from uuid import UUID

from vendorrisk.domain.audit import Actor, ActorKind


def user_id(by: Actor) -> UUID | None:
    """The id of the member of staff who acts; None for jobs, commands and vendors."""
    if by.kind is not ActorKind.STAFF:
        return None
    try:
        return UUID(by.id)
    except ValueError:
        return None
