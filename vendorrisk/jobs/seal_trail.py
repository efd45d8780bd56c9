"""Seals the trail: a thread that looks twice a second for events without a place in the chain, and moves the anchor on.

It asks the database instead of being woken, because commands and other web processes commit too. What came in half a
second is sealed together, so the sealer writes twice a second at most, whatever is saved.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from vendorrisk.db.engine import Busy, Database
from vendorrisk.services import audit
from vendorrisk.services.auditing import anchor, sealing
from vendorrisk.services.auditing.anchor import Anchor, BadAnchor
from vendorrisk.services.auditing.sealing import Horizon

PAUSE = 0.5
_PAUSE_AFTER_TROUBLE = 5.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sealer:
    """Seals one database. `path` is where this machine's anchor lies."""

    database: Database
    path: Path
    clock: Callable[[], datetime]
    horizon: Horizon = field(init=False)
    _anchored: int = 0
    _complained: str = ""

    def __post_init__(self) -> None:
        self.horizon = Horizon(timedelta(0) if self.database.is_sqlite else sealing.LATE)

    def round(self) -> int:
        """Seal all that waits, batch by batch, each in a short transaction of its own. Returns how many."""
        now = self.clock()
        with self.database.reading() as session:
            self.horizon.begin(sealing.newest(session), now=now)
            waiting = sealing.waiting(session, self.horizon.floor)
        done = 0
        for at in range(0, len(waiting), sealing.BATCH):
            with self.database.writing() as session:
                done += sealing.seal(session, waiting[at : at + sealing.BATCH], now=now)
        if done == len(waiting):  # otherwise another process is at it
            self.horizon.finish(now=now)
            self._move_anchor(now)
        return done

    def _move_anchor(self, now: datetime) -> None:
        """Note how far the chain has come, unless it does not lead on from where the anchor stands."""
        with self.database.reading() as session:
            head = sealing.head(session)
            if head is None or head.position == self._anchored:
                return
            try:
                keyed = audit.keyed(self.database.master)
                there = anchor.read(self.path, keyed)
                if there is not None and sealing.link_at(session, there.position) != there.chain:
                    self._complain(f"The chain does not lead to the head that {self.path} knows. It is left as it is.")
                elif there is None or head.position > there.position:
                    anchor.write(self.path, Anchor(head.position, head.chain, now), keyed)
            except BadAnchor as error:
                self._complain(str(error))
            except OSError as error:
                self._complain(f"The anchor {self.path} cannot be written: {error.strerror}.")
        self._anchored = head.position

    def _complain(self, words: str) -> None:
        # Once, and not with every event: what to do about it says `trail verify`.
        if words != self._complained:
            _log.error("%s See: python -m vendorrisk trail verify", words)
            self._complained = words


def start(sealer: Sealer) -> Callable[[], None]:
    """Run the sealer in a thread of its own; returns how to stop it, after a last round."""
    stopped = threading.Event()
    thread = threading.Thread(target=_run, args=(sealer, stopped), name="sealer", daemon=True)
    thread.start()

    def stop() -> None:
        stopped.set()
        thread.join(_PAUSE_AFTER_TROUBLE)

    return stop


def _run(sealer: Sealer, stopped: threading.Event) -> None:
    pause = 0.0
    while not stopped.wait(pause):
        pause = _safely(sealer)
    _safely(sealer)


def _safely(sealer: Sealer) -> float:
    """One round; returns how long to wait for the next. Nothing may end the thread: events would stay unsealed."""
    try:
        sealer.round()
    except Busy:
        return PAUSE
    except SQLAlchemyError as error:
        _log.warning("the trail cannot be sealed now: %s", type(error).__name__)
        return _PAUSE_AFTER_TROUBLE
    except Exception:
        _log.exception("the trail could not be sealed")
        return _PAUSE_AFTER_TROUBLE
    return PAUSE
