"""The web server inside the process: waitress, set so that no request or answer ever lies on disk in plain."""

from __future__ import annotations

import errno
import resource
import signal
from contextlib import suppress
from types import FrameType
from typing import Any

from flask import Flask
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from vendorrisk.settings import Settings
from vendorrisk.web import bodies, incoming, shedding

Server = BaseWSGIServer | MultiSocketServer
THREADS = 4
"""More only take turns at the interpreter: 16 browsers at once are served a sixth slower by 8 (bench/traffic.py)."""
_FILES = 4096
_IN_MEMORY = 4 * incoming.MAX_BODY


class CannotListen(OSError):
    """The address cannot be had. The text is for the operator."""


def listen(app: Flask, settings: Settings) -> Server:
    """Take the port. Raises CannotListen."""
    options: dict[str, Any] = {
        "threads": THREADS,
        "ident": None,
        "url_scheme": "https" if settings.https else "http",
        "connection_limit": 1000,
        "asyncore_use_poll": True,  # select() knows no more than 1,024 files
        "inbuf_overflow": _IN_MEMORY,  # beyond these, waitress would write plain temporary files
        "outbuf_overflow": _IN_MEMORY,
        "clear_untrusted_proxy_headers": False,  # callers.py reads them, whatever the server
    }
    _allow_many_files()
    sockets: dict[int, Any] = {}
    try:
        server = create_server(app, map=sockets, host=settings.host, port=settings.port, **options)
    except OSError as error:
        raise CannotListen(_why(error, settings)) from None
    for listening in sockets.values():
        if isinstance(listening, BaseWSGIServer):  # several, where the host's name means several addresses
            listening.channel_class = bodies.Channel
    waiting = server.task_dispatcher.queue
    shedding.watch(app, lambda: len(waiting))
    return server


def _allow_many_files() -> None:
    """Each connection is a file, and many systems begin with 1,024 although they would give more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _why(error: OSError, settings: Settings) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {settings.port} on {settings.host} is taken by another program. Stop that one, or choose another: "
            "VENDORRISK_PORT=8001 VENDORRISK_BASE_URL=http://127.0.0.1:8001"
        )
    if error.errno == errno.EACCES:
        return f"Port {settings.port} needs more rights than this user has. Choose one above 1023."
    return f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}."


def run(server: Server) -> None:
    """Answer requests until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        server.run()
    except KeyboardInterrupt:
        server.close()


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
