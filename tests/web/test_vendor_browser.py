"""The vendor's pages in Chromium: autosave, reveal, conflict, offline, keys, rows; no violation that axe can find."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import builders
from tests.journeys import walk
from tests.live import Live
from tests.web import vendor_visits as visits
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.library import loader, shipped

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOTS = os.environ.get("VENDORRISK_SHOTS", "")
"""A folder to put pictures of every page into; none where it is not set."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "narrow dark": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    "no script": {"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False},
}
LONG = "Versand von Mitgliederzeitschriften und Rechenzentrumsinfrastrukturdienstleistungen der Buchungskreise"


@pytest.fixture
def token(live: Live) -> str:
    """A link to everything that we ask, from Petra."""
    library = shipped.load().questionnaires
    asked = [library[name] for name in ("data-sourcing", "breach-history", "customer-list-protection")]
    asked += [loader.load(shipped.FOLDER / "examples" / f"{name}.yaml") for name in ("follow_up", "file", "number")]
    with live.database.writing() as session:
        petra = builders.add_user(session)
        vendor = builders.add_vendor(session)
        contact = builders.add_contact(session, vendor)
        case = builders.add_assessment(session, vendor, service=LONG, owner=petra, status=AssessmentStatus.READY)
        note = "Please answer with Priya from your security team.\nThank you!"
        request = builders.add_request(session, case, questionnaires=asked, sender=petra, contact=contact, note=note)
        return builders.add_link(session, request)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


def enter(page: Page, live: Live, token: str) -> str:
    """Link, code, Start; the address of the task list."""
    before = visits.codes(live.database)
    page.goto(f"{live.url}/q/{token}")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").wait_for()
    (code,) = set(visits.codes(live.database)) - set(before)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Your name").fill("Victor Lang")
    page.get_by_label("Your role").fill("Head of security")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/respond/R-\w+$"))
    return page.url


def press(page: Page, button: str) -> None:
    """Press the button of a form, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def shot(page: Page, look: str, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}-{look.replace(' ', '-')}.png", full_page=True)


def examine(page: Page, look: str, name: str, errors: list[str]) -> list[str]:
    """What is wrong with this page: complaints in the console so far, axe's findings, sideways scrolling."""
    # The browser itself reports answers such as 404 and 422. Pictures and axe put styles into the page: not ours.
    wrong = [f"{name} ({look}): {message}" for message in errors if "with a status of 4" not in message]
    shot(page, look, name)
    if look != "no script":
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        for violation in found.response["violations"]:
            nodes = "; ".join(str(node["target"]) + node["html"][:150] for node in violation["nodes"][:3])
            wrong.append(f"{name} ({look}): {violation['id']}: {nodes}")
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append(f"{name} ({look}): scrolls sideways")
    errors.clear()
    return wrong


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_in_every_look(browser: Browser, live: Live, token: str, look: str) -> None:
    context = browser.new_context(**LOOKS[look])  # type: ignore[arg-type]
    page = context.new_page()
    wrong: list[str] = []
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(f"{live.url}/q/{'A' * 43}")
    wrong += examine(page, look, "01-neutral", errors)
    page.goto(f"{live.url}/q/{token}")
    wrong += examine(page, look, "02-link", errors)
    press(page, "Continue")
    wrong += examine(page, look, "03-code", errors)
    press(page, "Go on")
    wrong += examine(page, look, "04-code-error", errors)
    page.get_by_label("Code").fill(visits.codes(live.database)[-1])
    press(page, "Go on")
    wrong += examine(page, look, "05-start", errors)
    page.get_by_label("Your name").fill("Victor Lang")
    page.get_by_label("Your role").fill("Head of security")
    press(page, "Start")
    home = page.url
    wrong += examine(page, look, "06-tasks", errors)
    for number, place in enumerate(("follow-up/remote_work", "data-sourcing", "breach-history", "number", "file")):
        if "/" not in place:
            page.goto(home)
            page.goto(live.url + str(page.locator(f"a[href*='/sections/{place}/']").first.get_attribute("href")))
        else:
            page.goto(f"{home}/sections/{place}")
        wrong += examine(page, look, f"07-section-{number}", errors)
    page.goto(f"{home}/sections/follow-up/remote_work")
    page.get_by_label("Yes, with their own devices").check()
    page.get_by_label("Not applicable").first.check()
    press(page, "Save and continue")
    wrong += examine(page, look, "08-section-error", errors)
    page.goto(f"{home}/preview")
    wrong += examine(page, look, "09-preview", errors)
    page.goto(f"{home}/check")
    wrong += examine(page, look, "10-check", errors)
    press(page, "Send")
    wrong += examine(page, look, "11-check-error", errors)
    page.get_by_label("To the best of my knowledge").check()
    page.get_by_label("unanswered. I know").check()
    press(page, "Send")
    wrong += examine(page, look, "12-done", errors)
    page.goto(f"{home}/check")
    wrong += examine(page, look, "13-as-sent", errors)
    context.close()
    assert wrong == []


def test_an_answer_saves_itself_and_reveals_its_follow_ups(context: BrowserContext, live: Live, token: str) -> None:
    page = context.new_page()
    home = enter(page, live, token)
    section = f"{home}/sections/follow-up/remote_work"
    page.goto(section)
    follow_up = page.locator('[data-question="own_devices_checked"]')
    expect(follow_up).to_be_hidden()
    page.get_by_label("Yes, with their own devices").check()
    page.get_by_text("All changes saved 10:00").wait_for()
    follow_up.wait_for(state="visible")
    expect(page.locator("[data-section-progress]").first).to_have_text("1 of 3")
    page.get_by_label("No", exact=True).first.check()
    follow_up.wait_for(state="hidden")
    page.reload()
    expect(page.get_by_label("No", exact=True).first).to_be_checked()


