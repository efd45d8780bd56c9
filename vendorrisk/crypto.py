"""Sealing with AES-256-GCM and keyed hashing: functions over bytes for the vault, the trail and storage."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"
_HEADER_BYTES = 1 + 16


class CannotOpen(Exception):
    """A sealed value was changed, stands in another place than it was sealed for, or belongs to another key."""


def new_key() -> bytes:
    """A fresh random 256-bit key."""
    return os.urandom(KEY_BYTES)


def random_bytes(count: int) -> bytes:
    """Random bytes for a salt."""
    return os.urandom(count)


def seal(key_id: UUID, key: bytes, plain: bytes, *, context: str) -> bytes:
    """Encrypt `plain`; the result names its key, and opens only with the same `context` (the place it was written to).

    Format: 0x01, 16 bytes of key id, 12 bytes of nonce, ciphertext with its 16-byte tag.
    """
    header = _FORMAT + key_id.bytes
    nonce = os.urandom(_NONCE_BYTES)
    return header + nonce + AESGCM(key).encrypt(nonce, plain, header + context.encode())


def key_id_of(sealed: bytes) -> UUID:
    """Which key a sealed value asks for. Raises CannotOpen if it is not a sealed value."""
    _check_form(sealed)
    return UUID(bytes=sealed[1:_HEADER_BYTES])


def _check_form(sealed: bytes) -> None:
    if len(sealed) < _HEADER_BYTES + _NONCE_BYTES + 16 or sealed[:1] != _FORMAT:
        raise CannotOpen("not a sealed value")


def open_sealed(key: bytes, sealed: bytes, *, context: str) -> bytes:
    """Decrypt what `seal` made. Raises CannotOpen."""
    _check_form(sealed)
    header, nonce = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
    try:
        return AESGCM(key).decrypt(nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], header + context.encode())
    except InvalidTag as error:
        raise CannotOpen(f"the value for {context!r} was changed or moved") from error


def derive(master: bytes, purpose: str, *, salt: bytes | None = None) -> bytes:
    """A key for one purpose, derived from another key with HKDF-SHA256."""
    return _derived(master, purpose) if salt is None else _hkdf(master, purpose, salt)


@lru_cache(maxsize=64)
def _derived(master: bytes, purpose: str) -> bytes:
    # The few keys that hang on a master are wanted with every save; salted ones belong to one thing, used once.
    return _hkdf(master, purpose, None)


def _hkdf(master: bytes, purpose: str, salt: bytes | None) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose.encode()).derive(master)


def keyed_hash(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 over length-prefixed parts, so that no two lists of parts share a hash."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(8, "big"))
        mac.update(part)
    return mac.digest()


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 of one piece of data; what `keyed_hash` gives for parts that bring their lengths along."""
    return hmac.digest(key, data, "sha256")
