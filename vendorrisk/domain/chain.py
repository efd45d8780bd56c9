"""The trail's chain: how events are hashed into it, and the check that names whatever was changed.

The database and an export are checked by the same code, row by row, in constant memory;
`services/auditing/trail_checks.py` brings the rows and the key. The link hash is plain SHA-256, so that an export can
be checked without the key. What makes a forged chain impossible without the key is the link's seal, and an event's own
HMAC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import NamedTuple
from uuid import UUID

Keyed = Callable[[bytes], bytes]
"""HMAC-SHA256 under the trail's key."""

GENESIS = bytes(32)
"""What stands before the first link."""

PATIENCE = timedelta(minutes=15)
"""How much older than others an event may be when it reaches the chain: no transaction of ours lasts that long."""

SHORTEST_HASH = 16
"""How many hexadecimal digits of a head's hash must be given: 64 bits cannot be hit by trying."""

_LINK, _SEAL = b"vendorrisk trail link 1\0", b"vendorrisk trail seal 1\0"


# Named tuples, not dataclasses: a check makes two for every event there ever was, and they cost a third.
class Entry(NamedTuple):
    """An event as the chain sees it: every column; `details` is ciphertext."""

    number: int
    id: UUID
    at: datetime
    kind: str
    actor_kind: str
    actor_id: str
    object_kind: str
    object_id: UUID
    details: bytes
    mac: bytes


class Joint(NamedTuple):
    """One link of the chain: an event's place in it. `seal` is the HMAC of `chain`."""

    position: int
    event_number: int
    chain: bytes
    sealed_at: datetime
    seal: bytes


class Row(NamedTuple):
    """What one step of a check looks at: a link with its event, or an event that has no link yet.

    `event` is None where it is gone. `unreadable` says what in it cannot even be read, `number` which event that is.
    `before` is the hash of the link before, where the row brings it: the lines of an export do.
    """

    joint: Joint | None
    event: Entry | None
    unreadable: str = ""
    before: bytes | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain as it was noted somewhere: `digits` are hexadecimal, all 64 or the first of them."""

    position: int
    digits: str
    where: str


class Change(StrEnum):
    """What kind of change a finding tells of."""

    CHANGED = "changed"
    MISSING = "missing"
    OUT_OF_ORDER = "out of order"
    INSERTED = "inserted"
    BACK_DATED = "back-dated"
    CLOCK = "clock put back"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written, with its place."""

    change: Change
    words: str
    position: int | None = None
    number: int | None = None

    def __str__(self) -> str:
        place = [f"position {self.position:,}"] if self.position else []
        place += [f"event {self.number:,}"] if self.number else []
        return f"{', '.join(place) or 'the trail'}: {self.change.value}: {self.words}"


def body(event: Entry) -> bytes:
    """All columns of an event but its number and its HMAC, each with its length before it."""
    parts = (
        event.id.bytes, event.at.isoformat().encode(), event.kind.encode(), event.actor_kind.encode(),
        event.actor_id.encode(), event.object_kind.encode(), event.object_id.bytes, event.details,
    )  # fmt: skip
    return b"".join([piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)])


def link_hash(before: bytes, position: int, sealed_at: datetime, number: int, content: bytes, mac: bytes) -> bytes:
    """The hash of one link: over the link before it, its place and time, and the whole event (`content`: its body)."""
    moment = sealed_at.isoformat().encode()
    hashed = hashlib.sha256(_LINK)
    for part in (before, _eight(position), _eight(number), moment, content, mac):
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.digest()


def _eight(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)  # a forged row may bring a negative one


def seal(keyed: Keyed, chain: bytes) -> bytes:
    """The HMAC of a link's hash: who has no key cannot make a link."""
    return keyed(_SEAL + chain)


def extend(before: bytes, first: int, events: Iterable[Entry], *, sealed_at: datetime, keyed: Keyed) -> Iterator[Joint]:
    """The links of some events, from position `first` on; `before` is the hash of the last link there is."""
    for position, event in zip(count(first), events, strict=False):
        before = link_hash(before, position, sealed_at, event.number, body(event), event.mac)
        yield Joint(position, event.number, before, sealed_at, seal(keyed, before))


