"""The forms of the staff pages. What is typed is trimmed and checked once, here; messages say what to change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import Optional

from vendorrisk.domain import plain_values
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.services.casework import names
from vendorrisk.services.casework.contacts import NewContact
from vendorrisk.services.casework.vendors import NewVendor

SOMEBODY_NEW = "new"
NOTE_LENGTH = 2_000
ALIASES = 20


def read_by(read: Callable[[str], str]) -> Callable[[Any, Any], None]:
    """A validator that puts what `read` makes of the text into the field, or its complaint beside it."""

    def check(_form: Any, field: Any) -> None:
        try:
            field.data = read(field.data or "")
        except InvalidAnswer as error:
            raise ValidationError(str(error)) from None

    return check


def needed(message: str) -> Callable[[Any, Any], None]:
    """A validator: something must be given. `message` says what, instead of "this field is required"."""

    def check(_form: Any, field: Any) -> None:
        if not field.data:
            raise ValidationError(message)

    return check


def _note(typed: str) -> str:
    return plain_values.read_text(typed, max_length=NOTE_LENGTH)


def _line(typed: str) -> str:
    return names.name(typed)


def _address(typed: str) -> str:
    return names.email(typed) if typed.strip() else ""


def _lines(typed: str) -> str:
    kept = [names.name(line) for line in plain_values.read_text(typed, max_length=5_000).split("\n") if line.strip()]
    if len(kept) > ALIASES:
        raise InvalidAnswer(f"{len(kept)} other names are too many; the most is {ALIASES}.")
    return "\n".join(dict.fromkeys(kept))


def text_of(field: StringField) -> str:
    """What stands in a field, after its validators."""
    return field.data or ""


class VendorForm(FlaskForm):
    """A vendor: only the name is needed."""

    name = StringField("Name", [read_by(_line), needed("Enter the vendor's name.")])
    website = StringField("Website", [read_by(names.website)])
    aliases = TextAreaField("Other names", [read_by(_lines)])
    version = HiddenField()

    def new_vendor(self, contact: NewContact | None = None) -> NewVendor:
        """What was typed, as the service takes it."""
        return NewVendor(
            name=text_of(self.name), website=text_of(self.website),
            aliases=tuple(text_of(self.aliases).splitlines()), contact=contact,
        )  # fmt: skip


class ContactForm(FlaskForm):
    """A contact at a vendor."""

    name = StringField("Name", [read_by(_line), needed("Enter the contact's name.")])
    email = StringField("E-mail", [read_by(_address), needed("Enter the contact's e-mail address.")])
    role = StringField("Role", [read_by(_line)])
    phone = StringField("Phone", [read_by(_line)])
    is_primary = BooleanField("Ask this contact by default")

    def new_contact(self) -> NewContact:
        """What was typed, as the service takes it."""
        return NewContact(
            name=text_of(self.name),
            email=text_of(self.email),
            role=text_of(self.role),
            phone=text_of(self.phone),
            is_primary=bool(self.is_primary.data),
        )


class AddVendorForm(VendorForm):
    """A new vendor, with its first contact if one is known."""

    contact_name = StringField("Contact's name", [read_by(_line)])
    contact_email = StringField("Contact's e-mail", [read_by(_address)])
    anyway = HiddenField()

    def validate_contact_name(self, field: StringField) -> None:
        """A contact has both a name and an address, or is left out."""
        if self.contact_email.data and not field.data:
            raise ValidationError("Enter the contact's name too, or leave out the address.")

    def validate_contact_email(self, field: StringField) -> None:
        """The other way round."""
        if self.contact_name.data and not field.data:
            raise ValidationError("Enter the contact's e-mail address too, or leave out the name.")

    def contact(self) -> NewContact | None:
        """The contact, if one was typed."""
        if not self.contact_name.data:
            return None
        return NewContact(text_of(self.contact_name), text_of(self.contact_email))


class ServiceForm(FlaskForm):
    """What we buy: all that opening an assessment needs."""

    service = StringField("Service", [read_by(_line), needed("Say in a few words what we buy.")])


class RecipientForm(FlaskForm):
    """Who gets a link: one of the vendor's contacts, or somebody new."""

    to = RadioField("To", choices=[], validators=[needed("Choose who gets the questionnaires.")])
    new_name = StringField("Name", [read_by(_line)])
    new_email = StringField("E-mail", [read_by(_address)])

    def validate_new_name(self, field: StringField) -> None:
        """Needed for somebody new only."""
        if self.to.data == SOMEBODY_NEW and not field.data:
            raise ValidationError("Enter the name of the person who gets the questionnaires.")

    def validate_new_email(self, field: StringField) -> None:
        """Needed for somebody new only."""
        if self.to.data == SOMEBODY_NEW and not field.data:
            raise ValidationError("Enter the e-mail address of the person who gets the questionnaires.")

    def new_contact(self) -> NewContact | None:
        """Somebody new, if that was chosen."""
        return NewContact(text_of(self.new_name), text_of(self.new_email)) if self.to.data == SOMEBODY_NEW else None


class SendForm(RecipientForm):
    """What is sent, to whom, until when."""

    questionnaires = SelectMultipleField(
        "Questionnaires", choices=[], validators=[needed("Choose at least one questionnaire.")]
    )
    due = StringField("Due date", [needed("Enter the date by which the vendor answers.")])
    code_required = BooleanField("Mail a code to confirm who opens the link")
    note = TextAreaField("Note to the vendor", [read_by(_note), Optional()])

    def validate_due(self, field: StringField) -> None:
        """A day that exists; the service judges whether it is near enough."""
        try:
            typed = plain_values.read_date(text_of(field))
        except InvalidAnswer:
            raise ValidationError(
                f"“{field.data}” is not a date. Write it like 2026-12-07 or 7 December 2026."
            ) from None
        if typed.day is None:
            raise ValidationError("Enter the whole date, with its day.")
        field.data = str(typed)

    def due_at(self, at: time, zone: str) -> datetime:
        """The moment on the chosen day."""
        return datetime.combine(date.fromisoformat(text_of(self.due)), at, ZoneInfo(zone))
