"""The trail as a file of JSON lines, and back: what exports write and `trail verify FILE` reads.

First a line that says what the file is, then a line for each event in the order of the chain, then a last line with the
SHA-256 of all before it. Details stay sealed, so that their HMAC can be checked; `words` may say them readably besides.
Every line has one form only: whatever differs by a byte is named.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

from vendorrisk.domain.chain import Change, Entry, Finding, Joint, Keyed, Row

FORMAT = 1
_WORDS, _END = b"vendorrisk trail words 1\0", b"vendorrisk trail export 1\0"
_LONGEST_LINE = 1024 * 1024
_MOST = 2**63

Words = Mapping[str, Any] | None
"""An event's details opened, for people; None where the file has none."""


class NotATrail(Exception):
    """The file is not an export of the trail. The text is a sentence for people."""


def write(rows: Iterable[tuple[Row, Words]], about: Mapping[str, Any], *, keyed: Keyed) -> Iterator[str]:
    """The lines of the file, each with its line break. `about` goes into the first; `partial` there says that these are
    some of the events only. Rows must bring the hash of the link before.
    """
    digest, lines = hashlib.sha256(), 0
    for plain in _plain_lines(rows, about, keyed):
        line = _dump(plain) + "\n"
        digest.update(line.encode("ascii"))
        lines += 1
        yield line
    yield _dump(_end(lines, digest.digest(), keyed)) + "\n"


def _plain_lines(
    rows: Iterable[tuple[Row, Words]], about: Mapping[str, Any], keyed: Keyed
) -> Iterator[Mapping[str, Any]]:
    yield {"trail": FORMAT, **about}
    for row, said in rows:
        plain = _plain(row)
        if said is not None:
            plain |= {"words": said, "words_mac": _words_mac(row.number, said, keyed)}
        yield plain


def _end(lines: int, digest: bytes, keyed: Keyed) -> dict[str, Any]:
    return {"lines": lines, "sha256": digest.hex(), "mac": keyed(_END + lines.to_bytes(8, "big") + digest).hex()}


def _words_mac(number: int, said: Mapping[str, Any], keyed: Keyed) -> str:
    return keyed(_WORDS + number.to_bytes(8, "big") + _dump(said).encode("ascii")).hex()


