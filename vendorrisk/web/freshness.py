"""What the guard answers where a dangerous action needs a fresh sign-in: the page that asks, with nothing typed lost.

What is only looked at is fetched again afterwards. What was sent is carried through the page as hidden fields, and
given back to the person to send once more.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from vendorrisk.services import factors
from vendorrisk.web import browsers, edge

_KEPT = "kept-"
_NOT_KEPT = frozenset({"csrf_token"})
Typed = Sequence[tuple[str, str]]


class AgainForm(FlaskForm):
    """The password and a code once more."""

    password = PasswordField(validators=[InputRequired("Enter your password.")])
    code = StringField(validators=[InputRequired("Enter the code.")])


def ask() -> ResponseReturnValue:
    """Instead of the view: a redirect to the page that asks, or that page itself, with what was sent."""
    if request.method == "GET":
        return redirect(url_for("second_step.again", next=request.full_path.rstrip("?")), 303)
    typed = [pair for pair in request.form.items(multi=True) if pair[0] not in _NOT_KEPT]
    return page(AgainForm(formdata=None), request.full_path.rstrip("?"), typed, has_files=bool(request.files)), 403


def page(form: AgainForm, way_on: str, typed: Typed, *, has_files: bool = False) -> str:
    """The page that asks."""
    with edge.reading() as session:
        there = factors.of(session, current_user.id)
    kept = [(_KEPT + name, value) for name, value in typed]
    return render_template("security/again.html", form=form, way_on=way_on, kept=kept, there=there, has_files=has_files)


def passed() -> ResponseReturnValue:
    """The way on, once the person has proven who they are; with what they had typed, where they had."""
    browsers.confirm()
    typed = kept()
    if not typed:
        return redirect(browsers.way_on(), 303)
    return render_template("security/go_on.html", way_on=browsers.way_on(), typed=typed)


def kept() -> Typed:
    """What was typed before the page asked."""
    fields = request.form.items(multi=True)
    return [(name.removeprefix(_KEPT), value) for name, value in fields if name.startswith(_KEPT)]
