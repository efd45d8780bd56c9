"""What all forms share: the list of what is wrong, for `ui.error_summary`, and the attributes that `ui.field` needs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask_wtf import FlaskForm
from wtforms import Field

Problem = tuple[str, str]
"""The id of a field in the page and the sentence about it."""

_SECRET = re.compile(r"(?!q-).*password.*|code|.*passcode.*")  # a question may well have such a word in its id


def problems(form: FlaskForm) -> list[Problem]:
    """Everything wrong in `form`, in the order of its fields: pass it to the template as `errors`."""
    found: list[Problem] = [("", str(message)) for message in form.form_errors]
    for field in form:
        found.extend((field.id, str(message)) for message in _flat(field.errors))
    return found


def sought(typed: str | None, *, length: int) -> str:
    """What is looked for in a list, without characters that nothing of ours holds and PostgreSQL refuses."""
    return "".join(c for c in typed or "" if c.isprintable()).strip()[:length]


def is_secret(name: str) -> bool:
    """Whether what is typed into the field of this name must never be written into a page again."""
    return _SECRET.fullmatch(name) is not None


def _flat(errors: object) -> list[object]:
    # A FieldList's errors are a list of lists, a FormField's a mapping.
    if isinstance(errors, dict):
        return [message for value in errors.values() for message in _flat(value)]
    if isinstance(errors, (list, tuple)):
        return [message for value in errors for message in _flat(value)]
    return [errors]


def attributes(field: Field, hint: str, more: Mapping[str, object]) -> dict[str, object]:
    """The attributes of a control that tie it to its hint and its error: for the macro `ui.field`."""
    described = [f"{field.id}-{part}" for part, there in (("hint", hint), ("error", field.errors)) if there]
    found: dict[str, object] = {name.replace("_", "-"): value for name, value in more.items()}
    if described:
        found["aria-describedby"] = " ".join(described)
    if field.errors:
        found["aria-invalid"] = "true"
    return found
