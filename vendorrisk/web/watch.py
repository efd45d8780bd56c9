"""Before each page about one vendor: whoever opens very many of them in an hour is asked to prove who they are."""

from __future__ import annotations

from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from vendorrisk.services.limits import TooMany
from vendorrisk.services.people import vendors_opened
from vendorrisk.web import access, edge, freshness

_WATCHED = frozenset({"staff", "auditor"})


def install(app: Flask) -> None:
    """Count after the guard, which has seen to it that the person may be here."""
    app.before_request(_watch)


def _watch() -> ResponseReturnValue | None:
    reference = (request.view_args or {}).get("reference")
    if reference is None or request.blueprint not in _WATCHED:
        return None
    room = request.path.removeprefix("/audit").split("/")[1]
    if room not in vendors_opened.ROOMS:
        return None
    who, now = current_user.id, edge.now()
    with edge.reading() as session:
        scope = access.scope_of_current(session) if request.blueprint == "auditor" else None
        if vendors_opened.is_counted(session, who, room, reference, scope, now=now):
            return None
    try:
        with edge.writing() as session:
            vendors_opened.count(session, who, room, reference, scope, now=now)
    except TooMany:
        with edge.writing() as session:
            vendors_opened.raise_alarm(session, current_user, now=now)
        return freshness.ask(why="many")
    return None
