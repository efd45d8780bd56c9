"""The jobs alone, in a process of their own: `python -m bench.faults.worker START SPEED`, to be killed at will.

Its clock began at START (seconds since 1970) and runs SPEED times as fast as ours, so that pauses of minutes and hours
pass in seconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.faults.service import PATIENCE_SECONDS, ROOT
from vendorrisk import factory, jobs
from vendorrisk.settings import Settings
from vendorrisk.web import logs


def fast_clock(start: float, speed: float) -> Callable[[], datetime]:
    """Our clock until `start`, `speed` times as fast since then."""
    return lambda: datetime.fromtimestamp(start + (time.time() - start) * speed, UTC)


def main(start: float, speed: float) -> None:
    """Run the jobs until SIGTERM."""
    settings = Settings.from_env(os.environ)
    logs.configure(settings.log)
    # Blocked in all threads, and taken by `sigwait` alone. The kernel gives a signal to whichever thread looks first,
    # often one that is just starting, as one does with each letter; Python then leaves the handler to the main thread,
    # which nothing wakes from a wait without end.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    stop = jobs.start(factory.build_runtime(settings), clock=fast_clock(start, speed))
    print("working", flush=True)
    signal.sigwait({signal.SIGTERM})
    stop()


class Worker:
    """The process as a fault test sees it; `start` may be called again after `kill`."""

    def __init__(self, environ: dict[str, str], *, start: float, speed: float, log: Path) -> None:
        self._environ, self._log = environ, log
        self._arguments = [str(start), str(speed)]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; returns once it works."""
        command = [sys.executable, "-m", "bench.faults.worker", *self._arguments]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **self._environ}, text=True, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "working":
            raise RuntimeError(f"the worker did not start:\n{self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM: it finishes the letter at hand."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_SECONDS)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
