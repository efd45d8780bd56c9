"""How figures and days are written in the report; every module that composes it uses these, so that they agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from vendorrisk.domain.scoring import Pair
from vendorrisk.reports import view


def score(value: Decimal) -> str:
    """A score or risk with one decimal; comparisons are made on the unrounded figure."""
    return f"{value:.1f}"


def pair(value: Pair | None) -> view.Pair | None:
    """Both figures of a pair."""
    return None if value is None else view.Pair(score(value.assured), score(value.declared))


def factor(value: Decimal, places: int = 3) -> str:
    """A risk, credit or factor: "0.539", "1", "0.7"."""
    text = f"{value:.{places}f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def day(value: date) -> str:
    """2026-11-23."""
    return value.isoformat()


def moment(value: datetime) -> str:
    """2026-11-23T05:26:00Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def count(number: int, noun: str, plural: str = "") -> str:
    """1 question, 64 questions."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listing(parts: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
