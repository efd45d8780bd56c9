"""Random requests at every POST there is, made from the forms of the pages; tests and `make faults` send them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote_plus
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import builders, odd_strings
from tests.web import found_forms, worlds
from tests.web.found_forms import Form
from tests.web.worlds import World
from vendorrisk.services.people import factors
from vendorrisk.web import edge

EXAMPLES = (
    "follow_up", "text", "long_text", "number", "date", "table", "file", "declaration", "yes_no", "choice", "choices",
    "bands", "show_if",
)  # fmt: skip
ODD_VALUES = (
    "", " ", "0", "-1", "1", "99999999999999999999", "9" * 5_000, "²", "٣", "1e999", "nan", "true", "on", "[]", "{}",
    "null", "\x00", "a\x00b", "\ufffd", "2024-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "2026-12-01",
    "x" * 20_000, "00000000-0000-0000-0000-000000000000", "../..", "remove:1", "x:remove:" + "9" * 5_000, "a:b:c",
    ":" * 50,
    "somebody@northwind.example", "A reason that is quite long enough.", "https://northwind.example/x", "%", "{{7*7}}",
)  # fmt: skip
ODD_NAMES = (
    "conditions-²-what", "conditions-99999999999999999999-what", "conditions--1-what", "conditions-0-csrf_token",
    "conditions-" + "9" * 5_000 + "-what", "q-", "q--", "q-suppliers_with_access-rows",
    "q-suppliers_with_access-²-name",
    "q-suppliers_with_access-99999-name", "rows", "stay", "then", "keep", "remove-file", "resend", "fresh", "anyway",
    "", "\x00", "x" * 5_000, "__class__", "name[]", "next", "data", "errors", "meta",
)  # fmt: skip
BODIES = (
    ("application/json", b"{}"), ("application/json", b'{"email": 5, "password": ["x"]}'),
    ("application/json", b'{"email": "\\ud800", "password": null}'), ("application/json", b"[[[["),
    ("application/json", b"null"), ("text/plain", b"x=1"), ("application/xml", b"<a/>"), ("", b"a=b"),
    ("multipart/form-data", b"no boundary"), ("multipart/form-data; boundary=b", b"--b\r\n\r\n--b--"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n\xff\r\n--b--"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"),
    ("multipart/form-data; boundary=" + "b" * 300, b"x"),
    ("application/x-www-form-urlencoded", b"\xff\xfe=%ED%A0%80&%=&&==;"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"a=b"), ("application/x-www-form-urlencoded", b"&" * 6_000),
)  # fmt: skip
_UPLOADS = (b"", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"\xff\xd8\xff", b"a,b\n1,2\n", b"\x00" * 100)


@dataclass(frozen=True)
class Target:
    """One form and the person who may send it."""

    form: Form
    person: str
    browser: FlaskClient
    csrf: str


@dataclass
class Range:
    """All there is to shoot at."""

    targets: list[Target] = field(default_factory=list)

    @property
    def endpoints(self) -> set[str]:
        """What the targets lead to."""
        return {target.form.endpoint for target in self.targets}


def find(app: Flask, world: World) -> Range:
    """The forms that petra, victor and the unknown are shown, and what scripts send beside them."""
    found = Range()
    shown = {
        "petra": ((world.own, world.sibling, world.decided), ("/respond", "/audit", "/q")),
        "victor": ((world.own,), ("/assessments", "/vendors", "/requests", "/reports", "/audit")),
        "anonymous": ((world.own,), ("/respond", "/assessments", "/vendors", "/requests", "/reports", "/audit")),
    }
    for person, (of, elsewhere) in shown.items():
        browser = world.people[person]
        pages = [page for page in worlds.pages(app, world, *of) if not page.startswith(elsewhere)]
        forms = found_forms.on_pages(app, browser, pages)
        csrf = builders.token_in(browser.get(f"/q/{'A' * 43}"))
        found.targets += [
            Target(form, person, browser, csrf)
            for form in (*forms, *_scripted(world, forms))
            if form.endpoint != "security.logout"
        ]
    found.targets += [*_of_sign_in(app, world), _erasing(world)]
    return found


def _erasing(world: World) -> Target:
    page = f"/vendors/{world.own.vendor}/erase"
    fields = {name: found_forms.Field() for name in ("csrf_token", "reference", "reason")}
    adam = world.people["adam"]
    return Target(Form(page, page, "staff.erase_vendor", fields), "adam", adam, builders.token_in(adam.get(page)))


SIGN_IN = {
    "passkeys.options": "/sign-in/passkey/options", "passkeys.use": "/sign-in/passkey",
    "passkeys.set_up_options": "/sign-in/set-up/passkey/options", "passkeys.set_up": "/sign-in/set-up/passkey",
    "passkeys.account_options": "/account/passkeys/options", "passkeys.add": "/account/passkeys",
    "passkeys.remove": f"/account/passkeys/{uuid4()}/remove", "second_step.give_code": "/sign-in/code",
    "second_step.finish_set_up": "/sign-in/set-up", "second_step.prove_again": "/sign-in/again",
    "account.set_up_app": "/account/app", "account.recovery_codes": "/account/recovery-codes",
}  # fmt: skip


def _of_sign_in(app: Flask, world: World) -> Iterator[Target]:
    """The second step: for somebody signed in, halfway with a factor, and halfway without one."""
    with app.app_context(), edge.writing() as session:
        new = builders.add_user(session, "new@acme.example", name="New")
        factors.remove_all(session, new)
    browsers = {"petra": world.people["petra"]}
    for name in ("petra", "new"):
        browser = browsers[f"{name}, halfway"] = app.test_client()
        builders.post(browser, "/sign-in", {"email": f"{name}@acme.example", "password": builders.PASSWORD})
    names = ("csrf_token", "code", "credential", "name", "secret", "password", "next", "sent", "recovery_code")
    fields = {name: found_forms.Field() for name in names}
    for person, browser in browsers.items():
        csrf = builders.token_in(browser.get(f"/q/{'A' * 43}"))
        for endpoint, action in SIGN_IN.items():
            yield Target(Form(action, action, endpoint, fields), person, browser, csrf)


def _scripted(world: World, forms: list[Form]) -> Iterator[Form]:
    """What no form leads to: autosave and attaching, by the fields of the section's form; and what is rarely shown."""
    base = f"/respond/{world.own.request}"
    for form in forms:
        if form.endpoint == "vendor.save_section":
            ids = {name.split("-")[1] for name in form.fields if name.startswith("q-") and name.endswith("-version")}
            for question in sorted(ids):
                yield Form(form.page, f"{base}/answers/{question}", "vendor.save_answer", form.fields)
                yield Form(form.page, f"{base}/evidence/{question}", "vendor.attach", form.fields)
        elif form.endpoint == "staff.begin_review":
            fields = {name: found_forms.Field() for name in ("csrf_token", "key", "seen", "reason")}
            case = f"/assessments/{world.sibling.case}"
            yield Form(form.page, f"{case}/score/contradictions", "staff.dismiss_contradiction", fields)
            yield Form(form.page, f"/reports/{world.own.report}/retry", "staff.retry_report", fields)
        elif form.endpoint == "security.login":
            fields = {name: found_forms.Field() for name in ("csrf_token", "password", "password_confirm", "email")}
            yield Form(form.page, "/forgotten-password/no-such-token", "security.reset_password", fields)
            fields = {name: found_forms.Field() for name in ("csrf_token", "reference", "fresh")}
            yield Form(form.page, "/q/fresh", "vendor.fresh", fields)