def test_what_is_typed_offline_is_kept_and_sent_later(context: BrowserContext, live: Live, token: str) -> None:
    page = context.new_page()
    home = enter(page, live, token)
    page.goto(f"{home}/sections/follow-up/remote_work")
    context.set_offline(True)
    page.get_by_label("Yes, with their own devices").check()
    page.get_by_text("kept in this browser, retrying").wait_for()
    assert page.evaluate("Object.keys(localStorage).length") == 1
    context.set_offline(False)
    page.get_by_text("All changes saved").wait_for()
    assert page.evaluate("Object.keys(localStorage).length") == 0
    assert visits.request_of(live.database, home.rsplit("/", 1)[-1]).answered == 1


def test_what_is_typed_while_a_save_is_under_way_is_saved_and_not_kept(
    context: BrowserContext, live: Live, token: str
) -> None:
    page = context.new_page()
    home = enter(page, live, token)
    page.goto(f"{home}/sections/follow-up/remote_work")
    held: list[Route] = []
    page.route("**/answers/**", lambda route: held.append(route), times=1)
    page.get_by_label("Yes, with their own devices").check()
    page.locator('[data-question="remote_access"] summary', has_text="Comment").click()
    page.get_by_label("Comment on EX-13").fill("Typed meanwhile")
    while not held:
        page.wait_for_timeout(10)
    held[0].continue_()
    walk.wait_until_saved(page)
    page.reload()
    expect(page.get_by_label("Comment on EX-13")).to_have_value("Typed meanwhile")


def test_what_was_typed_before_a_crash_comes_back(context: BrowserContext, live: Live, token: str) -> None:
    page = context.new_page()
    home = enter(page, live, token)
    page.goto(f"{home}/sections/follow-up/remote_work")
    page.route("**/answers/**", lambda route: route.abort())
    page.locator('[data-question="remote_access"] summary', has_text="Comment").click()
    page.get_by_label("Comment on EX-13").fill("Typed before the crash")
    page.get_by_text("kept in this browser").wait_for()
    page.close()
    again = context.new_page()
    again.goto(f"{home}/sections/follow-up/remote_work")
    again.get_by_text("All changes saved").wait_for()
    again.reload()
    expect(again.get_by_label("Comment on EX-13")).to_have_value("Typed before the crash")


def test_a_conflict_shows_both_and_lets_one_choose(browser: Browser, live: Live, token: str) -> None:
    contexts = [browser.new_context(), browser.new_context()]
    mine, theirs = [context.new_page() for context in contexts]
    home = enter(mine, live, token)
    enter(theirs, live, token)
    section = f"{home}/sections/follow-up/remote_work"
    mine.goto(section)
    theirs.goto(section)
    theirs.get_by_label("No", exact=True).first.check()
    theirs.get_by_text("All changes saved").wait_for()
    mine.get_by_label("Yes, with their own devices").check()
    card = mine.locator("[data-clash]")
    card.wait_for()
    shot(mine, "wide", "14-conflict")
    assert Axe().run(mine, options={"runOnly": {"type": "tag", "values": TAGS}}).violations_count == 0
    expect(card).to_contain_text("Yes, with their own devices")
    card.get_by_role("button", name="Keep theirs").click()
    card.wait_for(state="detached")
    mine.get_by_text("All changes saved").wait_for()
    expect(mine.get_by_label("No", exact=True).first).to_be_checked()
    for context in contexts:
        context.close()


def test_u_leads_to_the_next_unanswered_question(context: BrowserContext, live: Live, token: str) -> None:
    page = context.new_page()
    home = enter(page, live, token)
    page.goto(f"{home}/sections/follow-up/remote_work")
    page.get_by_label("Yes, with their own devices").check()
    page.get_by_text("Next unanswered: EX-14").wait_for()
    page.keyboard.press("u")
    expect(page.locator('[data-question="own_devices_checked"] :focus')).to_be_visible()


def test_rows_are_added_and_removed(context: BrowserContext, live: Live, token: str) -> None:
    page = context.new_page()
    home = enter(page, live, token)
    page.goto(f"{home}/sections/breach-history/what_happened")
    page.get_by_text("Yes, one event or more").check()
    walk.wait_until_saved(page)
    page.goto(f"{home}/questions/incident_register")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(1)
    page.get_by_label("Title", exact=True).first.fill("Shared link")
    page.get_by_role("button", name="Add a row").click()
    rows.nth(1).get_by_label("Title", exact=True).fill("Lost laptop")
    walk.wait_until_saved(page)
    rows.nth(0).get_by_role("button", name="Remove this row").click()
    expect(rows).to_have_count(1)
    walk.wait_until_saved(page)
    page.reload()
    expect(page.get_by_label("Title", exact=True).first).to_have_value("Lost laptop")


def test_a_file_is_attached_by_choosing_it(context: BrowserContext, live: Live, token: str) -> None:
    page = context.new_page()
    home = enter(page, live, token)
    page.goto(f"{home}/sections/follow-up/remote_work")
    page.locator('[data-question="remote_access"] summary', has_text="Evidence").click()
    chooser = page.locator('input[name="q-remote_access-files"]')
    chooser.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    page.get_by_text("Attached.").wait_for()
    expect(page.get_by_role("link", name="notes.txt")).to_be_visible()
    chooser.set_input_files({"name": "tool.exe", "mimeType": "application/x", "buffer": b"MZ"})
    page.get_by_text("“tool.exe”: The file must be a PDF").wait_for()
