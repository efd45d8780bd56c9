"""Whether a file is a PNG or JPG of a usual size; `filetypes` calls `check_png` and `check_jpg`."""

from __future__ import annotations

import struct
import zlib

from vendorrisk.domain.errors import InvalidFile
from vendorrisk.domain.filetypes import refusals

MAX_PIXELS = 40_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
_JPG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def check_png(kind: str, content: bytes) -> None:
    """Raise InvalidFile where a chunk is broken, something follows the last one, or the picture is too large."""
    if not content.startswith(_PNG) or content[12:16] != b"IHDR":
        raise refusals.not_what_it_says(kind)
    width, height = struct.unpack(">II", content[16:24].ljust(8, b"\0"))
    _check_pixels(width, height, kind)
    if _png_end(kind, content) != len(content):
        raise refusals.not_what_it_says(kind)


def _png_end(kind: str, content: bytes) -> int:
    at, view = len(_PNG), memoryview(content)
    while at + 12 <= len(content):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 12 + length
        if end > len(content) or zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            break
        if bytes(view[at + 4 : at + 8]) == b"IEND":
            return end
        at = end
    raise refusals.not_what_it_says(kind)


def check_jpg(kind: str, content: bytes) -> None:
    """Raise InvalidFile where there is no frame before the picture's data, or the picture is too large."""
    if not content.startswith(b"\xff\xd8\xff") or b"\xff\xd9" not in content[-1024:]:
        raise refusals.not_what_it_says(kind)
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            break
        marker = content[at + 1]
        if marker == 0xFF or marker in _JPG_ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _JPG_FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            _check_pixels(width, height, kind)
            return
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2 or marker in (0xD9, 0xDA):
            break
        at += 2 + length
    raise refusals.not_what_it_says(kind)


def _check_pixels(width: int, height: int, kind: str) -> None:
    if not width or not height:
        raise refusals.not_what_it_says(kind)
    if width * height > MAX_PIXELS:
        raise InvalidFile(f"The picture has {width:,} × {height:,} points; the most is {MAX_PIXELS // 10**6} million.")
