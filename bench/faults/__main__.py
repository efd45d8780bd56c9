"""`make faults`: every fault test, with its counts; exit code 1 where a promise was broken.

Each test is a module with `counts() -> Iterable[Count]`, listed in FAULTS; `make faults ARGS=letters` runs one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from bench.faults import load
from bench.faults.counts import Count

FAULTS: dict[str, Callable[[], Iterable[Count]]] = {"load": load.counts}


def main(chosen: list[str]) -> int:
    """Run the named fault tests, or all."""
    unknown = [name for name in chosen if name not in FAULTS]
    if unknown:
        print(f"There is no fault test {unknown[0]!r}. There are: {', '.join(FAULTS)}.", file=sys.stderr)
        return 2
    broken = 0
    for name in chosen or FAULTS:
        for count in FAULTS[name]():
            print(count, flush=True)
            broken += not count.tried or count.broken > 0
    print(f"{broken} promises broken" if broken else "all promises kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
