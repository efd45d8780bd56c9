"""A person's own account: what we know of them; and the demonstration's one-click sign-in."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_security.utils import login_user

from vendorrisk.domain.roles import DESCRIPTIONS, Role
from vendorrisk.services import accounts
from vendorrisk.web import access, edge

bp = Blueprint("account", __name__)


@bp.get("/account")
@access.open_to(*Role)
def show() -> ResponseReturnValue:
    """Name, address and roles of whoever is signed in."""
    roles = [(role, DESCRIPTIONS[role]) for role in Role if role in access.roles_of_current()]
    return render_template("account/show.html", user=current_user, roles=roles)


@bp.post("/demo/sign-in")
@access.open_to_anyone("the demonstration: made-up people, this machine only; 404 elsewhere")
def demo_sign_in() -> ResponseReturnValue:
    """Sign in as one of the made-up people, without a password."""
    runtime = edge.services()
    if not runtime.settings.demo:
        abort(404)
    with edge.reading() as session:
        user = accounts.find(session, request.form.get("email", ""))
    if user is None or not user.active:
        abort(404)
    login_user(user, authn_via=["demo"])
    current_app.extensions["security"].datastore.commit()
    return redirect("/", 303)


@bp.app_context_processor
def _demo_accounts() -> dict[str, object]:
    """For the sign-in page: who can be tried. A function, so that other pages pay nothing."""
    return {"demo_accounts": _accounts_to_try}


def _accounts_to_try() -> list[accounts.Account]:
    if not edge.services().settings.demo:
        return []
    with edge.reading() as session:
        active = [account for account in accounts.listed(session) if account.active]
    # The tutorial begins with those who buy.
    return sorted(active, key=lambda account: Role.STAFF not in account.roles)[:6]
