"""Passkeys in Chromium, with its virtual authenticator: set up, sign in, second step, asked again; keyboard and axe."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests import builders
from tests.application import Clock
from tests.live import Live
from vendorrisk.db.models import User
from vendorrisk.services.people import factors

pytestmark = pytest.mark.browser
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@dataclass
class Nora:
    """Somebody new, at a computer with a fingerprint reader."""

    page: Page
    base: str
    user: User

    def give_password(self) -> None:
        """The first step, by keys."""
        self.page.goto(f"{self.base}/sign-in")
        self.page.get_by_label("E-mail address").fill(self.user.email)
        self.page.get_by_label("Password").fill(builders.PASSWORD)
        self.page.keyboard.press("Enter")

    def press(self, name: str) -> None:
        """Press a button by key, as somebody without a mouse would."""
        self.page.get_by_role("button", name=name, exact=True).focus()
        self.page.keyboard.press("Enter")

    def sign_out(self) -> None:
        """Leave."""
        self.press("Sign out")
        self.page.wait_for_url("**/sign-in")


@pytest.fixture
def nora(browser: Browser, live: Live) -> Iterator[Nora]:
    """Nora, who has a password and no second factor yet."""
    with live.database.writing() as session:
        user = builders.add_user(session, "nora@acme.example", name="Nora Blum")
        factors.remove_all(session, user)
    context = browser.new_context()
    page = context.new_page()
    driver = context.new_cdp_session(page)
    driver.send("WebAuthn.enable")
    driver.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield Nora(page, live.url.replace("127.0.0.1", "localhost"), user)
    context.close()


def look(page: Page) -> None:
    """Nothing on the page that axe finds wrong, once it is all there."""
    page.wait_for_load_state()
    assert [found["id"] for found in Axe().run(page).response["violations"]] == []


def set_up(nora: Nora) -> None:
    """The first sign-in, up to the recovery codes."""
    nora.give_password()
    nora.page.wait_for_url("**/sign-in/set-up")
    look(nora.page)
    nora.press("Set up a passkey")
    expect(nora.page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    look(nora.page)
    nora.page.get_by_role("link", name="I have kept them").click()
    nora.page.wait_for_url("**/home")


def test_a_passkey_is_set_up_at_first_and_is_all_that_is_needed_after(nora: Nora, live: Live, clock: Clock) -> None:
    set_up(nora)
    nora.sign_out()
    look(nora.page)
    nora.press("Use a passkey")
    nora.page.wait_for_url("**/home")
    nora.sign_out()

    nora.give_password()  # and as a second step
    nora.page.wait_for_url("**/sign-in/code")
    look(nora.page)
    nora.press("Use a passkey")
    nora.page.wait_for_url("**/home")

    clock.advance(minutes=10)  # and when asked again
    nora.page.goto(f"{nora.base}/account/sign-in")
    expect(nora.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    look(nora.page)
    nora.press("Use a passkey")
    expect(nora.page.get_by_role("heading", name="How you sign in")).to_be_visible()
    look(nora.page)

    nora.press("Remove This device")
    expect(nora.page.get_by_text("This is your only second factor.")).to_be_visible()
    nora.press("Add a passkey")
    expect(nora.page.get_by_text("There is a passkey for your account on this device already.")).to_be_visible()


def test_an_answer_that_was_overheard_opens_nothing(nora: Nora) -> None:
    set_up(nora)
    nora.sign_out()
    user_agent = nora.page.evaluate("navigator.userAgent")
    heard: list[str] = []

    def overhear(route: Route) -> None:
        heard.append(route.request.post_data or "")
        route.abort()

    nora.page.route("**/sign-in/passkey", overhear)
    with nora.page.expect_event("requestfailed"):
        nora.press("Use a passkey")
    cookies = {cookie["name"]: cookie["value"] for cookie in nora.page.context.cookies()}
    headers = {
        "Host": urlsplit(nora.base).netloc, "User-Agent": user_agent,
        "Content-Type": "application/x-www-form-urlencoded", "Cookie": f"vendorrisk={cookies['vendorrisk']}",
    }  # fmt: skip
    assert [sent(heard[0], headers) for _ in range(2)] == ["/", "/sign-in"]


def sent(body: str, headers: dict[str, str]) -> str | None:
    """Where the answer leads, sent by somebody who has the cookie too."""
    connection = http.client.HTTPConnection("127.0.0.1", int(headers["Host"].split(":")[1]), timeout=10)
    connection.request("POST", "/sign-in/passkey", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers["Location"]
