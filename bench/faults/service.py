"""A real service in a process of its own, on a free port, that fault tests start, kill and start again."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60


def environment(folder: Path, *, port: int = 8000) -> dict[str, str]:
    """Settings with everything in one folder; add to them as a test needs."""
    return {
        "VENDORRISK_DATABASE": f"sqlite:///{folder}/service.sqlite",
        "VENDORRISK_KEY_FILE": str(folder / "keys" / "master.key"),
        "VENDORRISK_STORAGE": str(folder / "files"),
        "VENDORRISK_MAIL": f"file:{folder}/mail",
        "VENDORRISK_LOG": "warning",
        "VENDORRISK_PORT": str(port),
        "VENDORRISK_BASE_URL": f"http://127.0.0.1:{port}",
    }


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Service:
    """`python app.py` with pages and jobs. `start` may be called again after `kill`."""

    def __init__(self, environ: dict[str, str], *, log: Path) -> None:
        self.environ = environ
        self.port = int(environ["VENDORRISK_PORT"])
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start it and wait until it answers; returns the seconds that took."""
        begun = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=self._environment(), stdout=log, stderr=log
            )
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - begun > PATIENCE_SECONDS:
                self.kill()
                raise RuntimeError(f"the service did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.02)
        return time.perf_counter() - begun

    def cpu_seconds(self) -> float:
        """The processor time that it has used so far; on a busy machine, this says more than the clock. Linux only."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """kill -9."""
        self._stop(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, as a service manager would."""
        self._stop(signal.SIGTERM)

    def _stop(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def _environment(self) -> dict[str, str]:
        """The surroundings of a service in use: the second start finds its modules compiled."""
        given = {**os.environ, **self.environ}
        given.pop("PYTHONDONTWRITEBYTECODE", None)
        return given

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/sign-in")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