def _plain(row: Row) -> dict[str, Any]:
    plain: dict[str, Any] = {"number": row.number}
    if row.joint is not None and row.before is not None:
        plain |= {
            "position": row.joint.position, "before": row.before.hex(), "chain": row.joint.chain.hex(),
            "sealed_at": row.joint.sealed_at.isoformat(), "seal": row.joint.seal.hex(),
        }  # fmt: skip
    if row.event is not None:
        plain |= {
            "id": str(row.event.id), "at": row.event.at.isoformat(), "kind": row.event.kind,
            "actor_kind": row.event.actor_kind, "actor_id": row.event.actor_id, "object_kind": row.event.object_kind,
            "object_id": str(row.event.object_id), "details": base64.b64encode(row.event.details).decode(),
            "mac": row.event.mac.hex(),
        }  # fmt: skip
    return plain | ({"unreadable": True} if row.unreadable else {})


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of an open file; one that is too long to be ours comes in pieces that cannot be read."""
    return iter(lambda: file.readline(_LONGEST_LINE), b"")


@dataclass(slots=True)
class Reader:
    """Reads such a file. Take `rows` to their end; then `problems` says what is wrong with the file as a whole."""

    lines: Iterable[bytes]
    keyed: Keyed | None
    about: Mapping[str, Any] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)
    _digest: Any = field(default_factory=hashlib.sha256)
    _count: int = 0

    def open(self) -> None:
        """Read the first line. Raises NotATrail."""
        self.lines = iter(self.lines)
        first = next(self.lines, b"")
        plain = _load(first)
        if plain is None or plain.get("trail") != FORMAT:
            raise NotATrail("This file is not an export of the trail: its first line does not say so.")
        self.about = plain
        self._take(first)

    @property
    def is_partial(self) -> bool:
        """Whether the file says that it holds some of the events only."""
        return self.about.get("partial") is not False

    def rows(self) -> Iterator[Row]:
        """The events; a line that cannot be read comes as a row that says so."""
        for line in self.lines:
            plain = _load(line)
            if plain is not None and plain.keys() == {"lines", "sha256", "mac"}:
                self._judge_end(plain)
                if next(iter(self.lines), None) is not None:
                    self._add(Change.INSERTED, "the file goes on after its last line")
                return
            self._take(line)
            yield self._row(plain)
        self._add(Change.CUT_OFF, f"the file ends after line {self._count:,}, without its last line")

    def _take(self, line: bytes) -> None:
        self._digest.update(line)
        self._count += 1

    def _row(self, plain: dict[str, Any] | None) -> Row:
        try:
            if plain is None:
                raise ValueError("no line of ours")
            return self._judged(row_of(plain), plain)
        except (ValueError, TypeError, KeyError, AttributeError):
            number = plain.get("number") if plain else None
            return Row(
                None, None, f"line {self._count:,} of the file is not as it was exported",
                number=number if type(number) is int else 0,
            )  # fmt: skip

    def _judged(self, row: Row, plain: dict[str, Any]) -> Row:
        """The row, where the line is written as exports are, to the byte, and its words are those of the export."""
        said, mac = plain.pop("words", None), plain.pop("words_mac", None)
        if list(plain.items()) != list(_plain(row).items()):
            raise ValueError("another form")
        if said is not None and self.keyed is not None and mac != _words_mac(row.number, said, self.keyed):
            return row._replace(unreadable="its readable words are not those that were exported")
        return row

    def _judge_end(self, plain: dict[str, Any]) -> None:
        digest = self._digest.digest()
        if plain["lines"] != self._count or plain["sha256"] != digest.hex():
            self._add(Change.CHANGED, "the file as a whole is not what was exported: its SHA-256 is another one")
        elif self.keyed is not None and plain != _end(self._count, digest, self.keyed):
            self._add(Change.CHANGED, "the file’s last line was not written by this service")

    def _add(self, change: Change, words: str) -> None:
        self.problems.append(Finding(change, words))


def _load(line: bytes) -> dict[str, Any] | None:
    """The line's JSON object; None where it is none, or written in another way than ours."""
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) and (_dump(plain) + "\n").encode("ascii") == line else None


def _dump(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, separators=(",", ":"))


def row_of(plain: Mapping[str, Any]) -> Row:
    """The row that a line of an export says. Raises ValueError and the like for any other JSON."""
    joint = event = before = None
    if "chain" in plain:
        before = bytes.fromhex(plain["before"])
        joint = Joint(
            _whole(plain["position"]), _whole(plain["number"]), bytes.fromhex(plain["chain"]),
            _moment(plain["sealed_at"]), bytes.fromhex(plain["seal"]),
        )  # fmt: skip
    if "mac" in plain:
        event = Entry(
            _whole(plain["number"]), UUID(plain["id"]), _moment(plain["at"]), _text(plain["kind"]),
            _text(plain["actor_kind"]), _text(plain["actor_id"]), _text(plain["object_kind"]), UUID(plain["object_id"]),
            base64.b64decode(plain["details"], validate=True), bytes.fromhex(plain["mac"]),
        )  # fmt: skip
    # Not words out of the file: they would be printed on somebody's terminal.
    unreadable = "it could not be read when it was exported" if plain.get("unreadable") else ""
    return Row(joint, event, unreadable, before, _whole(plain["number"]))


def _whole(number: Any) -> int:
    if type(number) is not int or not -_MOST <= number < _MOST:
        raise ValueError("no number of ours")
    return number


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.utcoffset() != timedelta(0):
        raise ValueError("no moment of ours")
    return found


def _text(text: str) -> str:
    text.encode()
    return text
