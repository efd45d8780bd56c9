"""The form of a decision, with its conditions in rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    StringField,
    TextAreaField,
    ValidationError,
)

from vendorrisk.domain import plain_values
from vendorrisk.domain.assessment import Outcome
from vendorrisk.services.reviewing.decisions import LONGEST_YEARS, MOST_CONDITIONS, Condition, NewDecision, years_after
from vendorrisk.web.forms import Problem, problems
from vendorrisk.web.staff.forms import needed
from vendorrisk.web.staff.review_forms import reasoned, whole_date

ROWS_AT_FIRST = 2


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


class Rows(FieldList):  # type: ignore[type-arg]  # generic in its stubs only
    """Rows by number. WTForms itself takes "²" for one, and any number of digits; Python's `int` does not."""

    def _extract_indices(self, prefix: str, formdata: Iterable[str]) -> Iterator[int]:
        for name in formdata:
            number = plain_values.read_count(name.removeprefix(f"{prefix}-").partition("-")[0], -1)
            if name.startswith(f"{prefix}-") and number >= 0:
                yield number


class DecisionForm(FlaskForm):
    """A decision. The view says what to judge it by (`judge_by`) before it validates."""

    outcome = RadioField(
        "Decision", [needed("Choose a decision.")],
        choices=[], validate_choice=False,
    )  # fmt: skip
    reason = TextAreaField("Reason", [reasoned])
    conditions = Rows(FormField(ConditionForm), min_entries=ROWS_AT_FIRST, max_entries=MOST_CONDITIONS)
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
