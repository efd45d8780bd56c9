"""The review, score, decision and auditor's pages in Chromium: keys, conditions that appear, nothing that axe finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import builders, review_side
from tests.live import Live
from vendorrisk.domain.roles import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Desk:
    """A signed-in page of staff, with the founding case under review and another that is decided."""

    page: Page
    url: str
    case: str
    decided: str

    def open(self, path: str) -> None:
        """Go to a page of the case under review."""
        self.page.goto(f"{self.url}/assessments/{self.case}/{path}")


@pytest.fixture
def desk(live: Live, browser: Browser) -> Iterator[Desk]:
    """Adam's: he may see everything."""
    with live.database.writing() as session:
        adam = builders.add_user(session, "adam@acme.example", name="Adam Reed", roles=[Role.ADMIN])
        case = review_side.clearview(session).reference
        other = review_side.clearview(session)
        review_side.decide(session, other, adam)
        decided = other.reference
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{live.url}/sign-in")
    page.fill("input[name=email]", adam.email)
    page.fill("input[name=password]", builders.PASSWORD)
    page.press("input[name=password]", "Enter")
    page.get_by_role("button", name="Use this code").click()
    page.wait_for_url("**/home")
    yield Desk(page, live.url, case, decided)
    context.close()


def test_answers_are_reviewed_by_keys_alone(desk: Desk) -> None:
    desk.open("answers?q=DS-04&show=review")
    desk.page.keyboard.press("j")
    desk.page.wait_for_url("**q=DS-05**")
    desk.page.keyboard.press("k")
    desk.page.wait_for_url("**q=DS-04**")
    desk.page.keyboard.press("e")
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("a")
    desk.page.wait_for_url("**q=DS-05**")
    desk.open("answers?q=DS-04")
    expect(desk.page.locator("input[value=evidenced]")).to_be_checked()


def test_keys_stay_out_of_the_way_of_typing_and_can_be_turned_off(desk: Desk) -> None:
    desk.open("answers?q=DS-04")
    desk.page.keyboard.press("n")
    desk.page.keyboard.type("jka")
    expect(desk.page.locator("textarea[name=note]")).to_have_value("jka")
    desk.page.get_by_role("button", name="Turn keys off").click()
    desk.page.keyboard.press("j")
    desk.page.reload()
    desk.page.locator("h1").click()
    desk.page.keyboard.press("j")
    assert "q=DS-04" in desk.page.url
    expect(desk.page.get_by_role("button", name="Turn keys on")).to_be_visible()


def test_conditions_appear_with_their_decision(desk: Desk) -> None:
    desk.open("decision")
    rows = desk.page.locator("fieldset.conditions")
    expect(rows).to_be_hidden()
    desk.page.get_by_label("Approve with conditions").check()
    expect(rows).to_be_visible()


def test_the_chosen_question_stands_alone_on_a_small_screen(desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 320, "height": 640})
    desk.open("answers")
    questions = desk.page.get_by_role("navigation", name="Questions", exact=True)
    expect(questions).to_be_visible()
    desk.page.get_by_role("link", name="DS-04").click()
    expect(desk.page.get_by_role("button", name="Save and next")).to_be_visible()
    expect(questions).to_be_hidden()
    desk.page.get_by_role("link", name="All questions").click()
    expect(questions).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_nothing_that_axe_finds_and_nothing_wider_than_the_screen(desk: Desk, width: int, scheme: str) -> None:
    desk.page.set_viewport_size({"width": width, "height": 900})
    desk.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    own = [f"/assessments/{desk.case}/{path}" for path in ("answers?q=DS-01", "score", "decision", "trail")]
    own += [f"/assessments/{desk.case}/answers/DS-04/on-behalf", f"/assessments/{desk.decided}/decision"]
    audit = ["/audit", f"/audit/assessments/{desk.decided}", f"/audit/assessments/{desk.decided}/trail"]
    for path in (*own, *audit):
        desk.page.goto(desk.url + path)
        over = desk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{path} is {over} px too wide"
        found = Axe().run(desk.page, options={"runOnly": TAGS}).response["violations"]
        assert not found, f"{path}: {[(each['id'], each['nodes'][0]['html'][:200]) for each in found]}"
