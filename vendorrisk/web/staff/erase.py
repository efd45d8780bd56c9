"""Erasing a vendor: the page that says what is lost and asks for the reference and a reason. For administrators."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField, ValidationError

from vendorrisk.domain.roles import Role
from vendorrisk.services.casework import vendors
from vendorrisk.services.operating import erasure
from vendorrisk.web import access, edge
from vendorrisk.web import forms as shared
from vendorrisk.web.staff import bp
from vendorrisk.web.staff.forms import read_by, text_of


class EraseForm(FlaskForm):
    """The vendor's reference, typed anew, and why."""

    reference = StringField("Type the vendor’s reference")
    reason = TextAreaField("Reason", [read_by(erasure.reason_from)])

    def __init__(self, expected: str) -> None:
        super().__init__()
        self._expected = expected

    def validate_reference(self, field: StringField) -> None:
        """Nobody erases a vendor by a slip of the mouse."""
        if text_of(field).strip().upper() != self._expected:
            raise ValidationError(f"Type {self._expected} to say that you mean this vendor.")


@bp.route("/vendors/<reference>/erase", methods=["GET", "POST"])
@access.open_to(Role.ADMIN, fresh=True)
def erase_vendor(reference: str) -> ResponseReturnValue:
    """Say what would be lost; with the reference typed and a reason given, destroy the vendor's key."""
    with edge.reading() as session:
        row = vendors.get(session, reference)
        if row.erased_at is not None:
            return redirect(url_for("staff.vendor", reference=reference), 303)
        shown, extent = vendors.view(session, row), erasure.extent(session, row)
    form = EraseForm(shown.reference)
    if request.method != "POST":
        return render_template("staff/vendors/erase.html", form=form, vendor=shown, extent=extent)
    if not form.validate():
        return render_template(
            "staff/vendors/erase.html", form=form, vendor=shown, extent=extent, errors=shared.problems(form)
        ), 422
    now = edge.now()
    with edge.writing() as session:
        erasure.erase(session, reference, text_of(form.reason), by=access.current_actor(), now=now)
    for left in erasure.sweep(edge.services(), now=now):
        flash(left, "warning")
    return redirect(url_for("staff.vendor", reference=reference), 303)
