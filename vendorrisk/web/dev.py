"""The demonstration's mailbox: shows the letters that were written instead of sent. Elsewhere there is none."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, render_template
from flask.typing import ResponseReturnValue

from vendorrisk.mail import mailbox
from vendorrisk.mail.mailbox import Captured
from vendorrisk.mail.transports import FileTransport, open_transport
from vendorrisk.web import access, edge

bp = Blueprint("dev", __name__, url_prefix="/dev")
_WHY_OPEN = "the demonstration: made-up letters to made-up people, this machine only; 404 elsewhere"

# Letters bring their styles inline, as mail programs want them: allowed on this page alone, in a sandbox without
# scripts, forms or an origin of its own.
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox"
)


@bp.get("/mail")
@access.open_to_anyone(_WHY_OPEN)
def mail() -> ResponseReturnValue:
    """All letters, the newest first."""
    return render_template("dev/mail.html", letters=mailbox.newest(_folder().folder))


@bp.get("/mail/<name>")
@access.open_to_anyone(_WHY_OPEN)
def letter(name: str) -> ResponseReturnValue:
    """One letter: its head, and its text part."""
    found = _find(name)
    return render_template("dev/letter.html", letter=found, link=_here(found.link))


@bp.get("/mail/<name>/html")
@access.open_to_anyone(_WHY_OPEN)
def letter_html(name: str) -> Response:
    """One letter's HTML part, as a mail program would show it."""
    response = make_response(_find(name).html)
    response.headers["Content-Security-Policy"] = _LETTER_POLICY
    return response


def _here(link: str) -> str:
    """The link at the port that the demonstration listens on now; "" for one that leads elsewhere."""
    base = edge.services().settings.base_url
    there = urlsplit(link)
    return base + there.path if there.hostname == urlsplit(base).hostname else ""


def _find(name: str) -> Captured:
    found = mailbox.find(_folder().folder, name)
    if found is None:
        abort(404)
    return found


def _folder() -> FileTransport:
    settings = edge.services().settings
    transport = open_transport(settings.mail) if settings.demo else None
    if not isinstance(transport, FileTransport):
        abort(404)
    return transport
