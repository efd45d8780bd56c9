"""Whether a file is a PDF that does nothing by itself; `filetypes` calls `check`."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from vendorrisk.domain.errors import InvalidFile
from vendorrisk.domain.filetypes import refusals

_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|RichMedia|EmbeddedFiles?)(?![A-Za-z0-9])")
_PASSWORD = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
_MAX_OBJECT_STREAMS_BYTES = 50 * 1024 * 1024


def check(kind: str, content: bytes) -> None:
    """Raise InvalidFile for a broken PDF, and for one with a password, scripts, attachments or commands."""
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-2048:]:
        raise refusals.not_what_it_says(kind)
    # Compressed picture data may hold any bytes by chance: names are looked for outside of streams,
    # and in the object streams, where newer files keep their objects.
    outside, object_streams = _split_at_streams(content)
    if _PASSWORD.search(_plain_names(outside)):
        raise refusals.locked()
    if any(_ACTIVE.search(_plain_names(part)) for part in (outside, *_unpacked(object_streams))):
        raise InvalidFile("The PDF holds scripts, attachments or commands. Print it to a new PDF and upload that.")


def _plain_names(part: bytes) -> bytes:
    return _NAME_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), part)


def _split_at_streams(content: bytes) -> tuple[bytes, list[bytes]]:
    """What stands outside of streams, and the packed object streams; by plain searching, so in linear time."""
    outside, object_streams = [], []
    kept_to = at = 0
    while (start := content.find(b"stream", at)) >= 0:
        at = start + len(b"stream")
        if content[at : at + 1] not in (b"\r", b"\n"):
            continue
        end = content.find(b"endstream", at)
        if end < 0:
            break
        if b"/ObjStm" in content[max(kept_to, start - 2000) : start]:
            object_streams.append(content[at:end].lstrip(b"\r\n"))
        outside.append(content[kept_to:at])
        kept_to = at = end + len(b"endstream")
    return b" ".join([*outside, content[kept_to:]]), object_streams


def _unpacked(object_streams: list[bytes]) -> Iterator[bytes]:
    left = _MAX_OBJECT_STREAMS_BYTES
    for packed in object_streams:
        unpacker = zlib.decompressobj()
        try:
            unpacked = unpacker.decompress(packed, left)
        except zlib.error:
            continue
        left -= len(unpacked)
        if left <= 0:
            raise InvalidFile("The PDF unpacks to far more than its size. Print it to a new PDF and upload that.")
        yield unpacked
