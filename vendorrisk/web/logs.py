"""Logging without secrets: links and reset tokens are cut out of every line, the access log's too."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time

from flask import Flask, Response, g, request

_access = logging.getLogger("vendorrisk.access")
# The paths whose next part is a secret.
_SECRETS = re.compile(r"(/(?:q|forgotten-password)/)[^/\s?\"'<>]+")
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"


def scrub(text: str) -> str:
    """The text with every link's token replaced."""
    return _SECRETS.sub(r"\1[cut]", text)


class ScrubbingFormatter(logging.Formatter):
    """Formats a record, tracebacks included, and then cuts the secrets out."""

    def format(self, record: logging.LogRecord) -> str:
        """The finished line."""
        return scrub(super().format(record))


def configure(level: str) -> None:
    """Send everything to stderr, scrubbed. Called once by the process that serves."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ScrubbingFormatter(_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("huey", "alembic", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def install(app: Flask) -> None:
    """Give each request a reference, and write one line per answer: never a query string, never a token."""

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _line(response: Response) -> Response:
        taken = (time.perf_counter() - g.get("started", time.perf_counter())) * 1000
        path = scrub(request.path).encode("unicode_escape").decode()
        _access.info("%s %s %s %.0fms", request.method, path, response.status_code, taken)
        return response


def reference() -> str:
    """What the person is shown and the log holds when something went wrong in this request."""
    if "error_reference" not in g:
        g.error_reference = "E-" + secrets.token_hex(4).upper()
    return str(g.error_reference)
