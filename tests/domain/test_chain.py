"""The chain: whatever is changed in it is named, with its place; what was written by the rules is left alone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.domain import chain
from vendorrisk.domain.chain import GENESIS, Change, Check, Entry, Finding, Head, Joint, Keyed, Row

NOW = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)


def keyed_with(key: bytes) -> Keyed:
    return partial(_digest, key)


def _digest(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hashlib.sha256)


OURS, THEIRS = keyed_with(b"k" * 32), keyed_with(b"m" * 32)


def event(number: int, *, at: datetime | None = None, keyed: Keyed = OURS, details: bytes = b"sealed") -> Entry:
    """An event as the service writes it."""
    at = at or NOW + timedelta(seconds=number)
    entry = Entry(number, UUID(int=number), at, "answer.saved", "staff", "u-1", "assessment", UUID(int=7), details, b"")
    return entry._replace(mac=keyed(chain.body(entry)))


def linked(events: list[Entry], *, keyed: Keyed = OURS, sealed_at: datetime | None = None) -> list[Row]:
    """The events in the chain."""
    sealed_at = sealed_at or NOW + timedelta(hours=1)
    joints = chain.extend(GENESIS, 1, events, sealed_at=sealed_at, keyed=keyed)
    return [Row(joint, each, number=each.number) for joint, each in zip(joints, events, strict=True)]


def trail(count: int = 8) -> list[Row]:
    return linked([event(number) for number in range(1, count + 1)])


def named(rows: list[Row], *, keyed: Keyed | None = OURS, heads: tuple[Head, ...] = ()) -> list[Finding]:
    return list(Check(keyed, heads).findings(rows))


def joint(row: Row) -> Joint:
    assert row.joint is not None
    return row.joint


def head_of(rows: list[Row]) -> Head:
    last = joint(rows[-1])
    return Head(last.position, last.chain.hex(), "a letter")


def test_what_was_written_by_the_rules_is_whole_with_the_key_and_without() -> None:
    rows = trail()
    check = Check(OURS, [head_of(rows[:5]), head_of(rows)])
    assert list(check.findings([*rows, Row(None, event(9), number=9)])) == []
    assert (check.sealed, check.unsealed, check.position, check.problems) == (8, 1, 8, 0)
    assert named(rows, keyed=None) == []


def test_nothing_at_all_is_whole() -> None:
    assert named([]) == []


def _flip(value: bytes, at: int) -> bytes:
    at %= len(value)
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


def _text(value: str, at: int) -> str:
    at %= len(value)
    return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


FLIPS: dict[str, Callable[[Row, int], Row]] = {
    "number": lambda row, at: row._replace(event=_entry(row)._replace(number=_entry(row).number ^ (1 << at % 60))),
    "id": lambda row, at: row._replace(event=_entry(row)._replace(id=UUID(bytes=_flip(_entry(row).id.bytes, at)))),
    "at": lambda row, at: row._replace(event=_entry(row)._replace(at=NOW + timedelta(microseconds=at + 1))),
    "kind": lambda row, at: row._replace(event=_entry(row)._replace(kind=_text(_entry(row).kind, at))),
    "actor_kind": lambda row, at: row._replace(event=_entry(row)._replace(actor_kind=_text("staff", at))),
    "actor_id": lambda row, at: row._replace(event=_entry(row)._replace(actor_id=_text("u-1", at))),
    "object_kind": lambda row, at: row._replace(event=_entry(row)._replace(object_kind=_text("assessment", at))),
    "object_id": lambda row, at: row._replace(event=_entry(row)._replace(object_id=UUID(int=8 + at))),
    "details": lambda row, at: row._replace(event=_entry(row)._replace(details=_flip(_entry(row).details, at))),
    "mac": lambda row, at: row._replace(event=_entry(row)._replace(mac=_flip(_entry(row).mac, at))),
    "chain": lambda row, at: row._replace(joint=joint(row)._replace(chain=_flip(joint(row).chain, at))),
    "seal": lambda row, at: row._replace(joint=joint(row)._replace(seal=_flip(joint(row).seal, at))),
    "sealed_at": lambda row, at: row._replace(joint=joint(row)._replace(sealed_at=NOW + timedelta(minutes=at + 61))),
    "position": lambda row, at: row._replace(joint=joint(row)._replace(position=joint(row).position + 100 + at)),
}


def _entry(row: Row) -> Entry:
    assert row.event is not None
    return row.event


@given(which=st.sampled_from(sorted(FLIPS)), place=st.integers(0, 7), at=st.integers(0, 400))
def test_any_flip_in_any_column_of_any_row_is_named_at_that_row(which: str, place: int, at: int) -> None:
    rows = trail()
    rows[place] = FLIPS[which](rows[place], at)
    findings = named(rows)
    positions = {finding.position for finding in findings}
    assert joint(rows[place]).position in positions or place + 1 in positions
    if which not in ("position", "number"):
        assert len(findings) == 1, "nobody else is blamed"
        assert findings[0].number == place + 1


@given(which=st.sampled_from(sorted(set(FLIPS) - {"seal"})), place=st.integers(0, 7), at=st.integers(0, 400))
def test_without_the_key_the_chain_alone_still_names_it(which: str, place: int, at: int) -> None:
    rows = trail()
    rows[place] = FLIPS[which](rows[place], at)
    positions = {finding.position for finding in named(rows, keyed=None)}
    assert joint(rows[place]).position in positions or place + 1 in positions


@given(gone=st.integers(0, 6))
def test_a_row_taken_out_is_named_by_its_position_and_nobody_after_it_is_blamed(gone: int) -> None:
    rows = trail()
    del rows[gone]
    assert [(f.change, f.position) for f in named(rows)] == [(Change.MISSING, gone + 1)]


def test_an_event_that_is_gone_while_its_link_is_there_is_named() -> None:
    rows = trail()
    rows[3] = rows[3]._replace(event=None)
    assert [(f.change, f.position, f.number) for f in named(rows)] == [(Change.MISSING, 4, 4)]


@given(st.permutations(range(6)).filter(lambda order: order != sorted(order)))
def test_events_in_another_order_are_named(order: list[int]) -> None:
    rows = trail(6)
    swapped = [row._replace(event=rows[other].event) for row, other in zip(rows, order, strict=True)]
    findings = named(swapped)
    assert {f.position for f in findings} == {at + 1 for at, other in enumerate(order) if at != other}
    assert {f.change for f in findings} == {Change.OUT_OF_ORDER}


def test_whole_rows_in_another_order_are_named() -> None:
    rows = trail(4)
    findings = named([rows[0], rows[2], rows[1], rows[3]])
    assert Change.OUT_OF_ORDER in {f.change for f in findings if f.position == 2}


def test_an_event_of_somebody_without_the_key_is_named_before_and_after_it_is_sealed() -> None:
    forged = event(9, keyed=THEIRS)
    assert [(f.change, f.number) for f in named([*trail(), Row(None, forged, number=9)])] == [(Change.INSERTED, 9)]
    rows = linked([*(event(number) for number in range(1, 9)), forged])
    assert [(f.change, f.position) for f in named(rows)] == [(Change.INSERTED, 9)]


@given(place=st.integers(0, 7))
def test_the_last_link_stands_for_every_event_before_it_even_against_who_has_the_key(place: int) -> None:
    events = [event(number) for number in range(1, 9)]
    changed = [event(each.number, details=b"other") if at == place else each for at, each in enumerate(events)]
    rewritten = linked(changed)
    assert named(rewritten) == [], "with the key a new chain can be made"
    assert [f.position for f in named(rewritten, heads=(head_of(linked(events)),))] == [8], "but not the old head"


@given(gone=st.integers(0, 6))
def test_who_hashes_the_chain_anew_without_the_key_is_named_at_the_first_link(gone: int) -> None:
    events = [event(number) for number in range(1, 9)]
    genuine, forged = linked(events), linked(events[:gone] + events[gone + 1 :], keyed=THEIRS)
    findings = named([*genuine[:gone], *forged[gone:]])
    assert findings[0].position == gone + 1
    assert named(forged, keyed=None) == [], "without the key that cannot be seen"
    assert named(forged, keyed=None, heads=(head_of(genuine),)), "unless a head was kept"


def test_a_genuine_event_that_is_dated_back_is_named() -> None:
    late = event(9, at=NOW - timedelta(days=3))
    rows = linked([*(event(number) for number in range(1, 9)), late])
    assert [(f.change, f.number) for f in named(rows)] == [(Change.BACK_DATED, 9)]


def test_a_little_out_of_order_is_how_things_are() -> None:
    rows = linked([event(1), event(2, at=NOW - timedelta(minutes=14)), event(3)])
    assert named(rows) == []


def test_one_event_dated_ahead_does_not_put_all_later_ones_in_the_wrong() -> None:
    ahead = event(1, at=NOW + timedelta(days=400))
    assert named(linked([ahead, event(2), event(3)], sealed_at=NOW + timedelta(minutes=1))) == []


def test_a_clock_that_was_ahead_and_put_right_is_one_finding_and_back_dating_is_still_named_after_it() -> None:
    year = timedelta(days=365)
    before, ahead = [event(1), event(2)], [event(3, at=NOW + year)]
    after = [*(event(number) for number in range(4, 300)), event(300, at=NOW - timedelta(days=3))]
    rows: list[Row] = []
    last = GENESIS
    for events, sealed_at in ((before, NOW), (ahead, NOW + year), (after, NOW + timedelta(minutes=5))):
        for made, each in zip(
            chain.extend(last, len(rows) + 1, events, sealed_at=sealed_at, keyed=OURS), events, strict=True
        ):
            rows.append(Row(made, each, number=each.number))
        last = joint(rows[-1]).chain
    assert [(f.change, f.number) for f in named(rows)] == [(Change.CLOCK, 4), (Change.BACK_DATED, 300)]
    check = Check(OURS, accepted=4)
    assert [(f.change, f.number) for f in check.findings(rows)] == [(Change.BACK_DATED, 300)]
    assert [(f.change, f.position) for f in check.put_back] == [(Change.CLOCK, 4)]


def test_an_old_event_that_never_got_into_the_chain_is_named() -> None:
    left_out = Row(None, event(99, at=NOW - timedelta(hours=1)), number=99)
    assert [(f.change, f.number) for f in named([*trail(), left_out])] == [(Change.INSERTED, 99)]


@given(kept=st.integers(0, 7))
def test_a_chain_cut_off_together_with_its_events_is_named_by_a_kept_head(kept: int) -> None:
    rows = trail()
    assert named(rows[:kept]) == [], "by itself, what is left fits together"
    assert [(f.change, f.position) for f in named(rows[:kept], heads=(head_of(rows),))] == [(Change.CUT_OFF, 8)]


def test_another_chain_than_the_one_whose_head_was_kept_is_named() -> None:
    other = linked([event(number, details=b"other") for number in range(1, 9)])
    findings = named(other, heads=(head_of(trail(5)),))
    assert [(f.change, f.position) for f in findings] == [(Change.CHANGED, 5)]


def test_a_kept_head_whose_link_is_gone_is_named() -> None:
    rows = trail()
    changes = [f.change for f in named([*rows[:3], *rows[4:]], heads=(head_of(rows[:4]),))]
    assert changes == [Change.MISSING, Change.MISSING]


def test_what_cannot_be_read_is_named() -> None:
    rows = trail()
    rows[2] = rows[2]._replace(event=None, unreadable="the event cannot be read any more")
    assert [(f.position, f.words) for f in named(rows)] == [(3, "the event cannot be read any more")]
    assert named([Row(None, None, "line 3 cannot be read", number=0)])[0].change is Change.CHANGED


def test_numbers_beyond_all_measure_end_no_check() -> None:
    rows = trail(2)
    odd = event(5)._replace(number=-5)
    assert named([*rows, Row(joint(rows[1])._replace(position=-7), odd, number=-5)])


@pytest.mark.parametrize(
    ("typed", "position", "digits"),
    [
        ("1204:9f2c41d0b5aa7e13", 1204, "9f2c41d0b5aa7e13"),
        (" 1,204:9F2C 41D0 B5AA 7E13 ", 1204, "9f2c41d0b5aa7e13"),
        (f"1:{'a' * 64}", 1, "a" * 64),
    ],
)
def test_a_head_is_read_as_people_copy_it(typed: str, position: int, digits: str) -> None:
    found = chain.parse_head(typed)
    assert (found.position, found.digits) == (position, digits)


@pytest.mark.parametrize(
    "typed",
    ["", "1204", "9f2c41d0b5aa7e13", "0:9f2c41d0b5aa7e13", "-1:9f2c41d0b5aa7e13", "x:9f2c41d0b5aa7e13",
     "1204:9f2c", "1204:9f2c41d0b5aa7e1z", f"1204:{'a' * 65}", "٣:9f2c41d0b5aa7e13", f"{'9' * 40}:9f2c41d0b5aa7e13"],
)  # fmt: skip
def test_what_is_no_head_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="head"):
        chain.parse_head(typed)


def test_a_finding_says_where_and_what() -> None:
    found = Finding(Change.MISSING, "its link is gone", 1204, 1301)
    assert str(found) == "position 1,204, event 1,301: missing: its link is gone"
    assert str(Finding(Change.CUT_OFF, "the file ends")) == "the trail: cut off: the file ends"
