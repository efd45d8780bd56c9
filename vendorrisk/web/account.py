"""A person's own account: what we know of them, how they sign in; and the demonstration's one-click sign-in."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from vendorrisk.domain.roles import DESCRIPTIONS, Role
from vendorrisk.services.people import accounts, factors, passkeys
from vendorrisk.web import access, browsers, edge, second_step
from vendorrisk.web.second_step import CodeForm

bp = Blueprint("account", __name__)


@bp.get("/account")
@access.open_to(*Role)
def show() -> ResponseReturnValue:
    """Name, address and roles of whoever is signed in."""
    roles = [(role, DESCRIPTIONS[role]) for role in Role if role in access.roles_of_current()]
    return render_template("account/show.html", user=current_user, roles=roles)


@bp.get("/account/sign-in")
@access.open_to(*Role, fresh=True)
def ways() -> ResponseReturnValue:
    """The authenticator app, the passkeys and the recovery codes of whoever is signed in."""
    with edge.reading() as db:
        there = factors.of(db, current_user.id)
        keys = passkeys.listed(db, current_user.id)
    return render_template("account/ways.html", there=there, passkeys=keys)


@bp.get("/account/app")
@access.open_to(*Role, fresh=True)
def app() -> ResponseReturnValue:
    """Show what an authenticator app needs."""
    return _app_page(CodeForm(formdata=None))


@bp.post("/account/app")
@access.open_to(*Role, fresh=True)
def set_up_app() -> ResponseReturnValue:
    """Keep the app that has shown the right code."""
    form = CodeForm()
    if form.validate():
        with edge.writing() as db:
            secret = factors.proposed_secret(db, current_user.id, second_step.nonce())
            made = factors.add_app(
                db, current_user, secret, form.code.data or "", by=access.current_actor(), now=edge.now()
            )
        if made:
            session.pop("app_nonce", None)
            flash("The app is set up. The one before it works no more.", "success")
            return redirect(url_for(".ways"), 303)
        form.code.errors = [second_step.WRONG_CODE]
    return _app_page(form), 422


def _app_page(form: CodeForm) -> str:
    return render_template("account/app.html", form=form, app=second_step.proposed_app(current_user))


@bp.post("/account/recovery-codes")
@access.open_to(*Role, fresh=True)
def recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes, and show them this once."""
    with edge.writing() as db:
        codes = factors.make_recovery_codes(db, current_user, by=access.current_actor(), now=edge.now())
    return render_template("account/recovery_codes.html", codes=codes, way_on=url_for(".ways"))


@bp.post("/demo/sign-in")
@access.open_to_anyone("the demonstration: made-up people, this machine only; 404 elsewhere")
def demo_sign_in() -> ResponseReturnValue:
    """Sign in as one of the made-up people, without a password or a second factor."""
    runtime = edge.services()
    if not runtime.settings.demo:
        abort(404)
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
    if not edge.services().settings.demo:
        return []
    with edge.reading() as db:
        active = [account for account in accounts.listed(db) if account.active]
    # The tutorial begins with those who buy.
    return sorted(active, key=lambda account: Role.STAFF not in account.roles)[:6]