@dataclass(slots=True)
class Check:
    """A check of the whole chain. Run `findings` to its end, then read the counts.

    `keyed` is None where the key is not at hand: then only the chain is checked. With `partial`, the rows may be some
    of many, as in a filtered export; heads that are not among them are left `unchecked`. Where the clock was put back
    no later than at position `accepted`, it is among `put_back` and no finding.
    """

    keyed: Keyed | None
    heads: Iterable[Head] = ()
    partial: bool = False
    accepted: int = 0
    position: int = 0
    chain: bytes = GENESIS
    sealed: int = 0
    unsealed: int = 0
    problems: int = 0
    unchecked: list[Head] = field(default_factory=list)
    put_back: list[Finding] = field(default_factory=list)
    _after: bytes = GENESIS
    _seen: datetime | None = None
    _sealed_at: datetime | None = None
    _heads: dict[int, list[Head]] = field(default_factory=dict)

    def findings(self, rows: Iterable[Row]) -> Iterator[Finding]:
        """Everything that is wrong: links by position, then events without a link."""
        for head in self.heads:
            self._heads.setdefault(head.position, []).append(head)
        for finding in self._all(rows):
            self.problems += 1
            yield finding

    def _all(self, rows: Iterable[Row]) -> Iterator[Finding]:
        for row in rows:
            yield from self._loose(row) if row.joint is None else self._linked(row, row.joint)
        yield from self._cut_off()

    def _linked(self, row: Row, joint: Joint) -> Iterator[Finding]:
        self.sealed += 1
        yield from self._place(joint)
        follows = joint.position == self.position + 1 and (self.position > 0 or not self.partial)
        before = row.before or (self.chain if follows else None)
        if follows and before != self.chain:
            yield Finding(Change.CHANGED, "it follows another link than the one before it", joint.position)
        self._after = joint.chain
        if row.unreadable:
            yield Finding(Change.CHANGED, row.unreadable, joint.position, joint.event_number)
        elif row.event is None:
            words = "the chain has its link, but the event is gone"
            yield Finding(Change.MISSING, words, joint.position, joint.event_number)
        else:
            yield from self._content(joint, row.event, before)
        yield from self._noted(joint)
        if joint.position > self.position:
            self.position, self.chain = joint.position, self._after

    def _place(self, joint: Joint) -> Iterator[Finding]:
        wanted = self.position + 1
        if joint.position < wanted:
            yield Finding(Change.OUT_OF_ORDER, "it stands after a later one", joint.position, joint.event_number)
        elif joint.position > wanted and not self.partial:
            more = f", and those up to {joint.position - 1:,}" if joint.position > wanted + 1 else ""
            yield Finding(Change.MISSING, f"its link is gone{more}", wanted)

    def _content(self, joint: Joint, event: Entry, before: bytes | None) -> Iterator[Finding]:
        """Whether link, event and their HMACs fit each other. After a gap nobody knows what stood before."""
        content, hashed = body(event), joint.chain
        if before is not None:
            hashed = link_hash(before, joint.position, joint.sealed_at, event.number, content, event.mac)
        fits, genuine, ours = hashed == joint.chain, True, True
        if self.keyed is not None:
            genuine, ours = self.keyed(content) == event.mac, seal(self.keyed, joint.chain) == joint.seal
        if not ours:
            self._after = hashed  # the hash itself may be what was changed: the next link must not be blamed for it
        if fits and genuine and ours:
            yield from self._dated(joint, event)
        else:
            yield Finding(*_judged(fits=fits, genuine=genuine, ours=ours), joint.position, event.number)

    def _dated(self, joint: Joint, event: Entry) -> Iterator[Finding]:
        yield from self._clock(joint)
        seen = self._seen
        if seen is not None and seen - event.at > PATIENCE:
            words = f"it is dated {event.at:%Y-%m-%d %H:%M:%S}, but came after one of {seen:%Y-%m-%d %H:%M:%S} UTC"
            yield Finding(Change.BACK_DATED, words, joint.position, event.number)
        now = min(event.at, joint.sealed_at)
        self._seen = now if seen is None else max(seen, now)

    def _clock(self, joint: Joint) -> Iterator[Finding]:
        """One finding where the sealer's own time goes back. From there on times are compared anew.

        Else one event sealed while the clock was a year ahead would put a year of genuine ones in the wrong.
        """
        last, self._sealed_at = self._sealed_at, joint.sealed_at
        if last is None or last - joint.sealed_at <= PATIENCE:
            return
        self._seen = None
        words = (
            f"it was sealed at {joint.sealed_at:%Y-%m-%d %H:%M:%S}, the one before it at {last:%Y-%m-%d %H:%M:%S} UTC: "
            "the clock was ahead until then, or is behind since"
        )
        finding = Finding(Change.CLOCK, words, joint.position, joint.event_number)
        if joint.position <= self.accepted:
            self.put_back.append(finding)
        else:
            yield finding

    def _noted(self, joint: Joint) -> Iterator[Finding]:
        for head in self._heads.pop(joint.position, ()):
            if not joint.chain.hex().startswith(head.digits):
                yield Finding(Change.CHANGED, f"its hash is not the one noted in {head.where}", joint.position)

    def _loose(self, row: Row) -> Iterator[Finding]:
        """An event that is not in the chain yet."""
        event, number = row.event, row.number
        self.unsealed += 1
        if row.unreadable or event is None:
            yield Finding(Change.CHANGED, row.unreadable or "it cannot be read", None, number)
        elif self.keyed is not None and self.keyed(body(event)) != event.mac:
            yield Finding(Change.INSERTED, "it was not written by this service, or changed since", None, number)
        elif self._seen is not None and self._seen - event.at > PATIENCE:
            yield Finding(Change.INSERTED, "it is not in the chain, though much later events are", None, number)

    def _cut_off(self) -> Iterator[Finding]:
        """What becomes of the heads whose links did not come by."""
        left = [head for position in sorted(self._heads) for head in self._heads[position]]
        if self.partial:
            self.unchecked.extend(left)
            return
        for head in left:
            if head.position > self.position:
                words = f"the chain ends at position {self.position:,}; {head.where} knows position {head.position:,}"
                yield Finding(Change.CUT_OFF, words, head.position)
            else:
                yield Finding(Change.MISSING, f"the link that {head.where} knows is gone", head.position)


