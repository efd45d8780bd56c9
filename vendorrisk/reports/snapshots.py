"""A report as plain JSON, back, and its hash; services/reporting keeps it so, and the child process reads it.

Dataclasses are built by hand, because lone surrogates (which a browser can send) must pass, and because the child
should import little.
"""

from __future__ import annotations

import hashlib
import json
import types
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import lru_cache
from typing import Any, cast, get_args, get_origin, get_type_hints

from vendorrisk.reports.view import Report

_NOT_HASHED = ("reference", "asked_at", "asked_by", "head")
"""A report's own number, who asked for it when, and how far the trail had come are no facts about the vendor."""

_NO_MORE = frozenset({"valid_until", "expired"})
"""What files had in snapshots of earlier versions: a report that waits since then is still made."""


def to_plain(report: Report) -> dict[str, Any]:
    """The report as plain JSON."""
    return cast(dict[str, Any], json.loads(_dump(asdict(report))))


def from_plain(plain: Any) -> Report:
    """The report that `to_plain` gave. Raises ValueError for anything else."""
    return cast(Report, _build(Report, plain))


def digest(report: Report) -> str:
    """SHA-256 over every value but `_NOT_HASHED`: two reports with it say the same of the vendor."""
    facts = {name: value for name, value in asdict(report).items() if name not in _NOT_HASHED}
    return hashlib.sha256(_dump(facts).encode()).hexdigest()


def _dump(plain: Any) -> str:
    # Canonical: sorted keys, no spaces, ASCII (so that lone surrogates have a form too).
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _build(kind: Any, plain: Any) -> Any:
    if is_dataclass(kind):
        return _dataclass(kind, plain)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), plain)
    if isinstance(kind, types.UnionType):
        inner = next(part for part in get_args(kind) if part is not types.NoneType)
        return None if plain is None else _build(inner, plain)
    if type(plain) is not kind:
        raise ValueError(f"expected {kind.__name__}, not {type(plain).__name__}")
    return plain


def _dataclass(kind: Any, plain: Any) -> Any:
    hints, needed = _hints(kind)
    if not isinstance(plain, dict) or not needed <= plain.keys() <= hints.keys() | _NO_MORE:
        raise ValueError(f"not the values of a {kind.__name__}")
    return kind(**{name: _build(hints[name], value) for name, value in plain.items() if name in hints})


def _tuple(kinds: tuple[Any, ...], plain: Any) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise ValueError(f"expected a list, not {type(plain).__name__}")
    if kinds[-1] is Ellipsis:
        return tuple(_build(kinds[0], part) for part in plain)
    return tuple(_build(kind, part) for kind, part in zip(kinds, plain, strict=True))


@lru_cache(maxsize=64)
def _hints(kind: Any) -> tuple[dict[str, Any], set[str]]:
    """The types of the fields, and which must be there: what a later version added has a default."""
    hints = get_type_hints(kind)
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    return {field.name: hints[field.name] for field in fields(kind)}, needed
