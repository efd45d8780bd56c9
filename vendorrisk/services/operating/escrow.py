"""The master key on paper: written so that people can copy it by hand, and read so that a slip of theirs is found.

Called by `keys export` and `keys import`. 32 bytes stand on four lines of sixteen letters and figures (no I, L, O, U);
the last three of each line are a check of that line, and a fingerprint checks the whole.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date

from vendorrisk.crypto import KEY_BYTES
from vendorrisk.db.vault import MasterKey

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKE = str.maketrans("OILU", "011V")
_LINE_BYTES = 8
_LINE_LETTERS, _CHECK_LETTERS = 13, 3
_LINES = KEY_BYTES // _LINE_BYTES
_LINE = re.compile(r"^\s*line\s+(\d+)\s*:?\s+(.*)$", re.IGNORECASE | re.MULTILINE)
_FACT = re.compile(r"^\s*(key|fingerprint)\s*:?\s+(\S+)\s*$", re.IGNORECASE | re.MULTILINE)


class BadPaper(Exception):
    """What was typed is not a key as it was written down. The text says where to look."""


def fingerprint(key: MasterKey) -> str:
    """Eight letters by which a key is told from others; it says nothing of the key itself."""
    digest = hashlib.sha256(b"vendorrisk key fingerprint" + key.id.encode() + key.secret).digest()
    return _grouped(_letters(digest[:5], 8))


def write(key: MasterKey, *, organisation: str, on: date) -> str:
    """The key as text for paper."""
    lines = [key.secret[at : at + _LINE_BYTES] for at in range(0, KEY_BYTES, _LINE_BYTES)]
    printed = [f"  line {number}       {_grouped(_line(number, part))}" for number, part in enumerate(lines, start=1)]
    name = organisation.encode("ascii", "replace").decode()
    return "\n".join(
        [
            "VENDORRISK MASTER KEY",
            "Whoever holds this and a copy of the database and its keyring can read everything.",
            "",
            f"  organisation {name}",
            f"  written      {on.isoformat()}",
            f"  key          {key.id}",
            f"  fingerprint  {fingerprint(key)}",
            "",
            *printed,
            "",
            "There is no I, L, O or U in it. To use it: python -m vendorrisk keys import FILE",
            "",
        ]
    )


def read(text: str) -> MasterKey:
    """The key that `write` wrote. Raises BadPaper, naming the line with the slip."""
    facts = {name.lower(): value for name, value in _FACT.findall(text)}
    typed = {int(number): letters for number, letters in _LINE.findall(text)}
    if "key" not in facts or "fingerprint" not in facts:
        raise BadPaper("The lines that begin with 'key' and 'fingerprint' are missing.")
    missing = [str(number) for number in range(1, _LINES + 1) if number not in typed]
    if missing:
        raise BadPaper(f"Line {', '.join(missing)} of the key is missing.")
    secret = b"".join(_bytes_of(number, typed[number]) for number in range(1, _LINES + 1))
    key = MasterKey(facts["key"].lower(), secret)
    if _plain(facts["fingerprint"]) != _plain(fingerprint(key)):
        raise BadPaper("The lines are right, but not of this fingerprint: check the lines 'key' and 'fingerprint'.")
    return key


def _line(number: int, part: bytes) -> str:
    return _letters(part, _LINE_LETTERS) + _check(number, part)


def _check(number: int, part: bytes) -> str:
    digest = hashlib.sha256(bytes([number]) + part).digest()
    return _letters(digest[:2], _CHECK_LETTERS + 1)[-_CHECK_LETTERS:]


def _bytes_of(number: int, typed: str) -> bytes:
    letters = _plain(typed)
    if len(letters) != _LINE_LETTERS + _CHECK_LETTERS or not set(letters) <= set(_ALPHABET):
        raise BadPaper(f"Line {number} must have {_LINE_LETTERS + _CHECK_LETTERS} letters and figures.")
    value = 0
    for letter in letters[:_LINE_LETTERS]:
        value = value * 32 + _ALPHABET.index(letter)
    if value >= 1 << (8 * _LINE_BYTES):
        raise BadPaper(f"There is a slip in line {number}.")
    part = value.to_bytes(_LINE_BYTES, "big")
    if letters[_LINE_LETTERS:] != _check(number, part):
        raise BadPaper(f"There is a slip in line {number}.")
    return part


def _letters(content: bytes, count: int) -> str:
    value = int.from_bytes(content, "big")
    return "".join(_ALPHABET[(value >> (5 * place)) & 31] for place in reversed(range(count)))


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def _plain(typed: str) -> str:
    return re.sub(r"[\s-]", "", typed).upper().translate(_LOOK_ALIKE)