def _judged(*, fits: bool, genuine: bool, ours: bool) -> tuple[Change, str]:
    """What it means that link, HMAC and seal do not agree. Without the key, HMAC and seal are taken to be fine."""
    if fits and ours:
        return Change.INSERTED, "the event was not written by this service"
    if not genuine:
        return Change.CHANGED, "the event is not what was written"
    if not ours:
        return Change.CHANGED, "the link was not made by this service: it, or one before it, was changed"
    return Change.OUT_OF_ORDER, "link and event do not belong together: another event was sealed here"


def parse_head(text: str, where: str = "the head that was given") -> Head:
    """A head as people copy it: "1204:9f2c…". Raises ValueError with a sentence."""
    place, _, digits = text.strip().replace(" ", "").replace(",", "").partition(":")
    digits = digits.lower()
    fine = place.isascii() and place.isdigit() and 0 < len(place) < 19 and int(place) > 0
    if not fine or not digits or set(digits) - set("0123456789abcdef"):
        raise ValueError(f"{text!r} is not a head: it must be POSITION:HASH, such as 1204:9f2c41d0b5aa7e13")
    if not SHORTEST_HASH <= len(digits) <= 64:
        raise ValueError(f"the hash of a head must have {SHORTEST_HASH} to 64 digits, not {len(digits)}")
    return Head(int(place), digits, where)
