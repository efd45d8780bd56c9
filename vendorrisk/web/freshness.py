"""What the guard answers where a dangerous action needs a fresh sign-in: the page that asks, with nothing typed lost.

What is only looked at is fetched again afterwards. What was sent is carried through the page as hidden fields, and
given back to the person to send once more; but a form with a secret in it is filled in anew: no page holds a password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from vendorrisk.services.people import factors
from vendorrisk.web import browsers, edge, forms

_KEPT = "kept-"


class AgainForm(FlaskForm):
    """The password and a code once more."""

    password = PasswordField(validators=[InputRequired("Enter your password.")])
    code = StringField(validators=[InputRequired("Enter the code.")])


@dataclass(frozen=True, slots=True)
class Sending:
    """A form that was sent, and is kept while its sender proves who they are."""

    fields: Sequence[tuple[str, str]]
    had_files: bool = False

    @property
    def hidden(self) -> Sequence[tuple[str, str]]:
        """The fields that carry it through the page: under other names, or its `code` would be taken for the page's."""
        return [("sent", "1"), *((_KEPT + name, value) for name, value in self.fields)]


def ask(why: str | None = None) -> ResponseReturnValue:
    """Instead of the view: a redirect to the page that asks, or that page itself, with what was sent.

    `why`: "many", where the reason is not what comes next but how much went before. The page also knows "secret".
    """
    way_on = request.full_path.rstrip("?")
    if any(forms.is_secret(name) for name in request.form):
        return redirect(url_for("second_step.again", next=way_on, why="secret"), 303)
    if request.method == "GET":
        return redirect(url_for("second_step.again", next=way_on, why=why), 303)
    fields = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
    return page(AgainForm(formdata=None), way_on, Sending(fields, bool(request.files))), 403


def page(form: AgainForm, way_on: str, sending: Sending | None) -> str:
    """The page that asks."""
    with edge.reading() as session:
        there = factors.of(session, current_user.id)
    return render_template("security/again.html", form=form, way_on=way_on, sending=sending, there=there)


def page_again(form: AgainForm) -> str:
    """The same page, after an answer that was not right."""
    return page(form, browsers.way_on(), _carried())


def passed() -> ResponseReturnValue:
    """The way on, once the person has proven who they are; with what they had sent, where they had."""
    browsers.confirm()
    sending = _carried()
    if sending is None:
        return redirect(browsers.way_on(), 303)
    return render_template("security/go_on.html", way_on=browsers.way_on(), sending=sending)


def _carried() -> Sending | None:
    if "sent" not in request.form:
        return None
    fields = request.form.items(multi=True)
    return Sending([(name.removeprefix(_KEPT), value) for name, value in fields if name.startswith(_KEPT)])
