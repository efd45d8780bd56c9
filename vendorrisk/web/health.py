"""/healthz and /readyz: what monitors and load balancers ask. They name nobody, and are cheap however often asked."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from vendorrisk.services.operating import health
from vendorrisk.services.operating.health import Finding, State
from vendorrisk.services.runtime import Runtime
from vendorrisk.web import access, edge

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

bp = Blueprint("health", __name__)
PATHS = ("/healthz", "/readyz")
_KEY = "vendorrisk_ready"
DATABASE_SECONDS, STORAGE_SECONDS = 2.0, 30.0
"""How long what was found is remembered."""
_log = logging.getLogger(__name__)


@bp.get("/healthz")
@access.open_to_anyone("a monitor asks whether the process answers; it says nothing else")
def healthz() -> ResponseReturnValue:
    """The process is alive. Nothing else is looked at: a database that is away is no reason to kill it."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/readyz")
@access.open_to_anyone("a load balancer asks whether requests may come; it names checks, never values")
def readyz() -> ResponseReturnValue:
    """Whether requests can be answered: database, key, storage, work. Only the names of what fails are said."""
    looks: tuple[_Remembered, ...] = current_app.extensions[_KEY]
    failing = sorted({name for look in looks for name in look.failing()})
    return jsonify(ready=not failing, failing=failing), 503 if failing else 200


def install(app: Flask, runtime: Runtime) -> None:
    """Have the checks ready, and let the two addresses be asked for by the machine's IP address as well."""
    app.extensions[_KEY] = (
        _Remembered(lambda: _of_database(runtime), DATABASE_SECONDS),
        _Remembered(lambda: [("storage", health.storage_takes(runtime.storage))], STORAGE_SECONDS),
    )
    app.wsgi_app = _ByAnyName(app.wsgi_app, runtime.settings.trusted_hosts[0])  # type: ignore[method-assign]


def _of_database(runtime: Runtime) -> Iterable[tuple[str, Finding]]:
    try:
        with Session(runtime.database.engine) as session:  # `reading` would need the key, which is looked at last
            yield "schema", health.schema_fits(session)
            yield "jobs", health.work_goes_on(session, now=edge.now())
        yield "key", health.key_fits(runtime.database)
    except (DBAPIError, PoolTimeout):
        yield "database", Finding(State.STOP, "The database does not answer.")


class _Remembered:
    """Checks that are made once in a while, by one request at a time; the others are told what was found last."""

    def __init__(self, look: Callable[[], Iterable[tuple[str, Finding]]], seconds: float) -> None:
        self._look, self._seconds = look, seconds
        self._lock = threading.Lock()
        self._found: tuple[str, ...] = ("not looked yet",)
        self._until = 0.0

    def failing(self) -> tuple[str, ...]:
        """The names of what does not work."""
        if time.monotonic() >= self._until and self._lock.acquire(blocking=False):
            try:
                wrong = [(name, found) for name, found in self._look() if found.state is State.STOP]
                for name, found in wrong:
                    _log.warning("not ready: %s: %s", name, found.text)
                self._found = tuple(name for name, _ in wrong)
                self._until = time.monotonic() + self._seconds
            finally:
                self._lock.release()
        return self._found


class _ByAnyName:
    """A probe asks by IP address, and TRUSTED_HOSTS would refuse it. These two pages hold no link that a forged Host
    could turn: they are answered under our own name.
    """

    def __init__(self, app: WSGIApplication, host: str) -> None:
        self._app, self._host = app, host

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in PATHS:
            environ["HTTP_HOST"] = self._host
        return self._app(environ, start_response)