def shoot(target: Target, chance: Random) -> TestResponse:
    """Send one random request. The CSRF token is right nearly always: what is behind it shall be tried."""
    csrf = target.csrf if chance.random() < 0.97 else "x"
    if chance.random() < 0.15:
        kind, body = chance.choice(BODIES)
        return _send(target, body, kind, csrf, chance)
    fields = _fields(target, chance)
    fields = [(name, value) for name, value in fields if name != "csrf_token"] + [("csrf_token", csrf)]
    if chance.random() < 0.7:
        encoded = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in fields)
        if chance.random() < 0.2:
            encoded += "&" + _quoted(chance.choice(fields)[0]) + "=" + chance.choice(odd_strings.RAW).decode("latin-1")
        return _send(target, encoded.encode("latin-1"), "application/x-www-form-urlencoded", csrf, chance)
    return _send(target, *_multipart(target, fields, chance), csrf, chance)


def _fields(target: Target, chance: Random) -> list[tuple[str, str]]:
    found = []
    for name, each in target.form.fields.items():
        if chance.random() < 0.1:
            continue
        values = [*each.values, *([chance.choice(each.offered)] if each.offered and chance.random() < 0.5 else [])]
        if chance.random() < 0.35 or not values:
            values = [_value(chance)]
        found += [(name, value) for value in values * (2 if chance.random() < 0.05 else 1)]
    found += [(chance.choice(ODD_NAMES), _value(chance)) for _ in range(chance.randint(0, 2))]
    return found


def _value(chance: Random) -> str:
    return chance.choice(ODD_VALUES if chance.random() < 0.6 else odd_strings.STRINGS)


def _quoted(text: str) -> str:
    return quote_plus(text, errors="surrogatepass")


def _multipart(target: Target, fields: list[tuple[str, str]], chance: Random) -> tuple[bytes, str]:
    parts = []
    for name, value in fields:
        plain = name.encode("utf-8", "surrogatepass").replace(b'"', b"%22").replace(b"\r", b"").replace(b"\n", b"")
        head = b'Content-Disposition: form-data; name="' + plain + b'"'
        parts.append(head + b"\r\n\r\n" + value.encode("utf-8", "surrogatepass"))
    for name in [name for name, each in target.form.fields.items() if name.endswith("-version")][:1]:
        question = name.removesuffix("-version")
        file = chance.choice(("x.pdf", "x.png", "x.csv", "x.docx", "x", "../x.pdf", "\x00.txt", "x" * 500 + ".txt", ""))
        upload = f'Content-Disposition: form-data; name="{question}-files"; filename="{file}"'
        parts.append(upload.encode() + b"\r\nContent-Type: x/y\r\n\r\n" + chance.choice(_UPLOADS))
    body = b"".join(b"--b0\r\n" + part + b"\r\n" for part in parts) + b"--b0--\r\n"
    return body, "multipart/form-data; boundary=b0"


def _send(target: Target, body: bytes, kind: str, csrf: str, chance: Random) -> TestResponse:
    headers = {"X-CSRFToken": csrf}
    if chance.random() < 0.1:
        headers["Accept"] = chance.choice(("application/json", "*/*;q=x", "text/html;q=0", "\xff"))
    query = chance.choice(("", "", "", "show=%00", "q=%00&page=%FF", "next=%2F%2Fevil", "page=" + "9" * 50))
    action, _, own_query = target.form.action.partition("?")
    return target.browser.post(
        action, data=body, content_type=kind or None, headers=headers, query_string=query or own_query
    )
