"""Thousands of random requests at every POST there is: none may be answered with an error of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from bench.faults.counts import Count
from bench.faults.inprocess import stage
from tests import dump
from tests.web import fuzzing

SHOTS = 10_000
RESTORED_EVERY = 15


def counts() -> Iterator[Count]:
    """Random requests, from a seed that is printed."""
    seed = Random().randrange(10**9)
    chance, failed, statuses = Random(seed), Counter[str](), Counter[int]()
    with stage(fuzzing.EXAMPLES) as made:
        targets = fuzzing.find(made.app, made.world).targets
        snapshot = dump.Snapshot(made.runtime.database)
        for number in range(SHOTS):
            target = chance.choice(targets)
            status = fuzzing.shoot(target, chance).status_code
            statuses[status] += 1
            failed[target.form.endpoint] += status >= 500
            if number % RESTORED_EVERY == RESTORED_EVERY - 1:
                snapshot.restore()
        snapshot.close()
    what = ", ".join(f"{count} × {status}" for status, count in statuses.most_common())
    endpoints = len({target.form.endpoint for target in targets})
    yield Count(f"random requests at {endpoints} endpoints: no 5xx", SHOTS, failed.total(), f"seed {seed}; {what}")
