"""Says "busy" at once where too many wait, so that those who are let in are answered soon; `server` counts them."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app, request

from vendorrisk.db.engine import Busy

MOST_WAITING = 48
"""Some seconds of work for the server's threads. Who comes later would have given up before their turn."""
MOST_SAVES_WAITING = 4 * MOST_WAITING
"""A save takes a fraction of a page's time, hardly more than refusing it does, and it is what people came for."""
_KEY = "vendorrisk_waiting"


def install(app: Flask) -> None:
    """Refuse before anything else is done. Until a server says otherwise, nobody waits."""
    watch(app, lambda: 0)
    app.before_request(_refuse)


def watch(app: Flask, waiting: Callable[[], int]) -> None:
    """Tell how many requests wait for a thread."""
    app.extensions[_KEY] = waiting


def _refuse() -> None:
    cheap = request.blueprint == "health" or request.endpoint == "static"
    most = MOST_SAVES_WAITING if request.endpoint == "vendor.save_answer" else MOST_WAITING
    if not cheap and current_app.extensions[_KEY]() > most:
        raise Busy("too many requests wait")
