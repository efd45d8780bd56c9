"""Turns plain JSON back into frozen dataclasses of plain values; `view` uses it, in the child process too.

By hand, because lone surrogates (which a browser can send) must pass, and because the child should import little.
"""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def build(kind: type[T], plain: Any) -> T:
    """A dataclass of `kind` from the JSON of one. Raises ValueError where the shapes differ."""
    return cast(T, _build(kind, plain))


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
    if not isinstance(plain, dict) or not needed <= plain.keys() <= hints.keys():
        raise ValueError(f"not the values of a {kind.__name__}")
    return kind(**{name: _build(hints[name], value) for name, value in plain.items()})


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
