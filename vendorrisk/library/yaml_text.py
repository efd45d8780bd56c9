"""The part of YAML 1.2 that our files use, as plain data with every value's place; for the loaders.

Two parsers give the same events. libyaml is ten times as fast and reads what is right; what it or we refuse is read
again by ruamel.yaml, whose words and places the mistakes have. It alone reads where PyYAML came without libyaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from types import ModuleType
from typing import Any

from vendorrisk.domain.errors import Path, Problem
from vendorrisk.domain.reading import MAX_PROBLEMS
from vendorrisk.library.mistakes import BrokenFile, Mistake

MAX_BYTES = 512 * 1024
MAX_DEPTH = 20

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,9}")
_READ_OTHERWISE = re.compile(r"[\t\x85\u2028\u2029\ufeff]")
"""What libyaml, which reads YAML 1.1, sees as something else, or is more patient with: odd white space."""
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
    return _quickly(text, name) or _carefully(text, name)


def _quickly(text: str, name: str) -> Document | None:
    """What libyaml reads without a mistake, and as ruamel.yaml would."""
    try:
        from yaml import CSafeLoader, YAMLError, events, parse
    except ImportError:
        return None
    if _READ_OTHERWISE.search(text):
        return None
    builder = _Builder(name, events)
    try:
        builder.build(parse(text, Loader=CSafeLoader))
    except (YAMLError, ValueError):
        return None
    return None if builder.mistakes or builder.has_gaps else builder.document


def _carefully(text: str, name: str) -> Document:
    """What ruamel.yaml reads, or all mistakes."""
    from ruamel.yaml import YAML, events  # not above: a start whose files are right does without
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    builder = _Builder(name, events)
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


def _mark(error: Any) -> Place:
    mark = error.problem_mark or error.context_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _reason(error: Any) -> str:
    return " ".join(str(part) for part in (error.context, error.problem) if part)


class _Enough(Exception):
    """What was found will do: nesting is too deep to go on, or there are too many mistakes to read."""


class _Builder:
    """Builds plain data from events, whose classes `kinds` has, so that nothing is made of what is refused."""

    def __init__(self, name: str, kinds: ModuleType) -> None:
        self.kinds = kinds
        self.document = Document(name)
        self.mistakes: list[Mistake] = []
        self.has_gaps = False
        """Whether a value was left out: the parsers do not agree on where it would stand."""
        self.events: Iterator[Any] = iter(())

    def note(self, place: Place, message: str) -> None:
        self.mistakes.append(Mistake(self.document.name, *place, message, Problem((), message)))

    def refuse(self, place: Place, message: str) -> None:
        self.note(place, message)
        if len(self.mistakes) >= MAX_PROBLEMS:
            raise _Enough

    def build(self, events: Iterator[Any]) -> None:
        self.events = events
        documents = 0
        try:
            for event in events:
                if isinstance(event, self.kinds.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self.refuse(_start(event), "a second document; a file holds one")
                        return
                    self.document.plain = self.value(next(events), ())
        except _Enough:
            return
        if not documents:
            self.note((1, 1), "the file is empty")

    def value(self, event: Any, path: Path) -> Any:
        self.document.values[path] = _start(event)
        if isinstance(event, self.kinds.AliasEvent):
            self.refuse(_start(event), f"aliases (*{event.anchor}) are not allowed; write the value again")
            return None
        self.refuse_anchor_and_tag(event)
        if isinstance(event, self.kinds.ScalarEvent):
            self.has_gaps |= not (event.value or event.style)
            return scalar(event.value, is_plain=not event.style)
        if len(path) >= MAX_DEPTH:
            self.note(_start(event), f"nested more than {MAX_DEPTH} deep")
            raise _Enough
        return self.mapping(path) if isinstance(event, self.kinds.MappingStartEvent) else self.sequence(event, path)

    def refuse_anchor_and_tag(self, event: Any) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            self.refuse(_start(event), f"anchors (&{anchor}) are not allowed")
        if tag:
            self.refuse(_start(event), f"tags ({tag}) are not allowed")

    def mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, self.kinds.MappingEndEvent):
                break
            key = self.key(event, path)
            inside = (*path, key)
            if key in found:
                self.refuse(_start(event), f"the key {key!r} is used twice")
            else:
                self.document.keys[inside] = _start(event)
            found[key] = self.value(next(self.events), inside)
        return found

    def key(self, event: Any, path: Path) -> str:
        place = _start(event)
        if isinstance(event, self.kinds.ScalarEvent):
            self.refuse_anchor_and_tag(event)
            return str(event.value)
        self.value(event, (*path, "?"))
        self.refuse(place, "a key must be a word")
        return "?"

    def sequence(self, event: Any, path: Path) -> list[Any]:
        assert isinstance(event, self.kinds.SequenceStartEvent)
        found: list[Any] = []
        for inside in self.events:
            if isinstance(inside, self.kinds.SequenceEndEvent):
                break
            found.append(self.value(inside, (*path, len(found))))
        return found


def _start(event: Any) -> Place:
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
