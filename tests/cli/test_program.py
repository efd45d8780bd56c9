"""The whole program as a process of its own: when it starts, and how it stops."""

from __future__ import annotations

import http.client
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.running import ENVIRONMENT, OK

ROOT = Path(__file__).parents[2]


def program(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run `python app.py` or `python -m vendorrisk` as a process of its own."""
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_taken_port_is_said_in_one_sentence(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = {"VENDORRISK_PORT": port, "VENDORRISK_BASE_URL": f"http://127.0.0.1:{port}"}
        ended = program(environ | told, "app.py")
    assert ended.returncode == ENVIRONMENT
    assert f"Port {port} on 127.0.0.1 is taken by another program." in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG is on"),
        ({"VENDORRISK_BASE_URL": "http://risk.example.com"}, "would travel unencrypted"),
        ({"VENDORRISK_DEMO": "1", "VENDORRISK_HOST": "0.0.0.0"}, "may only listen on this machine"),
        ({"VENDORRISK_DATABASE": "mysql://x"}, "VENDORRISK_DATABASE must start with"),
    ],
)
def test_the_service_does_not_start_in_a_bad_state(environ: dict[str, str], told: dict[str, str], says: str) -> None:
    ended = program(environ | told, "app.py")
    assert ended.returncode == ENVIRONMENT
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_whole_service_starts_answers_and_stops(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = {"VENDORRISK_PORT": str(port), "VENDORRISK_BASE_URL": f"http://127.0.0.1:{port}"}
    running = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environ | told, stderr=subprocess.PIPE, text=True
    )
    try:
        answer = _first_answer(port, "/q/a-secret-token")
        assert answer.status == 404
        assert answer.getheader("Content-Security-Policy")
        assert answer.getheader("Server") is None
    finally:
        running.send_signal(signal.SIGTERM)
        _, log = running.communicate(timeout=30)
    assert running.returncode == OK
    assert "GET /q/[cut] 404" in log
    assert "a-secret-token" not in log
    database = Path(environ["VENDORRISK_DATABASE"].removeprefix("sqlite:///"))
    for made in (database, Path(environ["VENDORRISK_KEY_FILE"])):
        assert stat.S_IMODE(made.stat().st_mode) == 0o600


def _first_answer(port: int, path: str) -> http.client.HTTPResponse:
    deadline = time.monotonic() + 45
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer
        except OSError:
            assert time.monotonic() < deadline, "the service did not come up"
            time.sleep(0.2)
