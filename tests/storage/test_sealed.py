"""Sealed streams: they come back equal, and any change, swap or cut is noticed."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk import crypto
from vendorrisk.crypto import CannotOpen
from vendorrisk.storage import open_storage
from vendorrisk.storage.sealed import CHUNK, open_stream, seal_stream

KEY_ID, KEY = uuid4(), crypto.new_key()
_SEALED_CHUNK = CHUNK + 16
_HEADER = 33


def sealed(plain: bytes, context: str = "evidence:1") -> bytes:
    return b"".join(seal_stream(KEY_ID, KEY, [plain], context=context))


def opened(data: bytes, context: str = "evidence:1", size: int = 10_000) -> bytes:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(open_stream(KEY_ID, KEY, parts, context=context))


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_every_length_comes_back(length: int) -> None:
    plain = os.urandom(length)
    assert opened(sealed(plain)) == plain


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 500))
def test_it_does_not_matter_how_the_bytes_are_cut(parts: list[bytes], size: int) -> None:
    data = b"".join(seal_stream(KEY_ID, KEY, parts, context="c"))
    assert opened(data, "c", size) == b"".join(parts)


def test_nothing_plain_is_in_it_and_no_two_seals_are_alike() -> None:
    plain = b"Northwind Mail " * 1000
    assert b"Northwind" not in sealed(plain)
    assert sealed(plain) != sealed(plain)


@pytest.mark.parametrize("at", [0, 5, 20, _HEADER, _HEADER + 10, _HEADER + _SEALED_CHUNK + 3, -1])
def test_one_changed_bit_is_noticed(at: int) -> None:
    data = bytearray(sealed(os.urandom(2 * CHUNK + 5)))
    data[at] ^= 1
    with pytest.raises(CannotOpen):
        opened(bytes(data))


@pytest.mark.parametrize("keep", [0, 10, 33, 38, _HEADER + _SEALED_CHUNK, _HEADER + 2 * _SEALED_CHUNK, -1])
def test_a_stream_that_was_cut_off_is_noticed(keep: int) -> None:
    with pytest.raises(CannotOpen):
        opened(sealed(os.urandom(2 * CHUNK + 5))[:keep])


def test_a_stream_with_more_at_its_end_is_noticed() -> None:
    data = sealed(os.urandom(CHUNK))
    with pytest.raises(CannotOpen):
        opened(data + data[_HEADER:])


def test_chunks_that_changed_places_are_noticed() -> None:
    data = sealed(os.urandom(3 * CHUNK))
    first, second = _HEADER, _HEADER + _SEALED_CHUNK
    swapped = data[:first] + data[second : second + _SEALED_CHUNK] + data[first:second] + data[second + _SEALED_CHUNK :]
    with pytest.raises(CannotOpen):
        opened(swapped)


def test_a_chunk_of_another_file_is_noticed() -> None:
    one, other = sealed(os.urandom(2 * CHUNK)), sealed(os.urandom(2 * CHUNK))
    with pytest.raises(CannotOpen):
        opened(one[: _HEADER + _SEALED_CHUNK] + other[_HEADER + _SEALED_CHUNK :])


def test_a_file_does_not_open_in_another_place() -> None:
    with pytest.raises(CannotOpen):
        opened(sealed(b"x", "evidence:1"), "evidence:2")


def test_a_file_does_not_open_with_another_key() -> None:
    with pytest.raises(CannotOpen):
        b"".join(open_stream(KEY_ID, crypto.new_key(), [sealed(b"x")], context="evidence:1"))
    with pytest.raises(CannotOpen):
        b"".join(open_stream(uuid4(), KEY, [sealed(b"x")], context="evidence:1"))


def test_a_single_value_is_no_stream() -> None:
    with pytest.raises(CannotOpen):
        opened(crypto.seal(KEY_ID, KEY, b"x" * 100, context="evidence:1"))


def test_what_is_read_before_the_damage_is_genuine() -> None:
    plain = os.urandom(3 * CHUNK)
    data = bytearray(sealed(plain))
    data[-1] ^= 1
    stream = open_stream(KEY_ID, KEY, [bytes(data)], context="evidence:1")
    assert next(stream) + next(stream) == plain[: 2 * CHUNK]
    with pytest.raises(CannotOpen):
        next(stream)


def test_through_the_storage_nothing_plain_touches_the_disk(tmp_path: Path) -> None:
    storage, canary = open_storage(str(tmp_path)), b"CANARY-7f3k2" * 20_000
    storage.put("evidence-1", seal_stream(KEY_ID, KEY, [canary], context="e"))
    assert b"".join(open_stream(KEY_ID, KEY, storage.get("evidence-1"), context="e")) == canary
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"CANARY" in path.read_bytes()]
