"""Cold start of the whole service to its first page, against importing Flask; and the memory that it has then."""

from __future__ import annotations

import http.client
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
        starts, imports, memory = [], [], 0.0
        for _ in range(ROUNDS):
            starts.append(service.start())
            memory = _after_pages(service)
            service.kill()
            imports.append(_import_flask())
    start, floor = statistics.median(starts), statistics.median(imports)
    return [
        Line("cold start to the first page", "python -c 'import flask'", start, floor, 6),
        Figure("cold start to the first page", start, "s", 2),
        Figure(f"memory of the process, pages and jobs, after {PAGES} pages", memory, "MB", 100),
    ]


def _import_flask() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import flask"], check=True)
    return time.perf_counter() - begun


def _after_pages(service: Service) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    for _ in range(PAGES):
        connection.request("GET", "/sign-in")
        connection.getresponse().read()
    connection.close()
    status = Path(f"/proc/{service.pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) / 1024
