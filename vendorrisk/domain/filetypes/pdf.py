"""Whether a file is a PDF that does nothing by itself; `filetypes` calls `check`.

A reader goes by the file's own table to wherever an object is said to begin, even inside a comment, a string or another
object's picture. So nothing is skipped as "not an object": whatever begins like one is read from there by the grammar.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from vendorrisk.domain.errors import InvalidFile
from vendorrisk.domain.filetypes import refusals

_ACTIVE = frozenset(
    {b"/JavaScript", b"/JS", b"/Launch", b"/RichMedia", b"/Rendition", b"/XFA", b"/EmbeddedFile", b"/EmbeddedFiles",
     b"/EF", b"/FileAttachment"}
)  # fmt: skip
"""Names of scripts, commands, attachments, and of forms and media that bring scripts of their own."""

_PASSWORD = b"/Encrypt"
_REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
_TOKEN = re.compile(rb"%[^\r\n]*|<<|>>|<[^>]*>?|[\[\](]|/?" + _REGULAR + rb"+|/")
_IN_STRING = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAMES = re.compile(rb"/" + _REGULAR + rb"+")
_MAY_STAND_BEFORE = frozenset(b"\0\t\n\f\r 0123456789")
_PARTING = (b"obj", b"endobj", b"stream", b"endstream")
_LINE_END = re.compile(rb"\r?\n|\r")

_FILTER, _TWICE = b"/Filter", b"/Filter twice"
_FLATE_ONLY = re.compile(rb"\s*(?:(/%b+)|\[\s*(/%b+)\s*\])" % (_REGULAR, _REGULAR))
_OTHERWISE_PACKED = frozenset({_TWICE, b"/DecodeParms", b"/DP", b"/F", b"/FFilter"})
_TELLING = _OTHERWISE_PACKED | {_FILTER, b"/ObjStm", b"/First", b"/N"}

_MAX_OBJECT_STREAMS_BYTES = 50 * 1024 * 1024
_MOST_READINGS = 2
"""How often on average a byte may be read: an honest file needs one reading; one made to need many costs no more."""
_MOST_TOKENS = 5_000_000
_CHUNK = 16 * 1024


def check(kind: str, content: bytes) -> None:
    """Raise InvalidFile for a broken PDF, and for one with a password, scripts, attachments or commands."""
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-2048:]:
        raise refusals.not_what_it_says(kind)
    reading = _Reading(kind, content)
    for start in _starts(content):
        reading.read_from(start)
    if _PASSWORD in reading.names:
        raise refusals.locked()
    if reading.names & _ACTIVE or any(_holds_active(each) for each in _unpacked(content, reading.object_streams)):
        raise _does_something()


def _does_something() -> InvalidFile:
    return InvalidFile("The PDF holds scripts, attachments or commands. Print it to a new PDF and upload that.")


def _starts(content: bytes) -> Iterator[int]:
    """Where an object or a trailer may begin: behind every such word, wherever it stands."""
    at = 0
    while (at := content.find(b"obj", at)) >= 0:
        if content[at - 1] in _MAY_STAND_BEFORE:
            yield at + 3
        at += 3
    while (at := content.find(b"trailer", at + 1)) >= 0:
        yield at + len(b"trailer")


@dataclass(slots=True)
class _Reading:
    """What the objects of a file say: names that matter, and where the data of object streams begin.

    `object_streams` has -1 for one that nobody could be sure to unpack as a reader does.
    """

    kind: str
    content: bytes
    names: set[bytes] = field(default_factory=set)
    object_streams: set[int] = field(default_factory=set)
    _begun: set[int] = field(default_factory=set)
    _bytes_left: int = 0
    _tokens_left: int = _MOST_TOKENS

    def __post_init__(self) -> None:
        self._bytes_left = _MOST_READINGS * len(self.content)

    def read_from(self, start: int) -> None:
        """Read up to the data of a stream, to what was read before, or to the end. Raises InvalidFile."""
        if start not in self._begun:
            self._begun.add(start)
            self._bytes_left -= self._objects(start) - start
        if self._bytes_left < 0:
            raise refusals.not_what_it_says(self.kind)

    def _objects(self, at: int) -> int:
        dictionaries = lists = 0
        token, said = b"", dict[bytes, int]()  # what the object says so far
        while found := _TOKEN.search(self.content, at):
            at = found.end()
            self._tokens_left -= 1
            if self._tokens_left < 0:
                raise refusals.not_what_it_says(self.kind)
            if found[0][:1] == b"%":
                continue
            before, token = token, found[0]
            if token == b"(":
                at = self._string_end(at)
            elif token == b"<<":
                dictionaries += 1
            elif token == b">>":
                dictionaries = max(0, dictionaries - 1)
            elif token == b"[":
                lists += 1
            elif token == b"]":
                lists = max(0, lists - 1)
            elif token[:1] == b"/":
                self._name(_plain(token), at, said)
            elif dictionaries == lists == 0 and token.startswith(_PARTING):
                # Only where nothing is open: inside a dictionary such a word ends nothing.
                if token == b"stream" and before == b">>":
                    self._stream(at, said)
                    return at
                if token[:3] == b"obj" and not self._begins(found.start() + 3):
                    return at
                said.clear()
        return len(self.content)

    def _name(self, name: bytes, at: int, said: dict[bytes, int]) -> None:
        if name in _ACTIVE or name == _PASSWORD:
            self.names.add(name)
        elif name in _TELLING:
            said[_TWICE if name == _FILTER and name in said else name] = at

    def _begins(self, start: int) -> bool:
        """Whether the object that begins here was not read yet; from now on it was."""
        is_new = start not in self._begun
        self._begun.add(start)
        return is_new

    def _string_end(self, at: int) -> int:
        depth = 1
        while found := _IN_STRING.search(self.content, at):
            at = found.end()
            depth += {b"(": 1, b")": -1}.get(found[0], 0)
            if depth == 0:
                return at
        return len(self.content)

    def _stream(self, at: int, said: dict[bytes, int]) -> None:
        # Some readers never look at the type: what they need is the number of objects, and where the first one is.
        if b"/ObjStm" in said or {b"/First", b"/N"} <= said.keys():
            line_end = _LINE_END.match(self.content, at)
            is_plain = line_end is not None and self._is_flate_only(said)
            self.object_streams.add(line_end.end() if line_end is not None and is_plain else -1)

    def _is_flate_only(self, said: dict[bytes, int]) -> bool:
        """Whether it is packed as all producers do it, so that unpacking it here shows what readers will see."""
        if _FILTER not in said or _OTHERWISE_PACKED & said.keys():
            return False
        value = _FLATE_ONLY.match(self.content, said[_FILTER])
        return value is not None and _plain(value[1] or value[2]) == b"/FlateDecode"


def _plain(name: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), name) if b"#" in name else name


def _holds_active(objects: bytes) -> bool:
    # An object may begin anywhere in here, too: strings and comments are looked into.
    return any(_plain(name) in _ACTIVE for name in _NAMES.findall(objects))


def _unpacked(content: bytes, starts: set[int]) -> Iterator[bytes]:
    """The object streams. One that does not unpack to its very end may say something else to a reader."""
    left = _MAX_OBJECT_STREAMS_BYTES
    for start in sorted(starts):
        if start < 0:
            raise _does_something()
        unpacked = _inflated(content, start, left)
        left -= len(unpacked)
        if left <= 0:
            raise InvalidFile("The PDF unpacks to far more than its size. Print it to a new PDF and upload that.")
        yield unpacked


def _inflated(content: bytes, start: int, most: int) -> bytes:
    unpacker, view, parts = zlib.decompressobj(), memoryview(content), []
    for at in range(start, len(content), _CHUNK):
        try:
            parts.append(unpacker.decompress(view[at : at + _CHUNK], most))
        except zlib.error:
            raise _does_something() from None
        most -= len(parts[-1])
        if unpacker.eof or most <= 0:
            return b"".join(parts)
    raise _does_something()
