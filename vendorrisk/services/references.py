"""References that people say and type (V-7F3K2, A-2026-0042, R-7F3K2M): random, so that they tell no count."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_TRIES = 20


def vendor(session: Session, column: InstrumentedAttribute[str]) -> str:
    """A free reference of a vendor: V-7F3K2."""
    return _free(session, column, lambda _try: f"V-{_letters(5)}")


def request(session: Session, column: InstrumentedAttribute[str]) -> str:
    """A free reference of a request: R-7F3K2M."""
    return _free(session, column, lambda _try: f"R-{_letters(6)}")


def report(session: Session, column: InstrumentedAttribute[str], *, now: datetime) -> str:
    """A free reference of a report: P-2026-7K3M2Q."""
    return _free(session, column, lambda _try: f"P-{now.year}-{_letters(6)}")


def assessment(session: Session, column: InstrumentedAttribute[str], *, now: datetime) -> str:
    """A free reference of an assessment: A-2026-0042. When a year's four digits are nearly used up, six are drawn."""

    def draw(tried: int) -> str:
        digits = 4 if tried < _TRIES // 2 else 6
        return f"A-{now.year}-{secrets.randbelow(10**digits):0{digits}d}"

    return _free(session, column, draw)


def _letters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _free(session: Session, column: InstrumentedAttribute[str], draw: Callable[[int], str]) -> str:
    for tried in range(_TRIES):
        reference = draw(tried)
        if not session.scalar(select(exists().where(column == reference))):
            return reference
    raise RuntimeError("no free reference was found")  # 10^6 a year, drawn ten times: never seen in practice
