"""The forms of reviewing and deciding; what is typed is checked for its shape here, for its sense by the services."""

from __future__ import annotations

from datetime import date

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)

from vendorrisk.domain import plain_values
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import Origin, Outcome
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services import reviews
from vendorrisk.services.answer_sheets import Line
from vendorrisk.services.decisions import LONGEST_YEARS, Condition, NewDecision, years_after
from vendorrisk.services.reviews import Change
from vendorrisk.web.forms import Problem, problems
from vendorrisk.web.staff.forms import needed

AS_COMPUTED = ""
ROWS_AT_FIRST = 2


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


def _reason(_form: object, field: TextAreaField) -> None:
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
        typed = self.version.data or ""
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def _grades(question: Question) -> list[tuple[str, str]]:
    return [(AS_COMPUTED, "As computed"), *((option.code, str(option.label)) for option in question.options)]


class DismissForm(FlaskForm):
    """Setting a contradiction aside."""

    key = HiddenField()
    seen = HiddenField()
    reason = TextAreaField("Why it does not count", [_reason])


class StartReviewForm(FlaskForm):
    """Closing a request without the vendor's own submission."""

    reason = TextAreaField("Reason", [_reason])


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
            field.data = reviews.source_from(field.data or "", Origin(self.origin.data))
        except InvalidAnswer as error:
            raise ValidationError(str(error)) from None

    def validate_answered_on(self, field: StringField) -> None:
        """A whole day; the service judges whether it can be."""
        field.data = whole_date(field.data or "").isoformat()

    def day(self) -> date:
        """The day of the answer; only after `validate`."""
        return date.fromisoformat(self.answered_on.data or "")


class ConditionForm(Form):
    """One condition of an approval: a row of the decision form. Rows left empty are left out."""

    what = StringField("What has to be done")
    owner = StringField("Who sees to it")
    due = StringField("Due")

    today = date.min

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed into the row."""
        return not any((field.data or "").strip() for field in (self.what, self.owner, self.due))

    def validate_what(self, field: StringField) -> None:
        """Needed in a row that is begun."""
        if not self.is_empty and not (field.data or "").strip():
            raise ValidationError("Say what has to be done.")

    def validate_owner(self, field: StringField) -> None:
        """Needed in a row that is begun."""
        if not self.is_empty and not (field.data or "").strip():
            raise ValidationError("Say who sees to it.")

    def validate_due(self, field: StringField) -> None:
        """A whole day, in a row that is begun."""
        if self.is_empty:
            return
        day = whole_date(field.data or "")
        if day < self.today:
            raise ValidationError("The due date must not lie in the past.")
        field.data = day.isoformat()

    def condition(self) -> Condition:
        """The condition; only after the form's `validate`."""
        return Condition(self.what.data or "", self.owner.data or "", date.fromisoformat(self.due.data or ""))


class DecisionForm(FlaskForm):
    """A decision. The view says what to judge it by (`judge_by`) before it validates."""

    outcome = RadioField(
        "Decision", [needed("Choose a decision.")],
        choices=[], validate_choice=False,
    )  # fmt: skip
    reason = TextAreaField("Reason", [_reason])
    conditions = FieldList(FormField(ConditionForm), min_entries=ROWS_AT_FIRST, max_entries=20)
    valid_until = StringField("Valid until", [needed("Enter until when the decision holds.")])
    accepts_provisional = BooleanField("I decide although the score is provisional")
    seen = HiddenField()

    today = date.min
    is_provisional = False

    def judge_by(self, today: date, *, is_provisional: bool) -> None:
        """What the checks need to know."""
        self.today, self.is_provisional = today, is_provisional
        for row in self.conditions:
            row.form.today = today

    @property
    def filled(self) -> list[ConditionForm]:
        """The rows with something in them."""
        return [row.form for row in self.conditions if not row.form.is_empty]

    def validate_outcome(self, field: RadioField) -> None:
        """One of the three."""
        if field.data not in {outcome.value for outcome in Outcome}:
            raise ValidationError("Choose a decision.")

    def validate_valid_until(self, field: StringField) -> None:
        """After today, and not for ever."""
        day = whole_date(field.data or "")
        if not self.today < day <= years_after(self.today, LONGEST_YEARS):
            raise ValidationError(f"Enter a day after today, at most {LONGEST_YEARS} years ahead.")
        field.data = day.isoformat()

    def validate_accepts_provisional(self, field: BooleanField) -> None:
        """Needed while something is open."""
        if self.is_provisional and not field.data:
            raise ValidationError("The score is provisional: tick that you decide all the same, or settle it first.")

    def validate(self, extra_validators: object = None) -> bool:
        """The fields, and whether the conditions fit the outcome."""
        fine: bool = super().validate(extra_validators)
        with_conditions = self.outcome.data == Outcome.WITH_CONDITIONS.value
        if with_conditions and not self.filled:
            self.form_errors.append("Enter at least one condition, or approve without conditions.")
            fine = False
        if self.outcome.data and not with_conditions and self.filled:
            self.form_errors.append("Conditions belong to an approval with conditions. Choose that, or empty them.")
            fine = False
        return fine

    def problems(self) -> list[Problem]:
        """Everything wrong, each with the field it is about, in the order of the page."""
        found: list[Problem] = []
        for field in self:
            if field is self.conditions:
                found += [(field.id, str(message)) for message in self.form_errors]
                found += [problem for row in self.conditions for problem in problems(row.form)]
            else:
                found += [(field.id, str(message)) for message in field.errors]
        return found

    def decision(self) -> NewDecision:
        """What was decided; only after `validate`."""
        return NewDecision(
            outcome=Outcome(self.outcome.data), reason=self.reason.data or "",
            valid_until=date.fromisoformat(self.valid_until.data or ""),
            conditions=tuple(row.condition() for row in self.filled),
            accepts_provisional=bool(self.accepts_provisional.data),
        )  # fmt: skip
