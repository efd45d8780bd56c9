"""The whole service on a port of its own, and Chromium to look at it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from tests import cast
from tests.application import Clock
from tests.cast import Cast
from tests.databases import MASTER
from vendorrisk import factory
from vendorrisk.db import engine
from vendorrisk.db.engine import Database
from vendorrisk.library import shipped
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_CHROMIUM_FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Live:
    """The service listening on a port of its own, with pages and jobs."""

    url: str
    app: Flask
    runtime: Runtime

    @property
    def database(self) -> Database:
        """Its database: write with `with live.database.writing() as session:`."""
        return self.runtime.database


@pytest.fixture
def live(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Live]:
    """The whole service on 127.0.0.1, in demo mode, so that letters can be read at /dev/mail."""
    from waitress import wasyncore
    from waitress.server import create_server

    from vendorrisk import jobs

    server_settings = {
        "VENDORRISK_DATABASE": database_url,
        "VENDORRISK_KEY_FILE": str(tmp_path / "master.key"),
        "VENDORRISK_STORAGE": str(tmp_path / "files"),
        "VENDORRISK_MAIL": f"file:{tmp_path / 'mail'}",
        "VENDORRISK_MAIL_FROM": "risk@acme.example",
        "VENDORRISK_DEMO": "1",
    }
    opened = Database(engine.make_engine(database_url), MASTER)
    library = shipped.load()

    def wsgi(environ: Any, start_response: Any) -> Any:
        return app(environ, start_response)

    listening = socket.create_server(("127.0.0.1", 0))
    server: Any = create_server(wsgi, sockets=[listening], threads=8)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = Settings.from_env(server_settings | {"VENDORRISK_BASE_URL": url})
    runtime = Runtime(settings, opened, library, library.rules, open_storage(settings.storage))
    app = factory.create_app(settings, runtime)
    app.config["CLOCK"] = clock
    thread = threading.Thread(target=server.run, name="live", daemon=True)
    thread.start()
    stop_jobs = jobs.start(runtime, clock=clock)
    yield Live(url, app, runtime)
    stop_jobs()
    server.task_dispatcher.shutdown()
    # In the loop's own thread: it would stumble over what is closed under it.
    server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
    thread.join(5)
    assert not thread.is_alive(), "the server did not stop"
    opened.close()


@pytest.fixture
def cast_of(live: Live) -> Cast:
    """Petra, Adam and Audrey can sign in to the live service."""
    with live.database.writing() as session:
        return cast.of(session)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless: `browser.new_page()`. The test is skipped where there is none."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        reason = "NO CHROMIUM: browser tests did not run. Install it, or name it in CHROMIUM."
        if os.environ.get("VENDORRISK_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # as long as clicks wait: the machine may be busy
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=[*sandbox, *_CHROMIUM_FLAGS])
        yield opened
        opened.close()
