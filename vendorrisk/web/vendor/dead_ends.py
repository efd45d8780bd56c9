"""What leads nowhere: one neutral page for every dead link, and the page that follows asking for a fresh one."""

from __future__ import annotations

import time

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain.errors import NotFound
from vendorrisk.services import limits
from vendorrisk.services.limits import TooMany
from vendorrisk.services.sending import invitations
from vendorrisk.web import access, callers, edge, errors
from vendorrisk.web.vendor import bp

SAME_TIME = 0.25
"""Seconds that asking for a fresh link takes, so that its length does not tell whether there was one: long enough for
the link to be made and its letter to be on its way, which keeps the process busy too (`make faults ARGS=enumeration`).
"""


def neutral(*, action: str = "") -> ResponseReturnValue:
    """The page for unknown, expired, replaced and withdrawn links alike: it says the same of each, byte for byte."""
    return render_template("vendor/neutral.html", action=action), 404


@bp.errorhandler(NotFound)
def _not_found(_error: NotFound) -> ResponseReturnValue:
    return neutral(action=url_for("vendor.fresh"))


@bp.errorhandler(TooMany)
def _too_many(error: TooMany) -> ResponseReturnValue:
    seconds = int(error.retry_after.total_seconds())
    minutes = max(1, -(-seconds // 60))
    words = f"{minutes} minute{'s' if minutes > 1 else ''}" if minutes < 120 else f"{minutes // 60} hours"
    response = errors.answer(429, f"This was tried too often. Please try again in {words}.")
    response.headers["Retry-After"] = str(seconds)
    return response


@bp.post("/q/fresh")
@access.open_to_anyone("whoever has a reference may have a fresh link sent, only ever to the registered contact")
def fresh() -> ResponseReturnValue:
    """Ask for a fresh link by reference."""
    return ask_for_fresh(token="")


def ask_for_fresh(*, token: str) -> ResponseReturnValue:
    """Mail a fresh link if there is somebody to mail it to; the answer is the same either way."""
    began = time.monotonic()
    with edge.writing() as session:
        limits.take(session, invitations.FRESH_LINKS_ASKED, callers.address(), now=edge.now())
        invitations.send_fresh(
            session, token=token, reference=request.form.get("reference", ""),
            settings=edge.services().settings, now=edge.now(),
        )  # fmt: skip
    time.sleep(max(0.0, SAME_TIME - (time.monotonic() - began)))
    return redirect(url_for("vendor.fresh_asked"), 303)


@bp.get("/q/asked")
@access.open_to_anyone("says nothing about anybody")
def fresh_asked() -> ResponseReturnValue:
    """What to expect after asking for a fresh link."""
    return make_response(render_template("vendor/asked.html"))
