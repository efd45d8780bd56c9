"""Every response carries the security headers, whatever became of the request; and requests are read within limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.cast import Cast, SignIn
from vendorrisk import factory
from vendorrisk.db.engine import Busy
from vendorrisk.db.models import User
from vendorrisk.domain.errors import WrongState
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.web import access, edge, incoming, log_lines
from vendorrisk.web import static as static_files

ALWAYS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def lacking(answer: TestResponse) -> dict[str, str | None]:
    """The headers that are not as they must be."""
    found = {name: answer.headers.get(name) for name, value in ALWAYS.items() if answer.headers.get(name) != value}
    if "camera=()" not in answer.headers.get("Permissions-Policy", ""):
        found["Permissions-Policy"] = answer.headers.get("Permissions-Policy")
    return found


def asset(client: FlaskClient, name: str) -> str:
    """The address of a static file, as pages give it."""
    found = re.search(rf"/static/[0-9a-f]+/{re.escape(name)}", client.get("/sign-in").text)
    assert found, f"the page does not load {name}"
    return found[0]


def addresses(app: Flask) -> list[tuple[str, str]]:
    """One method and address for every route there is; what stands in for a variable part exists nowhere."""
    found = []
    for rule in app.url_map.iter_rules():
        stand_ins = {
            name: 1 if type(converter).__name__ == "IntegerConverter"
            else "00000000-0000-0000-0000-0000000000aa" if type(converter).__name__ == "UUIDConverter"
            else "nothing"
            for name, converter in rule._converters.items()
        }  # fmt: skip
        built = rule.build(stand_ins)
        assert built is not None, rule
        found += [(method, built[1]) for method in sorted((rule.methods or set()) - {"HEAD"})]
    return found


def test_every_route_answers_with_all_headers_and_is_not_kept(
    app: Flask, client: FlaskClient, adam: FlaskClient
) -> None:
    for method, address in addresses(app):
        for browser in (client, adam):
            if address == "/sign-out" and browser is adam:
                continue
            answer = browser.open(address, method=method)
            assert not lacking(answer), f"{method} {address}"
            assert answer.headers["Cache-Control"] == "no-store", f"{method} {address}"
            assert answer.status_code < 500, f"{method} {address}: {answer.status_code}"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nothing-here", 404),
        ("OPTIONS", "/sign-in", 405),
        ("PUT", "/sign-in", 405),
        ("GET", "/sign-out", 405),
        ("POST", "/sign-in", 400),
        ("GET", "/account", 303),
        ("GET", "/static/000000000000/site.css", 404),
    ],
)
def test_errors_and_redirects_carry_them_too(client: FlaskClient, method: str, address: str, status: int) -> None:
    answer = client.open(address, method=method)
    assert answer.status_code == status
    assert not lacking(answer)
    assert answer.headers["Cache-Control"] == "no-store"


def test_static_files_may_be_kept_for_ever_under_their_hash(client: FlaskClient) -> None:
    answer = client.get(asset(client, "site.css"))
    assert answer.status_code == 200
    assert not lacking(answer)
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert "Set-Cookie" not in answer.headers


def test_another_content_gives_another_address(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("p { color: red }")
    before = static_files.digest_of(static_files.read(tmp_path))
    (tmp_path / "a.css").write_text("p { color: blue }")
    assert static_files.digest_of(static_files.read(tmp_path)) != before


def test_no_static_address_leads_out_of_the_folder(client: FlaskClient) -> None:
    base = asset(client, "site.css").removesuffix("site.css")
    for way_out in ("../settings.py", "..%2fsettings.py", "%2e%2e/settings.py", "vendor/../../settings.py"):
        assert client.get(base + way_out).status_code == 404


def test_pages_hold_no_inline_script_or_style(client: FlaskClient, petra: FlaskClient) -> None:
    for page in (client.get("/sign-in"), client.get("/privacy"), petra.get("/account"), petra.get("/nothing")):
        assert "<style" not in page.text
        assert " style=" not in page.text
        assert not re.search(r"\son\w+=", page.text)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page.text))


def https(runtime: Runtime) -> FlaskClient:
    """A browser of the same service behind TLS, at risk.example.com."""
    told = {
        "VENDORRISK_BASE_URL": "https://risk.example.com",
        "VENDORRISK_DATABASE": runtime.settings.database,
        "VENDORRISK_MAIL": runtime.settings.mail,
        "VENDORRISK_STORAGE": runtime.settings.storage,
    }
    app = factory.create_app(Settings.from_env(told), runtime=Runtime(
        Settings.from_env(told), runtime.database, runtime.library, runtime.rules, runtime.storage
    ))  # fmt: skip
    return app.test_client()


def test_behind_tls_cookies_are_secure_and_browsers_told_to_stay(runtime: Runtime) -> None:
    answer = https(runtime).get("/sign-in", base_url="https://risk.example.com")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-vendorrisk=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie


def test_on_this_machine_there_is_no_talk_of_tls(client: FlaskClient) -> None:
    answer = client.get("/sign-in")
    assert "Strict-Transport-Security" not in answer.headers
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "HttpOnly" in answer.headers["Set-Cookie"]


def test_a_forged_host_gets_no_page_and_no_link(runtime: Runtime) -> None:
    for host in ("evil.example", "risk.example.com.evil.example", "127.0.0.1"):
        answer = https(runtime).get("/sign-in", base_url=f"https://{host}")
        assert answer.status_code == 400
        assert host not in answer.text
        assert not lacking(answer)


def test_what_other_sites_send_is_refused_even_with_a_token(client: FlaskClient) -> None:
    for site in ("cross-site", "same-site"):
        assert client.post("/sign-in", headers={"Sec-Fetch-Site": site}).status_code == 400


# ---------------------------------------------------------------- what goes wrong inside


class Broken(Exception):
    """Something that nobody foresaw."""


@pytest.fixture
def breaking(app: Flask) -> FlaskClient:
    """A browser of an application with views that go wrong."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    raising = {
        "unforeseen": Broken("secret detail"),
        "state": WrongState("This was sent already."),
        "busy": Busy("locked"),
        "full": OSError(28, "No space left on device"),
        "forbidden": None,
    }

    @app.get("/breaks/<how>")
    @access.open_to_anyone("a test")
    def breaks(how: str) -> str:
        error = raising[how]
        if error is None:
            from flask import abort

            abort(403)
        raise error

    @app.post("/reads")
    @access.open_to_anyone("a test")
    def reads() -> str:
        from flask import request

        return str(type(next(iter(request.files.values())).stream).__name__)

    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [
        ("unforeseen", 500, "It is our fault"),
        ("state", 409, "This was sent already."),
        ("busy", 503, "try again in a few seconds"),
        ("full", 507, "no room left on the server"),
        ("forbidden", 404, "Page not found"),
    ],
)
def test_what_goes_wrong_becomes_a_page_in_plain_words(breaking: FlaskClient, how: str, status: int, says: str) -> None:
    answer = breaking.get(f"/breaks/{how}")
    assert answer.status_code == status
    assert says in answer.text
    assert "Traceback" not in answer.text
    assert "secret detail" not in answer.text
    assert not lacking(answer)
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)


