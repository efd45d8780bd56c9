"""Types a text into a form and follows it: kept and shown again as it was, or refused with everything still there."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.web import found_forms
from tests.web.found_forms import Form
from tests.web.fuzzing import Target
from vendorrisk.domain import plain_values
from vendorrisk.domain.errors import InvalidAnswer

PLAIN = "Plain words that anybody may type"


_SHOWN_ON = {
    "staff.begin_review": ("/assessments/{2}/trail",), "staff.fresh_link": ("/requests/{2}/link",),
}  # fmt: skip
"""Where else a text is shown that neither the next page nor the form's own holds."""


def free_texts(target: Target, data: MultiDict[str, str]) -> list[str]:
    """The fields of a form that take plain words: the others ask for a date, an address, a number.

    A reason for "not applicable" counts only where that is ticked, and then stands instead of the answer: left out.
    """
    names = [name for name in target.form.texts() if not name.endswith("-na-reason")]
    return [name for name in names if not _problem_at(_send(target, data, [name], PLAIN), name)]


def follow(target: Target, data: MultiDict[str, str], names: Sequence[str], text: str) -> str:
    """What is wrong with how these fields take this text; nothing where all is well."""
    answer = _send(target, data, names, text)
    where = f"{target.form.endpoint} {names} {text[:40]!r}: {answer.status_code}"
    if answer.status_code == 422:
        return _refused_well(answer, target.form, names, text, where)
    if answer.status_code == 303:
        return _kept_well(target, answer, names, text, where)
    if answer.status_code == 200 and answer.is_json:
        return ""
    return f"{where}: neither kept nor refused"


def _send(target: Target, data: MultiDict[str, str], names: Sequence[str], text: str) -> TestResponse:
    sent = data.copy()
    for name in names:
        sent[name] = text
    sent["csrf_token"] = target.csrf
    return target.browser.post(target.form.action, data=sent)


def _problem_at(answer: TestResponse, name: str) -> str:
    found = (
        re.search(rf'<li><a href="#{re.escape(name)}">(.*?)</a>', answer.text) if answer.status_code == 422 else None
    )
    return found[1] if found else ""


def _refused_well(answer: TestResponse, form: Form, names: Sequence[str], text: str, where: str) -> str:
    shown = _form_on(answer.text, form)
    if shown is None:
        return f"{where}: the form is gone"
    if not re.search(r'<div class="error-summary".*?<li>', answer.text, re.DOTALL):
        return f"{where}: no reason is given"
    for name in names:
        values = shown.fields[name].values if name in shown.fields else []
        if not any(_lines(value) == _lines(text) or value in forms_of(text) for value in values):
            return f"{where}: what was typed at {name} is lost: {values}"
    return ""


def _kept_well(target: Target, answer: TestResponse, names: Sequence[str], text: str, where: str) -> str:
    wanted = forms_of(text)
    if wanted in ([""], []):
        return "" if wanted == [""] else f"{where}: kept, though it cannot be"
    for address in (answer.location, target.form.page, *_SHOWN_ON.get(target.form.endpoint, ())):
        page = _page(target.browser, address.format(*answer.location.split("/")))
        shown = _form_on(page, target.form)
        held = [value for name in names if shown and name in shown.fields for value in shown.fields[name].values]
        if any(value in wanted for value in held) or any(
            html.escape(each, quote=False) in _read(page) for each in wanted
        ):
            return ""
    return f"{where}: kept, but not shown again as it was typed"


def forms_of(text: str) -> list[str]:
    """How a text may be kept: with its lines, on one line, or as a list of names. None where it must be refused."""
    try:
        lines = plain_values.read_text(text, max_length=100_000)
    except InvalidAnswer:
        return []
    listed = dict.fromkeys(" ".join(line.split()) for line in lines.split("\n") if line.strip())
    return list(dict.fromkeys([lines, " ".join(lines.split()), "\n".join(listed), ", ".join(listed)]))


def _read(page: str) -> str:
    # Jinja writes &#39; and &#34;, html.escape leaves them: compared as a reader sees them.
    return html.escape(html.unescape(page), quote=False)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _page(browser: FlaskClient, address: str) -> str:
    return browser.get(address.split("#")[0], follow_redirects=True).text


def _form_on(page: str, form: Form) -> Form | None:
    found = [each for each in found_forms.on_page(page, form.page) if set(each.fields) & set(form.texts())]
    return found[0] if found else None
