"""How many vendors somebody sees: before each page about one of them, and in each view that lists them.

Whoever opens very many in an hour is asked to prove who they are. Lists are not held back; whoever sees very many
vendors in them is told of all the same.

Home and the page of what is stuck are left out: they show the same few cases to everybody, and nobody can turn their
pages to get to know all vendors.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from vendorrisk.services.people import vendors_opened
from vendorrisk.web import access, edge, freshness

_WATCHED = frozenset({"staff", "auditor"})

_KNOWN = "vendorrisk.watch.known"
"""Pages of lists of which the database has said that all on them counts as seen: since when we know, and until when."""
_MOST_KNOWN = 1_000


def install(app: Flask) -> None:
    """Count after the guard, which has seen to it that the person may be here."""
    app.extensions[_KNOWN] = {}
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
    with edge.writing() as session:
        may_go_on = vendors_opened.count(session, current_user, room, reference, scope, now=now)
    return None if may_go_on else freshness.ask(why="many")


def listed(vendor_ids: Collection[UUID]) -> None:
    """Count the vendors whose names a list is about to show; no query for a page that is looked at again and again."""
    now, known = edge.now(), current_app.extensions[_KNOWN]
    page = (current_user.id, frozenset(vendor_ids))
    since, until = known.get(page, (now, now))
    if not vendor_ids or since <= now < until:
        return
    if len(known) >= _MOST_KNOWN:
        known.clear()
    with edge.reading() as session:
        until = vendors_opened.seen_until(session, current_user.id, page[1], now=now)
    if until is not None:
        known[page] = (now, until)
        return
    with edge.writing() as session:
        vendors_opened.note(session, current_user, vendors_opened.SEEN, page[1], now=now)
