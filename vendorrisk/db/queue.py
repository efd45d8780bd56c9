"""The lock in which the database's writers wait for each other, in order of arrival."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """Like `threading.Lock`, but nobody is overtaken.

    A plain lock goes to whichever thread is quickest, and some wait ten times as long as others; see
    docs/decisions/0001-sqlite-writers.md.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Wait for one's turn, `timeout` seconds at most; returns whether it has come."""
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._guard:
            if turn not in self._waiting:
                return True  # it came between giving up and saying so
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Hand over to whoever has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
