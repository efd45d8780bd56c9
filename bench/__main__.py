"""`make bench`: every ratio beside its floor and its budget; exit code 1 where one is over budget."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

from bench import autosave, dashboard, pages, pdf, score, sign_in, start, traffic
from bench.measure import Figure, Line

BENCHMARKS: dict[str, Callable[[], Sequence[Line | Figure]]] = {
    "score": score.lines,
    "autosave": autosave.lines,
    "dashboard": dashboard.lines,
    "pages": pages.lines,
    "pdf": pdf.lines,
    "sign-in": sign_in.lines,
    "start": start.lines,
    "traffic": traffic.lines,
}


def main(chosen: list[str]) -> int:
    """Run the named benchmarks, or all."""
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    if len(chosen) != 1:
        # A process for each: what one leaves behind, in memory and caches, slows the next.
        return max(subprocess.run([sys.executable, "-m", "bench", name]).returncode for name in chosen or BENCHMARKS)
    lines = BENCHMARKS[chosen[0]]()
    for line in lines:
        print(line, flush=True)
    return 1 if any(line.is_over for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
