"""The second step of a sign-in: a code of the authenticator app or a recovery code; and setting one up at first.

Also the page that asks for password and code once more before dangerous actions (web/freshness.py leads there).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired

from vendorrisk.db.models import User
from vendorrisk.domain.audit import EventKind
from vendorrisk.domain.roles import Role
from vendorrisk.services import actors
from vendorrisk.services.people import accounts, factors, second_step, tries
from vendorrisk.web import access, browsers, callers, edge, freshness
from vendorrisk.web.freshness import AgainForm

bp = Blueprint("second_step", __name__, url_prefix="/sign-in")
WRONG_CODE = "The code is not right, or was used already. Wait for the next one and try again."
WRONG_RECOVERY = "This is none of your recovery codes, or it was used already."


class CodeForm(FlaskForm):
    """One code."""

    code = StringField(validators=[InputRequired("Enter the code.")])


@bp.get("/code")
@access.open_halfway
def code() -> ResponseReturnValue:
    """Ask for the second step; whoever has none is led to set one up."""
    user = _user()
    with edge.reading() as db:
        there = factors.of(db, user.id)
    if not there.is_enough:
        return redirect(url_for(".set_up", next=browsers.way_further()), 303)
    return _code_page(CodeForm(formdata=None), user)


@bp.post("/code")
@access.open_halfway
def give_code() -> ResponseReturnValue:
    """Let the person in, if the code is right."""
    user, form = _user(), CodeForm()
    if form.validate():
        if _is_right(user, form.code.data or ""):
            way_on = browsers.way_on()
            browsers.sign_in(user, "code")
            return redirect(way_on, 303)
        form.code.errors = [WRONG_RECOVERY if _wants_recovery() else WRONG_CODE]
    return _code_page(form, user), 422


@bp.get("/set-up")
@access.open_halfway
def set_up() -> ResponseReturnValue:
    """Set up the first second factor: until there is one, no other page opens."""
    user = _user()
    with edge.reading() as db:
        there = factors.of(db, user.id)
    if there.is_enough:  # whoever knows only the password must not add a factor of their own
        return redirect(url_for(".code", next=browsers.way_further()), 303)
    return _set_up_page(CodeForm(formdata=None), user)


@bp.post("/set-up")
@access.open_halfway
def finish_set_up() -> ResponseReturnValue:
    """Keep the app that has shown the right code, sign in, and show the recovery codes."""
    user, form = _user(), CodeForm()
    if form.validate():
        with edge.writing() as db:
            if factors.of(db, user.id).is_enough:
                return redirect(url_for(".code", next=browsers.way_further()), 303)
            secret = factors.proposed_secret(db, user.id, nonce())
            by, now = actors.of(user), edge.now()
            made = factors.add_app(db, user, secret, form.code.data or "", by=by, now=now)
        if made:
            return first_sign_in(user, "app")
        form.code.errors = [WRONG_CODE]
    return _set_up_page(form, user), 422


def first_sign_in(user: User, via: str) -> ResponseReturnValue:
    """Sign in whoever has just set up their first second factor, and show them their recovery codes."""
    way_on = browsers.way_on()
    browsers.sign_in(user, via)
    with edge.writing() as db:
        codes = factors.make_recovery_codes(db, user, by=actors.of(user), now=edge.now())
    return render_template("account/recovery_codes.html", codes=codes, way_on=way_on)


@bp.get("/again")
@access.open_to(*Role)
def again() -> ResponseReturnValue:
    """Ask whoever is signed in to prove once more who they are."""
    return freshness.page(AgainForm(formdata=None), browsers.way_on(), None)


@bp.post("/again")
@access.open_to(*Role)
def prove_again() -> ResponseReturnValue:
    """Go on, if password and code are right."""
    form, user = AgainForm(), current_user
    if form.validate():
        with edge.writing() as db:
            tries.password(db, user.email, callers.address(), now=edge.now())
        if not user.verify_and_update_password(form.password.data):
            _note_refused(user)
            form.password.errors = ["The password is not right."]
        elif not _is_right(user, form.code.data or ""):
            form.code.errors = [WRONG_CODE]
        else:
            with edge.writing() as db:
                tries.password_was_right(db, user.email, callers.address())
            return freshness.passed()
    return freshness.page_again(form), 422


def _note_refused(user: User) -> None:
    with edge.writing() as db:
        by = actors.of(user)
        accounts.noted(db, EventKind.SIGN_IN_FAILED, user.id, by=by, now=edge.now(), step="confirmation")


def _is_right(user: User, typed: str) -> bool:
    with edge.writing() as db:
        return second_step.by_code(db, user, typed, address=callers.address(), now=edge.now())


def _user() -> User:
    user = browsers.halfway()
    assert user is not None  # the guard has seen to it
    return user


def _wants_recovery() -> bool:
    return request.args.get("with") == "recovery"


def _code_page(form: CodeForm, user: User) -> str:
    with edge.reading() as db:
        there = factors.of(db, user.id)
        demo = edge.services().settings.demo
        shown = factors.next_app_code(db, user.id, now=edge.now()) if demo else None
    return render_template(
        "security/code.html", form=form, there=there, with_recovery=_wants_recovery() or not there.has_app,
        way_on=browsers.way_on(), demo_code=shown,
    )  # fmt: skip


def _set_up_page(form: CodeForm, user: User) -> str:
    return render_template("security/set_up.html", form=form, app=proposed_app(user), way_on=browsers.way_on())


# ---------------------------------------------------------------- what the account's page shares


@dataclass(frozen=True, slots=True)
class ProposedApp:
    """What a person needs to set an app up: the key as text, and the squares of the picture as an SVG path."""

    key: str
    path: str
    size: int


def proposed_app(user: User) -> ProposedApp:
    """The app that is about to be set up in this browser: the same until it is, whatever is mistyped."""
    with edge.reading() as db:
        secret = factors.proposed_secret(db, user.id, nonce())
    from qrcode.main import QRCode

    picture = QRCode(border=4)
    picture.add_data(factors.app_address(secret, user.email, "vendorrisk"))
    picture.make()
    squares = picture.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(squares) for x, is_dark in enumerate(row) if is_dark)
    return ProposedApp(" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)), path, len(squares))


def nonce() -> str:
    """What makes this browser's proposal its own. The secret itself is in no cookie."""
    found: str = session.setdefault("app_nonce", secrets.token_hex(16))
    return found
