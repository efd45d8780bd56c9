"""Odd texts in the forms of the pages: kept equal through page and database, or refused with all that was typed."""

from __future__ import annotations

import itertools

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import builders, dump, odd_strings
from tests.cast import Cast, SignIn
from tests.web import fuzzing, round_trips, worlds
from tests.web.fuzzing import Target
from tests.web.test_forged_forms import typed
from vendorrisk.services.runtime import Runtime

LEAST = 200


def can_be_sent(text: str) -> bool:
    """Whether it can stand in a form at all: halves of surrogate pairs exist inside Python only."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


_SIGN_IN = ("security.", "second_step.", "passkeys.", "account.")


def with_texts(targets: list[Target]) -> list[Target]:
    """The targets that people type into, each form once; sign-in is another matter."""
    found = {t.form.endpoint + t.form.page: t for t in targets if t.form.texts()}
    return [target for target in found.values() if not target.form.endpoint.startswith(_SIGN_IN)]


def test_odd_texts_are_kept_as_they_are_or_refused_with_what_was_typed(
    app: Flask, runtime: Runtime, cast: Cast, sign_in: SignIn
) -> None:
    """Each string in one form, and a bit of everything in each; `make faults ARGS=odd_input` tries every pair."""
    world = worlds.build(app, runtime, cast, sign_in, ("text", "long_text", "table", "declaration"))
    targets = [t for t in with_texts(fuzzing.find(app, world).targets) if t.form.endpoint not in SCRIPTED]
    snapshot, wrong = dump.Snapshot(runtime.database), []
    fields: dict[int, list[str]] = {}
    strings = [text for text in odd_strings.STRINGS if can_be_sent(text)]
    assert len(strings) >= LEAST
    pairs = [(odd_strings.HYDRA, target) for target in targets]
    pairs += zip(strings, itertools.cycle(targets), strict=False)
    for text, target in pairs:
        data = typed(target.form)
        if id(target) not in fields:
            fields[id(target)] = round_trips.free_texts(target, data)
            snapshot.restore()
        names = fields[id(target)]
        if names and (complaint := round_trips.follow(target, data, names, text)):
            wrong.append(complaint)
        snapshot.restore()
    assert wrong == []
    assert sum(map(bool, fields.values())) >= 12


SCRIPTED = ("vendor.save_answer", "vendor.attach", "vendor.give_code", "vendor.fresh", "staff.dismiss_contradiction")
"""Tried by the section's own form, by test_vendor_link.py, and by test_review.py."""


@pytest.mark.parametrize("raw", odd_strings.RAW)
def test_bytes_that_are_no_text_are_refused_or_read_as_what_they_are(petra: FlaskClient, raw: bytes) -> None:
    csrf = builders.token_in(petra.get("/vendors/new"))
    body = b"csrf_token=" + csrf.encode() + b"&name=x" + raw + b"y&website=&aliases="
    answer = petra.post("/vendors/new", data=body, content_type="application/x-www-form-urlencoded")
    if "\ufffd" in answer.text:
        assert answer.status_code == 422
        assert "U+FFFD" in answer.text
    else:
        # What werkzeug cannot parse at all leaves no token: 400.
        assert answer.status_code in (303, 400, 422)
