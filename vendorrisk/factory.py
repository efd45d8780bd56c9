"""The composition root: the one module that knows all the others. Called by app.py, `__main__` and the tests."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask_compress import Compress

import vendorrisk
from vendorrisk import jobs
from vendorrisk.library import shipped
from vendorrisk.services.operating import opening
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage
from vendorrisk.web import (
    about,
    access,
    account,
    auditor,
    callers,
    cookies,
    dev,
    edge,
    errors,
    formats,
    headers,
    health,
    incoming,
    logs,
    passkeys,
    second_step,
    server,
    shedding,
    sign_in,
    staff,
    static,
    templates,
    vendor,
    watch,
)
from vendorrisk.web import runtime as web_runtime

ROOT = Path(__file__).parents[1]
_log = logging.getLogger(__name__)


def serve(settings: Settings, ready: Callable[[Runtime], None] = lambda runtime: None) -> None:
    """Run the whole service, pages and jobs in one process, until it is told to stop.

    `ready` is called once the address answers. Raises server.CannotListen where another program has the port.
    """
    logs.configure(settings.log, settings.log_format)
    runtime = build_runtime(settings)
    listening = server.listen(create_app(settings, runtime), settings)
    stop_jobs = jobs.start(runtime)
    gc.collect()
    gc.freeze()  # what was made up to here stays: nothing is gained by looking through it for garbage again and again
    try:
        ready(runtime)
        _log.info("serving on %s", settings.base_url)
        server.run(listening)
    finally:
        stop_jobs()


def build_runtime(settings: Settings) -> Runtime:
    """Open everything that the settings name: database, questionnaires, storage.

    Raises keys.BadKey, BadStorage, and BrokenFile for a questionnaire that cannot be read.
    """
    database = opening.database(settings)
    library = shipped.load()
    return Runtime(settings, database, library, library.rules, open_storage(settings.storage))


def create_app(settings: Settings, runtime: Runtime | None = None) -> Flask:
    """The web application. Tests hand in a runtime of their own; otherwise it is built from the settings."""
    runtime = runtime or build_runtime(settings)
    app = Flask("vendorrisk", static_folder=None, template_folder=str(ROOT / "templates"))
    app.config.update(
        CLOCK=edge.system_clock,
        TRUSTED_HOSTS=settings.trusted_hosts,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a questionnaire may stay open all day
        WTF_CSRF_SSL_STRICT=False,  # it asks for a Referer, and ours is no-referrer
        COMPRESS_MIN_SIZE=1024,
    )
    app.jinja_environment = templates.SharedGlobals
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["site"] = {
        "organisation": settings.organisation,
        "demo": settings.demo,
        "zone": settings.zone,
        "version": vendorrisk.__version__,
    }
    web_runtime.install(app, runtime)
    _install_edge(app, runtime)
    _register_pages(app, demo=settings.demo)
    return app


def _install_edge(app: Flask, runtime: Runtime) -> None:
    """Everything around the views. The order counts: who asks is known before the guard, which speaks before CSRF."""
    callers.install(app, runtime.settings.proxy)
    logs.install(app)
    headers.install(app, https=runtime.settings.https)
    shedding.install(app)
    incoming.install(app)
    sign_in.install(app, runtime)
    access.install(app)
    watch.install(app)
    cookies.install(app)
    errors.install(app)
    formats.install(app)
    static.install(app)
    health.install(app, runtime)
    Compress(app)


def _register_pages(app: Flask, *, demo: bool) -> None:
    for room in (staff, vendor, auditor, second_step, passkeys, account, about, health):
        app.register_blueprint(room.bp)
    if demo:
        app.register_blueprint(dev.bp)
