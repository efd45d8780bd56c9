"""The part of YAML 1.2 that our files use, as plain data with every value's place; for the loaders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from vendorrisk.domain.errors import Path, Problem
from vendorrisk.domain.reading import MAX_PROBLEMS
from vendorrisk.library.mistakes import BrokenFile, Mistake

MAX_BYTES = 512 * 1024
MAX_DEPTH = 20

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,9}")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

Place = tuple[int, int]
"""Line and column, from 1."""


@dataclass(slots=True)
class Document:
    """Plain data from a file (dicts, lists, texts, booleans, ints, Decimals, None) with their places."""

    name: str
    plain: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)

    def mistake(self, problem: Problem) -> Mistake:
        """Where a problem is to be seen: its key or value, or what is around something missing."""
        path = problem.path
        place = self.keys.get(path) if problem.at_key else None
        while place is None:
            place = self.values.get(path, (1, 1) if not path else None)
            path = path[:-1]
        return Mistake(self.name, *place, problem.message, problem)


def read(text: str, name: str) -> Document:
    """The one document in `text`. Raises BrokenFile with the places of all mistakes.

    Refused: anchors, aliases, tags, keys used twice, keys that are not text, more than one document,
    nesting deeper than 20, more than 512 KiB. Numbers are exact (ints, Decimals), `yes` and `no` are texts.
    """
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise _broken(name, (1, 1), f"the file is larger than {MAX_BYTES // 1024} KiB")
    builder = _Builder(name)
    try:
        builder.build(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        builder.note(_mark(error), f"not valid YAML: {_reason(error)}")
    except ReaderError as error:
        before = text[: error.position]
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        builder.note(place, f"a character that YAML does not allow (U+{ord(text[error.position]):04X})")
    except (YAMLError, ValueError, OverflowError) as error:
        # The last two: the parser's own, for escapes of characters that do not exist.
        builder.note((1, 1), f"not valid YAML: {error}")
    if builder.mistakes:
        raise BrokenFile(builder.mistakes)
    return builder.document


def _broken(name: str, place: Place, message: str) -> BrokenFile:
    return BrokenFile([Mistake(name, *place, message, Problem((), message))])


def _mark(error: MarkedYAMLError) -> Place:
    mark = error.problem_mark or error.context_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _reason(error: MarkedYAMLError) -> str:
    return " ".join(str(part) for part in (error.context, error.problem) if part)


class _Enough(Exception):
    """What was found will do: nesting is too deep to go on, or there are too many mistakes to read."""


class _Builder:
    """Builds plain data from the parser's events, so that nothing is made of what is refused."""

    def __init__(self, name: str) -> None:
        self.document = Document(name)
        self.mistakes: list[Mistake] = []
        self.events: Iterator[Event] = iter(())

    def note(self, place: Place, message: str) -> None:
        self.mistakes.append(Mistake(self.document.name, *place, message, Problem((), message)))

    def refuse(self, place: Place, message: str) -> None:
        self.note(place, message)
        if len(self.mistakes) >= MAX_PROBLEMS:
            raise _Enough

    def build(self, events: Iterator[Event]) -> None:
        self.events = events
        documents = 0
        try:
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self.refuse(_start(event), "a second document; a file holds one")
                        return
                    self.document.plain = self.value(next(events), ())
        except _Enough:
            return
        if not documents:
            self.note((1, 1), "the file is empty")

    def value(self, event: Event, path: Path) -> Any:
        self.document.values[path] = _start(event)
        if isinstance(event, AliasEvent):
            self.refuse(_start(event), f"aliases (*{event.anchor}) are not allowed; write the value again")
            return None
        self.refuse_anchor_and_tag(event)
        if isinstance(event, ScalarEvent):
            return scalar(event.value, is_plain=event.style is None)
        if len(path) >= MAX_DEPTH:
            self.note(_start(event), f"nested more than {MAX_DEPTH} deep")
            raise _Enough
        return self.mapping(path) if isinstance(event, MappingStartEvent) else self.sequence(event, path)

    def refuse_anchor_and_tag(self, event: Event) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            self.refuse(_start(event), f"anchors (&{anchor}) are not allowed")
        if tag:
            self.refuse(_start(event), f"tags ({tag}) are not allowed")

    def mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, MappingEndEvent):
                break
            key = self.key(event, path)
            inside = (*path, key)
            if key in found:
                self.refuse(_start(event), f"the key {key!r} is used twice")
            else:
                self.document.keys[inside] = _start(event)
            found[key] = self.value(next(self.events), inside)
        return found

    def key(self, event: Event, path: Path) -> str:
        place = _start(event)
        if isinstance(event, ScalarEvent):
            self.refuse_anchor_and_tag(event)
            return str(event.value)
        self.value(event, (*path, "?"))
        self.refuse(place, "a key must be a word")
        return "?"

    def sequence(self, event: Event, path: Path) -> list[Any]:
        assert isinstance(event, SequenceStartEvent)
        found: list[Any] = []
        for inside in self.events:
            if isinstance(inside, SequenceEndEvent):
                break
            found.append(self.value(inside, (*path, len(found))))
        return found


def _start(event: Event) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def scalar(text: str, *, is_plain: bool) -> str | bool | int | Decimal | None:
    """A scalar as data. Numbers are taken from their text: 0.33 is exactly 0.33. The rest is text."""
    if not is_plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
