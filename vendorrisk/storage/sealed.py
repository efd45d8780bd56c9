"""Seals files as streams, in chunks of 64 KiB, so that none is ever plain on disk. Called by services.

A stream begins with 0x02, the id of the data key and a random salt; the stream's own key is derived from the data key,
the salt and `context`. Each chunk then knows its place and whether it is the last: chunks that were swapped, dropped or
cut off at the end do not open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vendorrisk import crypto
from vendorrisk.crypto import CannotOpen

CHUNK = 64 * 1024
_FORMAT = b"\x02"
_SALT_BYTES = 16
_TAG_BYTES = 16
_HEADER_BYTES = 1 + 16 + _SALT_BYTES


def seal_stream(key_id: UUID, key: bytes, chunks: Iterable[bytes], *, context: str) -> Iterator[bytes]:
    """The sealed form of a file that comes in `chunks` of any size. It opens only with the same `context`."""
    header = _FORMAT + key_id.bytes + crypto.random_bytes(_SALT_BYTES)
    cipher = _cipher(header, key, context)
    yield header
    for number, last, plain in _numbered(_resized(chunks, CHUNK)):
        yield cipher.encrypt(_nonce(number), plain, header + _mark(last))


def open_stream(key_id: UUID, key: bytes, chunks: Iterable[bytes], *, context: str) -> Iterator[bytes]:
    """The plain bytes of what `seal_stream` made, in chunks. Each chunk given is genuine; a damaged or shortened file
    raises CannotOpen at the place of the damage.
    """
    parts = _resized(_after_header(iter(chunks), key_id, header := bytearray()), CHUNK + _TAG_BYTES)
    cipher: AESGCM | None = None
    for number, last, part in _numbered(parts):
        cipher = cipher or _cipher(bytes(header), key, context)
        try:
            yield cipher.decrypt(_nonce(number), part, bytes(header) + _mark(last))
        except InvalidTag as error:
            raise CannotOpen(f"the file for {context!r} was changed, moved or cut off") from error


def _after_header(chunks: Iterator[bytes], key_id: UUID, header: bytearray) -> Iterator[bytes]:
    """Fill `header` from the first bytes and give back the rest. Raises CannotOpen where it is not this key's."""
    rest = b""
    for chunk in chunks:
        header += chunk
        if len(header) >= _HEADER_BYTES:
            rest = bytes(header[_HEADER_BYTES:])
            del header[_HEADER_BYTES:]
            break
    if len(header) != _HEADER_BYTES or header[:1] != _FORMAT or bytes(header[1:17]) != key_id.bytes:
        raise CannotOpen("not a file sealed with this key")
    yield rest
    yield from chunks


def _cipher(header: bytes, key: bytes, context: str) -> AESGCM:
    return AESGCM(crypto.derive(key, f"vendorrisk/file/{context}", salt=header[-_SALT_BYTES:]))


def _nonce(number: int) -> bytes:
    # The key is this stream's alone, so counting is enough.
    return number.to_bytes(12, "big")


def _mark(last: bool) -> bytes:
    return b"\x01" if last else b"\x00"


def _numbered(parts: Iterable[bytes]) -> Iterator[tuple[int, bool, bytes]]:
    """Each part with its number and whether it is the last. There is always a last one, be it empty."""
    number, held = 0, b""
    first = True
    for part in parts:
        if not first:
            yield number, False, held
            number += 1
        held, first = part, False
    yield number, True, held


def _resized(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in parts of `size`; the last part may be shorter."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(buffer[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)
