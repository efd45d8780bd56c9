"""`make bench`: every ratio beside its floor and its budget; exit code 1 where one is over budget."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench import autosave, dashboard, pages, pdf, score, sign_in
from bench.measure import Line

BENCHMARKS: dict[str, Callable[[], list[Line]]] = {
    "score": score.lines,
    "autosave": autosave.lines,
    "dashboard": dashboard.lines,
    "pages": pages.lines,
    "pdf": pdf.lines,
    "sign-in": sign_in.lines,
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
            over += line.ratio > line.budget
    print(f"{over} over budget" if over else "all within budget")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
