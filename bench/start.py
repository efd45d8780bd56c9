"""Cold start of the whole service to its first page, against importing Flask; and the memory that it has then."""

from __future__ import annotations

import http.client
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.faults.service import Service, environment, free_port
from bench.measure import Figure, Line

ROUNDS = 5
PAGES = 200


def lines() -> list[Line | Figure]:
    """Starting on a database that is there and up to date, as after each update of the machine."""
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there)
        service = Service(environment(folder, port=free_port()), log=folder / "log")
        service.start()
        service.kill()
        starts, used, imports, imports_used, memory = [], [], [], [], 0.0
        for _ in range(ROUNDS):
            starts.append(service.start())
            used.append(service.cpu_seconds())
            memory = _after_pages(service)
            service.kill()
            seconds, processor = _import_flask()
            imports.append(seconds)
            imports_used.append(processor)
    start, floor = statistics.median(starts), statistics.median(imports)
    return [
        Line("cold start to the first page", "python -c 'import flask'", start, floor, 6),
        Line(
            "the same in processor time", "python -c 'import flask'", statistics.median(used),
            statistics.median(imports_used), 6,
        ),
        Figure("cold start to the first page", start, "s", 2),
        Figure(f"memory of the process, pages and jobs, after {PAGES} pages", memory, "MB", 100),
    ]  # fmt: skip


def _import_flask() -> tuple[float, float]:
    """Seconds by the clock, and of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import flask"], check=True)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _after_pages(service: Service) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    for _ in range(PAGES):
        connection.request("GET", "/sign-in")
        connection.getresponse().read()
    connection.close()
    status = Path(f"/proc/{service.pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) / 1024
