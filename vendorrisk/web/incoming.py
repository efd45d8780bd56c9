"""How requests are read: limits on size, uploads that never touch the disk in plain, nothing but what pages send."""

from __future__ import annotations

from io import BytesIO
from typing import IO

from flask import Flask, Request, abort, request

MAX_BODY = 26 * 1024 * 1024
"""A file of evidence (25 MB) and the form around it."""
MAX_FIELDS = 2 * 1024 * 1024
"""All of a form's text together: the longest answers and a full table fit."""
MAX_PARTS = 5000
"""A section with a table of 200 rows has some 2,000 fields."""

_FILES_GO_TO = "/respond/"
_FORMS = ("", "application/x-www-form-urlencoded", "multipart/form-data")


class InMemoryRequest(Request):
    """Uploads stay in memory: Werkzeug would spool what exceeds 500 kB to a plain temporary file."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def most(path: str) -> int:
    """How large a body may be that is sent to `path`: files go to vendors' pages, and text alone everywhere else."""
    return MAX_BODY if path.startswith(_FILES_GO_TO) else MAX_FIELDS


def install(app: Flask) -> None:
    """Set the limits."""
    app.request_class = InMemoryRequest
    app.config.update(MAX_FORM_MEMORY_SIZE=MAX_FIELDS, MAX_FORM_PARTS=MAX_PARTS)
    app.before_request(_limit)
    app.before_request(_refuse_other_sites)
    app.before_request(_refuse_what_no_page_sends)


def _limit() -> None:
    request.max_content_length = most(request.path)


def _refuse_other_sites() -> None:
    # A second lock beside the CSRF token. Origin and Referer cannot serve: our own pages send none (no-referrer).
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        abort(400)


def _refuse_what_no_page_sends() -> None:
    """Addresses with NUL (PostgreSQL takes none), bodies that are no forms, and fields without a name."""
    if "\0" in request.path:
        abort(404)
    if request.method != "POST":
        return
    if request.mimetype not in _FORMS:
        abort(415)
    if None in request.form or None in request.files:
        abort(400)
