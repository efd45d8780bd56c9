"""Passkeys in the browser: the options that it asks for, and its answers; static/passkey.js does the talking.

A passkey stands for password and code together: at sign-in, as the second step, and before dangerous actions.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, abort, flash, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from vendorrisk.db.models import User
from vendorrisk.domain.errors import WrongState
from vendorrisk.domain.roles import Role
from vendorrisk.services import actors
from vendorrisk.services.people import factors, passkeys, second_step
from vendorrisk.services.people.passkeys import Refused, Site
from vendorrisk.settings import is_loopback
from vendorrisk.web import access, browsers, callers, edge, freshness
from vendorrisk.web.freshness import AgainForm
from vendorrisk.web.second_step import first_sign_in

bp = Blueprint("passkeys", __name__)
NOT_TAKEN = "That passkey was not accepted. Try again, or sign in another way."
_WHY_OPEN = "sign-in: where people become known"


def site() -> Site | None:
    """Whom passkeys are made for: the name in the address. A number, such as 127.0.0.1, can have none."""
    settings = edge.services().settings
    host = urlsplit(settings.base_url).hostname or ""
    origin = settings.base_url
    if is_loopback(host):
        origin = request.host_url.rstrip("/")  # one of the trusted hosts: localhost is a name
        host = urlsplit(origin).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Site(host, origin, settings.organisation)
    return None


@bp.app_context_processor
def _for_templates() -> dict[str, object]:
    return {"has_passkeys": lambda: site() is not None}


# ---------------------------------------------------------------- using one


@bp.post("/sign-in/passkey/options")
@access.open_to_anyone(_WHY_OPEN)
def options() -> ResponseReturnValue:
    """What the browser needs to ask for a passkey: the same for everybody."""
    return jsonify(passkeys.request_options(_site(), _new_challenge()))


@bp.post("/sign-in/passkey")
@access.open_to_anyone(_WHY_OPEN)
def use() -> ResponseReturnValue:
    """Sign in with a passkey, or pass the second step, or prove once more who one is."""
    signed_in = current_user.is_authenticated
    expected = current_user if signed_in else browsers.halfway()
    with edge.writing() as db:
        user = second_step.by_passkey(
            db, request.form.get("credential", ""), site=_site(), challenge=_challenge(), expected=expected,
            address=callers.address(), now=edge.now(),
        )  # fmt: skip
    if signed_in and user is not None:
        return freshness.passed()
    if user is not None:
        way_on = browsers.way_on()
        browsers.sign_in(user, "passkey")
        return redirect(way_on, 303)
    flash(NOT_TAKEN, "error")
    if signed_in:
        return freshness.page_again(AgainForm(formdata=None)), 422
    return redirect(url_for("second_step.code" if expected else "security.login", next=browsers.way_further()), 303)


# ---------------------------------------------------------------- making one


@bp.post("/sign-in/set-up/passkey/options")
@access.open_halfway
def set_up_options() -> ResponseReturnValue:
    """What the browser needs to make the first passkey of a new account."""
    return _creation_options(_first_timer())


@bp.post("/sign-in/set-up/passkey")
@access.open_halfway
def set_up() -> ResponseReturnValue:
    """Keep the first passkey of a new account, sign in, and show the recovery codes."""
    user = _first_timer()
    try:
        _keep(user)
    except (Refused, WrongState) as error:
        flash(str(error), "error")
        return redirect(url_for("second_step.set_up", next=browsers.way_further()), 303)
    return first_sign_in(user, "passkey")


@bp.post("/account/passkeys/options")
@access.open_to(*Role, fresh=True)
def account_options() -> ResponseReturnValue:
    """What the browser needs to make another passkey."""
    return _creation_options(current_user)


@bp.post("/account/passkeys")
@access.open_to(*Role, fresh=True)
def add() -> ResponseReturnValue:
    """Keep another passkey."""
    try:
        _keep(current_user)
        flash("The passkey is set up. You can sign in with it from now on.", "success")
    except (Refused, WrongState) as error:
        flash(str(error), "error")
    return redirect(url_for("account.ways"), 303)


@bp.post("/account/passkeys/<uuid:passkey_id>/remove")
@access.open_to(*Role, fresh=True)
def remove(passkey_id: UUID) -> ResponseReturnValue:
    """Forget a passkey."""
    try:
        with edge.writing() as db:
            passkeys.remove(db, current_user, passkey_id, by=access.current_actor(), now=edge.now())
        flash("The passkey is removed: it opens nothing here any more.", "success")
    except WrongState as error:
        flash(str(error), "error")
    return redirect(url_for("account.ways"), 303)


def _first_timer() -> User:
    user = browsers.halfway()
    assert user is not None  # the guard has seen to it
    with edge.reading() as db:
        if factors.of(db, user.id).is_enough:  # whoever knows only the password must not add a factor of their own
            abort(404)
    return user


def _creation_options(user: User) -> ResponseReturnValue:
    with edge.reading() as db:
        return jsonify(passkeys.creation_options(db, user, _site(), _new_challenge()))


def _keep(user: User) -> None:
    answer, name = request.form.get("credential", ""), request.form.get("name", "")
    with edge.writing() as db:
        passkeys.add(db, user, answer, name, site=_site(), challenge=_challenge(), by=actors.of(user), now=edge.now())


def _site() -> Site:
    found = site()
    if found is None:
        abort(404)
    return found


def _new_challenge() -> bytes:
    challenge = os.urandom(32)
    session["challenge"] = b64encode(challenge).decode()
    return challenge


def _challenge() -> bytes:
    """The challenge that this browser was given; random where it was given none, which nothing answers."""
    given = session.pop("challenge", None)
    return b64decode(given) if given else os.urandom(32)
