"""Sends files to be saved, never to be shown: evidence, reports, exports; used by vendor, staff and auditor pages."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from flask import Response

_TYPES = {
    "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


def attachment(name: str, kind: str, size: int, chunks: Iterator[bytes], *, is_head: bool = False) -> Response:
    """A response with the file as an attachment; even a browser that opened it would run nothing of it."""
    response = Response(iter(()) if is_head else chunks, content_type=_TYPES.get(kind, "application/octet-stream"))
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return to_be_saved(response, name)


def to_be_saved(response: Response, name: str) -> Response:
    """The response as an attachment with this name, kept nowhere on the way."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    names = f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Disposition"] = f"attachment; {names}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
