"""Serves style sheets, scripts and pictures under addresses that hold the hash of their content: kept for ever.

In templates, `static_url("site.css")` gives `/static/<hash>/site.css`. The hash is of the whole folder, so that
files may name each other by relative addresses. They are read once, at start: no address is ever made into a path.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from flask import Flask, Response, abort
from flask.typing import ResponseReturnValue

from vendorrisk.web import access

FOLDER = Path(__file__).parents[1] / "static"
_FOREVER = 365 * 24 * 3600


def read(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its relative name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def digest_of(files: Mapping[str, bytes]) -> str:
    """The first 12 hex digits of a SHA-256 over every file's name and content."""
    total = hashlib.sha256()
    for name, content in files.items():
        total.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()[:12]


def install(app: Flask) -> None:
    """Add the route, and `static_url`: four on every page, built faster than url_for would."""
    files = read(FOLDER)
    digest = digest_of(files)

    @access.open_to_anyone("style sheets and scripts of public pages")
    def static(digest_asked: str, filename: str) -> ResponseReturnValue:
        if digest_asked != digest or filename not in files:
            abort(404)
        response = Response(files[filename], mimetype=mimetypes.guess_type(filename)[0] or "application/octet-stream")
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.max_age = _FOREVER
        return response

    def static_url(filename: str) -> str:
        return f"/static/{digest}/{filename}"

    app.add_url_rule("/static/<digest_asked>/<path:filename>", "static", static, methods=["GET"])
    app.jinja_env.globals["static_url"] = static_url
