"""The demonstration's own pages: letters that were written instead of sent, and a sign-in with one click.

Elsewhere they do not exist: the factory adds them to the demonstration alone.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from vendorrisk.domain.roles import Role
from vendorrisk.mail import mailbox
from vendorrisk.mail.mailbox import Captured
from vendorrisk.mail.transports import FileTransport, open_transport
from vendorrisk.services.people import accounts
from vendorrisk.web import access, browsers, edge

bp = Blueprint("dev", __name__)
_WHY_OPEN = "the demonstration: made-up letters to made-up people, this machine only; 404 elsewhere"

# Letters bring their styles inline, as mail programs want them: allowed on this page alone, in a sandbox without
# scripts, forms or an origin of its own.
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox"
)


@bp.get("/dev/mail")
@access.open_to_anyone(_WHY_OPEN)
def mail() -> ResponseReturnValue:
    """All letters, the newest first."""
    return render_template("dev/mail.html", letters=mailbox.newest(_folder().folder))


@bp.get("/dev/mail/<name>")
@access.open_to_anyone(_WHY_OPEN)
def letter(name: str) -> ResponseReturnValue:
    """One letter: its head, and its text part."""
    found = _find(name)
    return render_template("dev/letter.html", letter=found, link=_here(found.link))


@bp.get("/dev/mail/<name>/html")
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


@bp.post("/demo/sign-in")
@access.open_to_anyone("the demonstration: made-up people, this machine only; there is no such address elsewhere")
def sign_in() -> ResponseReturnValue:
    """Sign in as one of the made-up people, without a password or a second factor."""
    with edge.reading() as db:
        user = accounts.find(db, request.form.get("email", ""))
    if user is None or not user.active:
        abort(404)
    browsers.sign_in(user, "demo")
    return redirect("/", 303)


@bp.app_context_processor
def _demo_accounts() -> dict[str, object]:
    """For the sign-in page: who can be tried. A function, so that other pages pay nothing."""
    return {"demo_accounts": _accounts_to_try}


def _accounts_to_try() -> list[accounts.Account]:
    with edge.reading() as db:
        active = [account for account in accounts.listed(db) if account.active]
    # The tutorial begins with those who buy.
    return sorted(active, key=lambda account: Role.STAFF not in account.roles)[:6]
