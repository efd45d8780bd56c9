"""The frame of every page in a real browser: landmarks, focus, colours, narrow screens; judged by axe and measure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import builders
from tests.live import Live
from vendorrisk.domain.roles import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    "narrow": {"viewport": {"width": 320, "height": 640}},
}


def judged(page: Page) -> list[str]:
    """What axe complains about."""
    found = Axe().run(page, options={"runOnly": STANDARDS, "preload": False})
    return [f"{problem['id']}: {problem['nodes'][0]['html'][:120]}" for problem in found.response["violations"]]


@pytest.fixture(params=LOOKS)
def page(request: pytest.FixtureRequest, browser: Browser, live: Live) -> Iterator[Page]:
    """A page in each of the looks, with petra's account there to be tried."""
    with live.database.writing() as session:
        builders.add_user(session)
        builders.add_user(session, "audrey@acme.example", name="Audrey Finch", roles=[Role.AUDITOR])
    context = browser.new_context(**LOOKS[request.param])
    opened = context.new_page()
    opened.goto(f"{live.url}/sign-in")
    yield opened
    context.close()


def sign_in_as_petra(page: Page) -> None:
    """By the button of the demonstration."""
    page.click("button[value='petra@acme.example']")
    page.wait_for_url("**/home")


def test_every_frame_is_accessible_and_fits(page: Page, live: Live) -> None:
    problems: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found = judged(page)
        width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if width > room:
            found.append(f"scrolls sideways: {width} > {room}")
        if page.locator("h1").count() != 1 or page.locator("main").count() != 1:
            found.append("there must be one h1 and one main")
        if found:
            problems[name] = found

    look("sign-in")
    page.fill("#password", "wrong wrong wrong")
    with page.expect_navigation():
        page.click("main button:has-text('Sign in') >> nth=0")
    look("sign-in, refused")
    page.goto(f"{live.url}/forgotten-password")
    look("forgotten password")
    page.goto(f"{live.url}/privacy")
    look("privacy")
    page.goto(f"{live.url}/nothing")
    look("nothing here")
    page.goto(f"{live.url}/sign-in")
    sign_in_as_petra(page)
    page.goto(f"{live.url}/account")
    look("account of staff")
    page.goto(f"{live.url}/account/password")
    look("change of password")
    page.goto(f"{live.url}/nothing")
    look("nothing here, for staff")
    assert problems == {}


def test_a_refused_form_gets_the_focus_and_says_so_in_the_title(page: Page, live: Live) -> None:
    sign_in_as_petra(page)
    page.goto(f"{live.url}/account/password")
    page.click("button:has-text('Change the password')")
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator(".error-summary")).to_be_focused()
    link = page.locator(".error-summary a").first
    field = link.get_attribute("href")
    assert field
    link.click()
    expect(page.locator(field)).to_be_focused()


def test_the_first_stop_is_the_skip_link_and_it_is_seen(page: Page) -> None:
    page.goto(page.url.replace("/sign-in", "/privacy"))
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_text("Skip to main content")
    expect(focused).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_every_target_is_large_enough(page: Page, live: Live) -> None:
    sign_in_as_petra(page)
    page.goto(f"{live.url}/account")
    for target in page.locator("a:visible, button:visible").all():
        box = target.bounding_box()
        if box and box["y"] >= 0:
            assert box["height"] >= 24, target.inner_text()
            assert box["width"] >= 24, target.inner_text()
