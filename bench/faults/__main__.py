"""`make faults`: every fault test, with its counts; exit code 1 where a promise was broken.

Each test is a module of this package with `counts() -> Iterable[Count]`; `make faults ARGS=letters` runs one.
"""

from __future__ import annotations

import sys
from importlib import import_module

FAULTS = (
    "trail", "keys", "sign_in", "links", "tokens", "enumeration", "uploads", "pdf", "letters", "bad_starts",
    "web_kills", "postgres_stops", "disk_full", "locks", "overload", "load", "migrations", "odd_input", "fuzz",
)  # fmt: skip
"""The modules, in the order in which they run."""


def main(chosen: list[str]) -> int:
    """Run the named fault tests, or all."""
    unknown = [name for name in chosen if name not in FAULTS]
    if unknown:
        print(f"There is no fault test {unknown[0]!r}. There are: {', '.join(FAULTS)}.", file=sys.stderr)
        return 2
    broken = 0
    for name in chosen or FAULTS:
        for count in import_module(f"bench.faults.{name}").counts():
            print(count, flush=True)
            broken += not count.tried or count.broken > 0
    print(f"{broken} promises broken" if broken else "all promises kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
