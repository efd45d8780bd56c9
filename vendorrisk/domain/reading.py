"""Reads plain data (from YAML or JSON), noting each mistake and its place; for the schemas."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from vendorrisk.domain.errors import Path, Problem

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

MAX_TEXT = 4_000
MAX_PROBLEMS = 100

# Bounded in length, so that a number from outside can never be large to compute with.
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_HUGE = 10**15
SNAKE = "[a-z][a-z0-9_]{0,59}"
CODE = "[a-z0-9][a-z0-9_]{0,39}"


class Wrong(Exception):
    """What is wrong with one value; caught where the value's place is known, never seen outside."""


class TooMany(Exception):
    """There are more mistakes than anybody reads; the noted ones will do."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document, its place, and the list of mistakes, which all nodes share."""

    value: object
    path: Path
    problems: list[Problem]

    def wrong(self, message: str, *, at_key: bool = False) -> None:
        """Note a mistake here. Raises TooMany once there are enough."""
        self.problems.append(Problem(self.path, message, at_key))
        if len(self.problems) >= MAX_PROBLEMS:
            raise TooMany

    def child(self, part: str | int, value: object) -> Node:
        """The value under `part`."""
        return Node(value, (*self.path, part), self.problems)

    def read(self, read: Callable[[Node], T], default: T) -> T:
        """What `read` makes of the value; a mistake is noted, and `default` stands in."""
        try:
            return read(self)
        except Wrong as wrong:
            self.wrong(str(wrong))
            return default

    def keys(self, known: Collection[str], required: Iterable[str] = ()) -> Keys:
        """The values of a mapping. Unknown and missing keys are noted."""
        if not isinstance(self.value, dict):
            raise Wrong(f"must be a mapping of keys, not {kind_of(self.value)}")
        for key in self.value:
            if key not in known:
                message = f"unknown key {key!r}{_did_you_mean(closest(key, known))}"
                self.child(key, None).wrong(message, at_key=True)
        for key in required:
            if key not in self.value:
                self.child(key, None).wrong(f"{key!r} is missing")
        return Keys(self, {key: self.child(key, self.value[key]) for key in self.value if key in known})

    def items(self, *, at_least: int = 0, at_most: int) -> list[Node]:
        """The values of a list."""
        if not isinstance(self.value, list | tuple):
            raise Wrong(f"must be a list, not {kind_of(self.value)}")
        if not at_least <= len(self.value) <= at_most:
            few = len(self.value) < at_least
            limit = f"at least {at_least}" if few else f"at most {at_most}"
            raise Wrong(f"has {len(self.value)} entries; {limit} are expected")
        return [self.child(place, value) for place, value in enumerate(self.value)]


@dataclass(frozen=True, slots=True)
class Keys:
    """The values of a mapping by key."""

    node: Node
    given: dict[str, Node]

    def read(self, key: str, read: Callable[[Node], T], default: T) -> T:
        """What `read` makes of the value under `key`; `default` if there is none or it is wrong."""
        node = self.given.get(key)
        return default if node is None else node.read(read, default)


Reader = Callable[[Node], T]
"""Makes something of a node, or raises Wrong."""


def listed(read: Reader[T], default: T, *, at_least: int = 0, at_most: int = 100) -> Reader[tuple[T, ...]]:
    """Reads a list; `default` stands in for wrong entries, so that the others keep their places."""
    return lambda node: tuple(item.read(read, default) for item in node.items(at_least=at_least, at_most=at_most))


def string(node: Node) -> str:
    """A text that can be shown, stored and sent again."""
    if not isinstance(node.value, str):
        quotes = "; put it in quotes" if isinstance(node.value, bool | int | Decimal) else ""
        raise Wrong(f"must be text, not {kind_of(node.value)}{quotes}")
    if not node.value.strip():
        raise Wrong("must not be blank")
    if len(node.value) > MAX_TEXT:
        raise Wrong(f"has {len(node.value):,} characters; the most is {MAX_TEXT:,}")
    for character in node.value:
        category = unicodedata.category(character)
        if category == "Cs" or (category == "Cc" and character not in "\n\t"):
            raise Wrong(f"holds a character that cannot be kept (U+{ord(character):04X})")
    return node.value


def matching(pattern: str, what: str) -> Reader[str]:
    """Reads a text of a fixed form; `what` describes it."""
    compiled = re.compile(pattern)

    def read(node: Node) -> str:
        text = string(node)
        if compiled.fullmatch(text) is None:
            raise Wrong(f"{text[:80]!r} is not {what}")
        return text

    return read


snake = matching(SNAKE, "an id: small letters, digits and underscores, starting with a letter")
code = matching(CODE, "a code: small letters, digits and underscores")


def boolean(node: Node) -> bool:
    """True or false."""
    if not isinstance(node.value, bool):
        raise Wrong(f"must be true or false, not {kind_of(node.value)}")
    return node.value


def number(node: Node) -> Decimal:
    """An exact number: an int, a Decimal, or text. Floats are refused: they are not exact."""
    text = _digits(node.value)
    if text is None or not _NUMBER.fullmatch(text):
        raise Wrong(f"must be a number such as 5 or 0.5, not {kind_of(node.value)}")
    return Decimal(text)


def _digits(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < _HUGE else None
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() and abs(value.adjusted()) < 16 else None
    return value if isinstance(value, str) else None


def whole(low: int, high: int) -> Reader[int]:
    """Reads a whole number from `low` to `high`."""

    def read(node: Node) -> int:
        found = number(node)
        if found != found.to_integral_value() or not low <= found <= high:
            raise Wrong(f"must be a whole number from {low} to {high}")
        return int(found)

    return read


def word(kind: type[E], what: str) -> Reader[E]:
    """Reads one of the words of an enumeration; `what` names it in messages."""

    def read(node: Node) -> E:
        text = string(node)
        known = [member.value for member in kind]
        if text not in known:
            raise Wrong(unknown(what, text, known))
        return kind(text)

    return read


def unknown(what: str, text: str, known: Collection[str]) -> str:
    """The sentence for a name that is not known, with the closest one that is."""
    return f"unknown {what} {text[:80]!r}{_did_you_mean(closest(text, known))}"


def closest(text: object, known: Collection[str]) -> str | None:
    """The known name that was most likely meant."""
    return next(iter(difflib.get_close_matches(str(text)[:80], known, n=1)), None)


def _did_you_mean(close: str | None) -> str:
    return f" (did you mean {close!r}?)" if close else ""


def kind_of(value: object) -> str:
    """A value in words, for messages."""
    if isinstance(value, str):
        return repr(value[:80])
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and abs(value) >= _HUGE:
        return "a number of that size"
    return f"the number {value}"[:80]
