"""A program that says hello on the service's own web server: what `traffic` holds the service against."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable

from waitress import serve

from vendorrisk.web.server import THREADS


def hello(_environ: object, start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """The smallest page there is."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


if __name__ == "__main__":
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as the service does
    serve(hello, host="127.0.0.1", port=int(sys.argv[1]), threads=THREADS, ident=None, asyncore_use_poll=True)
