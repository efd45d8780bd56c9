"""The landing page (who asks, why, how much, until when), Start, and the page of a request that has closed."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import StringField, ValidationError

from vendorrisk.domain import plain_values
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.services.answering import responses, sittings
from vendorrisk.services.answering.sittings import Sitting
from vendorrisk.services.sending import briefs
from vendorrisk.web import access, edge, forms
from vendorrisk.web.vendor import bp
from vendorrisk.web.vendor import session as respondent

_NAME_LENGTH = 100


def said(what: str) -> Any:
    """A validator: one line of text that can be kept, and is not empty."""

    def check(_form: FlaskForm, field: StringField) -> None:
        try:
            field.data = " ".join(plain_values.read_text(field.data or "", max_length=_NAME_LENGTH).split())
        except InvalidAnswer as error:
            raise ValidationError(str(error)) from None
        if not field.data:
            raise ValidationError(f"Enter {what}.")

    return check


class StartForm(FlaskForm):
    """Who answers: the name that the answers carry."""

    name = StringField("Your name", [said("your name")])
    role = StringField("Your role", [said("your role, such as head of security")])


@bp.get("/respond/<reference>/start")
@access.open_to_respondent
def start(reference: str) -> ResponseReturnValue:
    """The landing page."""
    with edge.reading() as session:
        sitting = respondent.load(session, reference)
        if sitting.request.status is RequestStatus.SUBMITTED or respondent.is_closed(sitting):
            return respondent.elsewhere(sitting) or ""
        form = StartForm(
            formdata=None, name=sittings.name_of(session, sitting), role=sittings.role_of(session, sitting)
        )
        return _landing(session, sitting, form)


def _landing(session: Session, sitting: Sitting, form: StartForm) -> str:
    return render_template(
        "vendor/start.html", brief=briefs.of(session, sitting.request, settings=edge.services().settings),
        request_=sitting.request, form=form, errors=forms.problems(form), has_started=sitting.has_started,
        last_saved_by=responses.last_saved_by(session, sitting.request),
    )  # fmt: skip


@bp.post("/respond/<reference>/start")
@access.open_to_respondent
def begin(reference: str) -> ResponseReturnValue:
    """Start: say who answers."""
    form = StartForm()
    with edge.writing() as session:
        sitting = respondent.load(session, reference)
        responses.check_open(sitting.request, now=edge.now())
        if not form.validate():
            return _landing(session, sitting, form), 422
        sittings.introduce(session, sitting, form.name.data or "", form.role.data or "", now=edge.now())
    return redirect(url_for(".tasks", reference=reference), 303)


@bp.get("/respond/<reference>/closed")
@access.open_to_respondent
def closed(reference: str) -> ResponseReturnValue:
    """What has happened to a request that cannot be answered any more, and whom to ask."""
    with edge.reading() as session:
        sitting = respondent.load(session, reference)
        if not respondent.is_closed(sitting):
            return redirect(url_for(".tasks", reference=reference), 303)
        return render_template(
            "vendor/closed.html", brief=briefs.of(session, sitting.request, settings=edge.services().settings),
            request_=sitting.request,
        )  # fmt: skip
