"""Who acts: colleagues as the trail and its readers know them, and the user that an actor is."""

from __future__ import annotations

from uuid import UUID

from vendorrisk.db.models import User
from vendorrisk.domain.audit import Actor, ActorKind


def of(user: User) -> Actor:
    """The colleague, as services and the trail know them."""
    return Actor(ActorKind.STAFF, str(user.id), name(user))


def name(user: User | None) -> str:
    """What a colleague is called: by name, else by address; nothing where nobody is meant."""
    return (user.name or user.email) if user else ""


def user_id(by: Actor) -> UUID | None:
    """The id of the member of staff who acts; None for jobs, commands and vendors."""
    if by.kind is not ActorKind.STAFF:
        return None
    try:
        return UUID(by.id)
    except ValueError:
        return None