def test_an_unforeseen_error_has_a_reference_that_the_log_knows(
    breaking: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = breaking.get("/breaks/unforeseen")
    reference = re.search(r"E-[0-9A-F]{8}", answer.text)
    assert reference
    assert reference[0] in caplog.text
    assert "secret detail" in caplog.text


def upload(client: FlaskClient, size: int) -> TestResponse:
    """Send a file of this size."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    body = head + b"x" * size + b"\r\n--b--\r\n"
    return client.post("/reads", data=body, content_type="multipart/form-data; boundary=b")


def test_too_large_a_sending_is_refused_with_a_page(breaking: FlaskClient) -> None:
    answer = upload(breaking, incoming.MAX_BODY + 1)
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_uploads_stay_in_memory(breaking: FlaskClient) -> None:
    answer = upload(breaking, 2_000_000)
    assert answer.text == "BytesIO"


# ---------------------------------------------------------------- closed by default


def test_a_view_that_says_nothing_answers_nobody(
    app: Flask, cast: Cast, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_url_rule("/undeclared", "undeclared", lambda: "secret")
    for browser in (sign_in(cast.adam), app.test_client()):
        answer = browser.get("/undeclared")
        assert answer.status_code == 404
        assert "secret" not in answer.text
    assert "does not say who it is open to" in caplog.text


# ---------------------------------------------------------------- the log


def test_the_log_holds_no_link(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client.get("/q/the-secret-token?x=1")
    client.get("/forgotten-password/the-secret-token")
    lines = [log_lines.formatter("text").format(record) for record in caplog.records]
    assert any("/q/[cut]" in line for line in lines)
    assert not any("the-secret-token" in line for line in lines)
    access_lines = [record.getMessage() for record in caplog.records if record.name == "vendorrisk.access"]
    assert len(access_lines) == 2
    assert not any("the-secret-token" in line or "x=1" in line for line in access_lines)


def test_the_session_knows_the_person_and_the_clock_is_the_applications(app: Flask, cast: Cast) -> None:
    with app.test_request_context("/"):
        assert edge.now() == app.config["CLOCK"]()
        with edge.reading() as session:
            assert session.get_one(User, cast.petra.id).name == "Petra Novak"
