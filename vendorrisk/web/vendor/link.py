"""The link: a page that names nobody, the mailed code, and the cookie that follows.

GET and HEAD change nothing here: mail scanners and previews open links, and some submit forms; so nothing happens
before a real POST, and nothing is shown before the code. The token stands in the letter's address and in no later one:
from Continue on, a cookie and the reference say which link it was.
"""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from vendorrisk.db import vault
from vendorrisk.services.answering import sittings
from vendorrisk.services.sending import access_codes, invitations
from vendorrisk.services.sending.access_codes import Refusal
from vendorrisk.services.sending.invitations import Link
from vendorrisk.web import access, edge
from vendorrisk.web.vendor import bp, dead_ends
from vendorrisk.web.vendor import session as respondent

_LINK = access.open_to_anyone("the token in the address is what counts, and the page names nobody")
_REFUSALS = {
    Refusal.LOCKED: "That code was tried too often and does not work any more. Send a new code.",
    Refusal.EXPIRED: "That code has expired. Send a new code.",
    Refusal.USED: "That code was used already. Send a new code.",
    Refusal.NONE: "No code was sent for this browser. Send a new code.",
}


@bp.get("/q/<token>")
@_LINK
def link(token: str) -> ResponseReturnValue:
    """The neutral page: a reference and a button."""
    with edge.reading() as session:
        found = invitations.find(session, token, now=edge.now())
        if found is None:
            return dead_ends.neutral()
        return render_template("vendor/link.html", reference=found.request.reference, code=found.request.code_required)


@bp.post("/q/<token>")
@_LINK
def follow(token: str) -> ResponseReturnValue:
    """Continue: mail the code; or go straight on where this browser is known or no code is asked for."""
    if "fresh" in request.form:
        return dead_ends.ask_for_fresh(token=token)
    now = edge.now()
    browser = respondent.browser() or invitations.new_token()
    with edge.writing() as session:
        found = invitations.find(session, token, now=now)
        if found is None:
            return dead_ends.neutral()
        known = request.cookies.get(respondent.known_cookie(found.request.reference), "")
        if sittings.is_known(session, found, known, now=now):
            return _let_in(found, known)
        if not found.request.code_required:
            return _let_in(found, sittings.start(session, found, now=now))
        access_codes.send(session, found, browser, now=now)
    response = redirect(url_for(".code", reference=found.request.reference), 303)
    respondent.remember_browser(response, browser, found.invitation.expires_at)
    return response


def _let_in(found: Link, cookie: str) -> Response:
    reference = found.request.reference
    response = redirect(url_for("vendor.start", reference=reference), 303)
    respondent.remember(response, reference, cookie, found.invitation.expires_at)
    return response


@bp.get("/q/<reference>/code")
@_LINK
def code(reference: str) -> ResponseReturnValue:
    """Where the code is typed. The mailbox is shown, masked, only to the browser that asked for a code."""
    browser = respondent.browser()
    if not browser:
        return render_template("vendor/no_cookie.html")
    with edge.reading() as session:
        found = access_codes.link_of(session, reference, browser, now=edge.now())
        return _code_page(session, found)


def _code_page(session: Session, found: Link, error: str = "") -> str:
    email = vault.open_text(session, found.invitation.email, context="invitation.email")
    return render_template(
        "vendor/code.html", reference=found.request.reference, mailbox=invitations.masked(email),
        errors=[("code", error)] if error else [],
    )  # fmt: skip


@bp.post("/q/<reference>/code")
@_LINK
def give_code(reference: str) -> ResponseReturnValue:
    """Redeem a code, or send a new one."""
    now, browser = edge.now(), respondent.browser()
    if not browser:
        return make_response(render_template("vendor/no_cookie.html"), 422)
    with edge.writing() as session:
        found = access_codes.link_of(session, reference, browser, now=now)
        if "resend" in request.form:
            access_codes.send(session, found, browser, now=now)
            return redirect(url_for(".code", reference=reference), 303)
        typed = request.form.get("code", "").strip()
        outcome = access_codes.redeem(session, found, browser, typed, now=now) if typed else None
        if outcome is not None and outcome.refusal is None:
            return _let_in(found, sittings.start(session, found, now=now))
        page = _code_page(session, found, _refusal_words(outcome))
    return make_response(page, 422)


def _refusal_words(outcome: access_codes.Redeeming | None) -> str:
    if outcome is None:
        return "Enter the six digits from the mail."
    if outcome.refusal is Refusal.WRONG:
        left = outcome.tries_left
        return f"That is not the code. {left} {'tries are' if left > 1 else 'try is'} left."
    return _REFUSALS[outcome.refusal or Refusal.NONE]
