"""Logging without secrets: where the lines go, and one line for each answer. How they look stands in `log_lines`."""

from __future__ import annotations

import logging
import secrets
import sys
import threading
import time
from types import TracebackType

from flask import Flask, Response, g, request

from vendorrisk import lean
from vendorrisk.web.log_lines import formatter, scrub

with lean.without("rich"):  # for colours on a terminal
    from structlog import contextvars

_access = logging.getLogger("vendorrisk.access")
_log = logging.getLogger(__name__)


def configure(level: str, style: str = "text") -> None:
    """Send everything to stderr. Called once by each process that serves.

    `level` is ours. Libraries speak from "warning" up: at "debug" they would log what the database and the network
    carry.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(style))
    logging.basicConfig(level=max(logging.WARNING, logging.getLevelName(level.upper())), handlers=[handler], force=True)
    logging.getLogger("vendorrisk").setLevel(level.upper())
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    sys.excepthook = _died
    threading.excepthook = lambda died: _log.critical("a thread died", exc_info=died.exc_value)


def _died(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    _log.critical("the process dies", exc_info=error)


def install(app: Flask) -> None:
    """Give each request an id, and write one line per answer: never a query string, never a token."""

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()
        contextvars.clear_contextvars()
        contextvars.bind_contextvars(request=_request_id())

    @app.after_request
    def _line(response: Response) -> Response:
        level = logging.DEBUG if request.blueprint == "health" else logging.INFO  # asked every few seconds, for ever
        if not _access.isEnabledFor(level):
            return response
        taken = (time.perf_counter() - g.get("started", time.perf_counter())) * 1000
        path = scrub(request.path)
        fields = {
            "method": request.method, "path": path, "route": request.url_rule.rule if request.url_rule else "",
            "status": response.status_code, "ms": round(taken),
        }  # fmt: skip
        _access.log(level, "%s %s %s", request.method, path, response.status_code, extra=fields)
        return response

    @app.teardown_request
    def _end(_error: BaseException | None) -> None:
        contextvars.clear_contextvars()


def _request_id() -> str:
    """What all log lines of this request share."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(4).upper()
    return str(g.request_id)


def reference() -> str:
    """What the person is shown when something went wrong in this request, to be found in the log."""
    return f"E-{_request_id()}"
