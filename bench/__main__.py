"""`make bench`: every ratio beside its floor and its budget; exit code 1 where one is over budget."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from bench import autosave, dashboard, pages, pdf, score, sign_in, start
from bench.measure import Figure, Line

BENCHMARKS: dict[str, Callable[[], Sequence[Line | Figure]]] = {
    "score": score.lines,
    "autosave": autosave.lines,
    "dashboard": dashboard.lines,
    "pages": pages.lines,
    "pdf": pdf.lines,
    "sign-in": sign_in.lines,
    "start": start.lines,
}


def main(chosen: list[str]) -> int:
    """Run the named benchmarks, or all."""
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    over = 0
    for name in chosen or BENCHMARKS:
        for line in BENCHMARKS[name]():
            print(line, flush=True)
            over += line.is_over
    print(f"{over} over budget" if over else "all within budget")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
