"""The forms of reviewing; what is typed is checked for its shape here, for its sense by the services."""

from __future__ import annotations

from datetime import date

from flask_wtf import FlaskForm
from wtforms import (
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)

from vendorrisk.domain import plain_values
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services.reviewing import on_behalf, reviews
from vendorrisk.services.reviewing.answer_sheets import Line
from vendorrisk.services.reviewing.reviews import Change
from vendorrisk.web.staff.forms import needed

AS_COMPUTED = ""


def whole_date(typed: str) -> date:
    """A day, typed in one of the usual ways. Raises ValidationError."""
    if not typed.strip():
        raise ValidationError("Enter the date.")
    try:
        found = plain_values.read_date(typed)
    except InvalidAnswer as error:
        raise ValidationError(str(error)) from None
    if found.day is None:
        raise ValidationError("Enter the whole date, with its day.")
    return plain_values.earliest(found)


def reasoned(_form: object, field: TextAreaField) -> None:
    """A validator: a reason that says something."""
    try:
        field.data = reviews.reason_from(field.data or "")
    except InvalidAnswer as error:
        raise ValidationError(str(error)) from None


class ReviewForm(FlaskForm):
    """A reviewer's word on one answer. Fields that do not fit the answer are taken out (`for_line`)."""

    evidence = RadioField("How well it is backed", choices=[], validate_choice=False)
    na = RadioField("“Not applicable”", choices=[], validate_choice=False)
    grade = SelectField("Grade", choices=[], validate_choice=False)
    note = TextAreaField("Internal note")
    version = HiddenField()
    seen = HiddenField()
    show = HiddenField()

    @classmethod
    def for_line(cls, line: Line, show: str) -> ReviewForm:
        """The form for one answer, filled with its review unless it was just sent."""
        review = line.stored.review if line.stored else None
        form = cls(
            evidence=(review.evidence if review else EvidenceLevel.CLAIMED).value,
            na={True: "yes", False: "no", None: None}[review.na_approved if review else None],
            grade=(review.grade if review else None) or AS_COMPUTED, note=review.note if review else "",
            version=line.version, seen=reviews.stamp(review.at if review else None), show=show,
        )  # fmt: skip
        form.fit(line)
        return form

    def fit(self, line: Line) -> None:
        """Take out what does not fit the answer."""
        is_na = line.stored is not None and line.stored.said.not_applicable is not None
        if is_na or not line.question.needs_evidence:
            del self.evidence
        if not is_na:
            del self.na
        if is_na or line.question.grading is None:
            del self.grade
        else:
            self.grade.choices = _grades(line.question)

    def renew(self, line: Line) -> None:
        """Take over the versions of an answer that has changed meanwhile; what was typed stays."""
        review = line.stored.review if line.stored else None
        self.version.data, self.seen.data = str(line.version), reviews.stamp(review.at if review else None)

    def validate_evidence(self, field: RadioField) -> None:
        """One of the three levels."""
        if field.data not in {level.value for level in EvidenceLevel}:
            raise ValidationError("Say how well the answer is backed.")

    def validate_na(self, field: RadioField) -> None:
        """One of the two must be chosen."""
        if field.data not in ("yes", "no"):
            raise ValidationError("Say whether “not applicable” is approved or refused.")

    def change(self) -> Change:
        """What was said."""
        na, evidence, grade = self._fields.get("na"), self._fields.get("evidence"), self._fields.get("grade")
        return Change(
            evidence=EvidenceLevel(evidence.data) if evidence else EvidenceLevel.CLAIMED,
            na_approved=na.data == "yes" if na else None, grade=(grade.data or None) if grade else None,
            note=self.note.data or "",
        )  # fmt: skip

    def answer_version(self) -> int:
        """The version that the page showed."""
        return plain_values.read_count(self.version.data or "")


def _grades(question: Question) -> list[tuple[str, str]]:
    return [(AS_COMPUTED, "As computed"), *((option.code, str(option.label)) for option in question.options)]


class DismissForm(FlaskForm):
    """Setting a contradiction aside."""

    key = HiddenField()
    seen = HiddenField()
    reason = TextAreaField("Why it does not count", [reasoned])


class StartReviewForm(FlaskForm):
    """Closing a request without the vendor's own submission."""

    reason = TextAreaField("Reason", [reasoned])


class OnBehalfForm(FlaskForm):
    """Whence an answer comes that the vendor did not give itself. The question's own fields stand beside it."""

    origin = RadioField(
        "Where the answer comes from",
        [needed("Say where the answer comes from.")],
        choices=[],
        validate_choice=False,
    )
    source = StringField("Source")
    answered_on = StringField("Date of the answer", [needed("Enter the day of the answer.")])

    def validate_origin(self, field: RadioField) -> None:
        """One of the two."""
        if field.data not in (Origin.STAFF.value, Origin.PUBLIC.value):
            raise ValidationError("Say where the answer comes from.")

    def validate_source(self, field: StringField) -> None:
        """A link for public facts, else how we know."""
        if self.origin.data not in (Origin.STAFF.value, Origin.PUBLIC.value):
            return
        try:
            field.data = on_behalf.source_from(field.data or "", Origin(self.origin.data))
        except InvalidAnswer as error:
            raise ValidationError(str(error)) from None

    def validate_answered_on(self, field: StringField) -> None:
        """A whole day; the service judges whether it can be."""
        field.data = whole_date(field.data or "").isoformat()

    def day(self) -> date:
        """The day of the answer; only after `validate`."""
        return date.fromisoformat(self.answered_on.data or "")
