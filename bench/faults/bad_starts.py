"""Starts in a bad state: each ends with an exit code that is not 0 and a reason, and never opens its port."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from bench.faults import seats
from bench.faults.counts import Count
from bench.faults.service import ROOT, environment, free_port

Environ = dict[str, str]
_ANOTHER_KEY = "vendorrisk-key-1 abcd1234 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"


def counts() -> Iterator[Count]:
    """One start for each bad state."""
    wrong = []
    for name, (harm, says) in STATES.items():
        with tempfile.TemporaryDirectory() as folder:
            environ = environment(Path(folder), port=free_port())
            seats.take(environ, 0)
            environ |= harm(environ) or {}
            ended = _start(environ)
        if ended.returncode == 0 or says not in ended.stderr or "Traceback" in ended.stderr:
            wrong.append(f"{name}: {ended.returncode} {ended.stderr[-200:]}")
    yield Count("a start in a bad state ends with a reason", len(STATES), len(wrong), "; ".join(wrong))


def _start(environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def _key(environ: Environ) -> Path:
    return Path(environ["VENDORRISK_KEY_FILE"])


def _open_key(environ: Environ) -> None:
    _key(environ).chmod(0o644)


def _no_key(environ: Environ) -> None:
    _key(environ).unlink()


def _weak_key(environ: Environ) -> None:
    _key(environ).write_text("vendorrisk-key-1 ab " + "A" * 43 + "=\n")


def _another_key(environ: Environ) -> None:
    _key(environ).write_text(_ANOTHER_KEY)


def _later_schema(environ: Environ) -> None:
    with closing(sqlite3.connect(environ["VENDORRISK_DATABASE"].removeprefix("sqlite:///"))) as there, there:
        there.execute("UPDATE alembic_version SET version_num = '9999'")


def _told(**settings: str) -> Callable[[Environ], Environ]:
    return lambda _environ: {
        name if name == "FLASK_DEBUG" else f"VENDORRISK_{name}": value for name, value in settings.items()
    }


def _taken_port(environ: Environ) -> None:
    _TAKEN.append(socket.create_server(("127.0.0.1", int(environ["VENDORRISK_PORT"]))))


_TAKEN: list[socket.socket] = []
_NOWHERE = "postgresql+psycopg://risk:secret@127.0.0.1:1/risk"
STATES: dict[str, tuple[Callable[[Environ], Environ | None], str]] = {
    "no key": (_no_key, "There is no key file"),
    "weak key": (_weak_key, "is weak"),
    "key that others can read": (_open_key, "can be read by others"),
    "key of another database": (_another_key, "not the one that this database was made with"),
    "debug on": (_told(FLASK_DEBUG="1"), "FLASK_DEBUG is on"),
    "plain http to others": (_told(BASE_URL="http://risk.example.com"), "would travel unencrypted"),
    "demonstration for everybody": (_told(DEMO="1", HOST="0.0.0.0"), "may only listen on this machine"),
    "unencrypted mail": (_told(MAIL="smtp://mail.example:25?starttls=0"), "would travel unencrypted"),
    "mistyped setting": (_told(BASEURL="http://127.0.0.1"), "Did you mean VENDORRISK_BASE_URL?"),
    "storage that cannot be written": (_told(STORAGE="/proc/files"), "cannot be written"),
    "database away": (_told(DATABASE=_NOWHERE), "The database does not answer"),
    "database of a later version": (_later_schema, "a later version has been here"),
    "port taken": (_taken_port, "is taken by another program"),
}
