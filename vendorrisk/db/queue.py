"""The lock in which the database's writers wait for each other: quick, and fair to whoever has waited for long."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field

PATIENCE = 0.25
"""Seconds after which nobody who came later may go first any more."""


@dataclass(slots=True, eq=False)
class _Waiter:
    since: float = field(default_factory=time.monotonic)
    called: threading.Event = field(default_factory=threading.Event)
    owns: bool = False


class FairLock:
    """Like `threading.Lock`, but without starvation.

    A plain lock goes to whichever thread is quickest, and some wait ten times as long as others; handing it over in
    strict order costs a third of the throughput. So the quickest goes first only while nobody has waited for long.
    Figures: docs/decisions/0001-sqlite-writers.md.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[_Waiter] = deque()

    def acquire(self, timeout: float) -> bool:
        """Wait for one's turn, `timeout` seconds at most; returns whether it has come."""
        with self._guard:
            if not self._held:
                self._held = True
                return True
            me = _Waiter()
            self._waiting.append(me)
        while True:
            called = me.called.wait(max(0.0, me.since + timeout - time.monotonic()))
            with self._guard:
                if me.owns:
                    return True
                if called and self._held:
                    me.called.clear()  # somebody was quicker
                    continue
                self._waiting.remove(me)
                mine, self._held = not self._held, True
                return mine

    def release(self) -> None:
        """Hand over to the first in line if it has waited for long; otherwise call it, and let the quickest have it."""
        with self._guard:
            first = self._waiting[0] if self._waiting else None
            if first is None:
                self._held = False
                return
            first.owns = time.monotonic() - first.since > PATIENCE
            if first.owns:
                self._waiting.popleft()
            else:
                self._held = False
            first.called.set()
