"""Who asks about what there is and what there is not gets the same answer in the same time."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator

from bench.faults.counts import Count
from bench.faults.linked import Scene, scene
from bench.faults.visitor import Answer, Visitor
from tests import builders

TRIES = 500
REQUESTS = TRIES // 3 + 1
"""Three fresh links an hour are mailed for one request: so each of the known is known, and mailed."""
MOST_GAP_MS = 5.0
UNKNOWN = "R-ZZZZZZ"
DEAD = "A" * 43


def counts() -> Iterator[Count]:
    """A fresh link asked for by reference, and the page for a code that this browser never asked for."""
    with scene(REQUESTS) as made:
        asker = Visitor(made.port)
        asker.post(f"/q/{made.links[0].token}")
        yield from _compared("a fresh link asked for", made, _fresh_link(made))
        yield from _compared("the page for a code looked at", made, _code_page(made, asker, post=False))
        yield from _compared("a code given", made, _code_page(made, asker, post=True))


def _fresh_link(made: Scene) -> Callable[[str, int], Answer]:
    csrf: dict[str, tuple[Visitor, str]] = {}

    def ask(reference: str, number: int) -> Answer:
        # Thirty an hour from one address: so from many.
        address = f"127.4.{number // 250}.{1 + number % 250 // 10}"
        if address not in csrf:
            visitor = Visitor(made.port, address)
            csrf[address] = visitor, builders.token_in(visitor.get(f"/q/{DEAD}").text)
        visitor, token = csrf[address]
        return visitor.post("/q/fresh", {"reference": reference}, csrf=token)

    return ask


def _code_page(made: Scene, asker: Visitor, *, post: bool) -> Callable[[str, int], Answer]:
    csrf = builders.token_in(asker.get(f"/q/{DEAD}").text)

    def ask(reference: str, _number: int) -> Answer:
        path = f"/q/{reference}/code"
        return asker.post(path, {"code": "123456"}, csrf=csrf) if post else asker.get(path)

    return ask


def _compared(what: str, made: Scene, ask: Callable[[str, int], Answer]) -> Iterator[Count]:
    """Known and unknown in turn, so that whatever else this machine does falls on both."""
    times: dict[bool, list[float]] = {True: [], False: []}
    said: dict[bool, set[str]] = {True: set(), False: set()}
    for number in range(TRIES):
        for known in (True, False) if number % 2 else (False, True):
            # Never the first link: its browser has asked for a code.
            reference = made.links[1 + number % (REQUESTS - 1)].reference if known else UNKNOWN
            begun = time.perf_counter()
            answer = ask(reference, 2 * number + known)
            times[known].append((time.perf_counter() - begun) * 1000)
            said[known].add(f"{answer.status} {answer.location} {re.sub(r'csrf_token. value=.[^>]+', '', answer.text)}")
    different = len(said[True] ^ said[False]) + len(said[True]) - 1
    yield Count(f"{what}, known or not: equal status, address and body", 2 * TRIES, different)
    known_ms, unknown_ms = statistics.median(times[True]), statistics.median(times[False])
    gap = abs(known_ms - unknown_ms)
    more = f"medians {known_ms:.1f} and {unknown_ms:.1f} ms, {gap:.1f} ms apart"
    yield Count(
        f"{what}, known or not: medians less than {MOST_GAP_MS:.0f} ms apart", 2 * TRIES, int(gap >= MOST_GAP_MS), more
    )
