"""A person's own account: what we know of them, and how they sign in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from vendorrisk.domain.roles import DESCRIPTIONS, Role
from vendorrisk.services.people import factors, passkeys
from vendorrisk.web import access, edge, second_step
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
