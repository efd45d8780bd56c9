"""The main job from end to end in a browser: petra sends, victor answers, petra decides, audrey reads."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests import builders
from tests.cast import Cast
from tests.journeys import walk
from tests.live import Live

VENDOR, SERVICE = "Pelican Couriers Ltd", "Letters between our two offices"
VICTOR = "victor@pelican.example"


@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_vendor_is_taken_in_asked_reviewed_decided_and_audited(
    live: Live, browser: Browser, cast_of: Cast, tmp_path: Path, javascript: bool
) -> None:
    mailbox = walk.Mailbox(tmp_path / "mail")
    contexts = [browser.new_context(java_script_enabled=javascript) for _ in range(3)]
    petra, victor, audrey = (context.new_page() for context in contexts)
    walk.sign_in(petra, live.url, cast_of.petra.email, builders.PASSWORD)
    _add_vendor(petra, live.url)
    _take_in(petra)
    request = _send(petra)
    assert_in_mailbox_and_answer(victor, mailbox, request)
    case = _review_and_decide(petra, live.url, mailbox)
    _make_report(petra)
    walk.sign_in(audrey, live.url, cast_of.audrey.email, builders.PASSWORD)
    _audit(audrey, live.url, case)
    for context in contexts:
        context.close()


def _add_vendor(page: Page, base: str) -> None:
    page.goto(f"{base}/vendors/new")
    page.get_by_label("Name", exact=True).fill(VENDOR)
    page.get_by_label("Website").fill("pelican.example")
    page.get_by_label("Contact's name").fill("Victor Lang")
    page.get_by_label("Contact's e-mail").fill(VICTOR)
    page.get_by_role("button", name="Add vendor").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(VENDOR)


def _take_in(page: Page) -> None:
    page.get_by_role("link", name="Start an assessment").click()
    page.get_by_label("Service").fill(SERVICE)
    page.get_by_role("button", name="Go on to the intake").click()
    for number in range(1, 5):
        page.wait_for_url(f"**/intake/{number}")
        walk.fill_first_options(page)
        save = page.get_by_role("button", name="Save and continue")
        save.or_(page.get_by_role("button", name="Save and see")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tier 4")


def _send(page: Page) -> str:
    page.get_by_role("link", name="Go on to sending").click()
    expect(page.get_by_role("main")).to_contain_text("Victor Lang")
    page.get_by_role("button", name="Send now").click()
    page.wait_for_url(re.compile(r"/requests/R-\w+"))
    found = re.search(r"/requests/(R-\w+)", page.url)
    assert found
    return found[1]


def assert_in_mailbox_and_answer(page: Page, mailbox: walk.Mailbox, request: str) -> None:
    """Victor opens his letter, passes the code, answers every section and sends."""
    link = walk.link_in(mailbox.newest(VICTOR, "/q/"))
    page.goto(link)
    neutral = page.locator("body").inner_text()
    assert request in neutral
    for secret in (VENDOR, SERVICE, "Victor", "Petra"):
        assert secret not in neutral
    page.get_by_role("button", name="Continue").click()
    page.locator("input[name=code]").fill(walk.code_in(mailbox.newest(VICTOR, "Your code")))
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url(f"**/respond/{request}/start")
    expect(page.get_by_role("main")).to_contain_text(SERVICE)
    page.get_by_label("Your role").fill("Head of security")
    page.get_by_role("button", name="Start").click()
    page.locator('main a[href*="/sections/"]').first.click()
    page.wait_for_url("**/sections/**")
    while "/sections/" in page.url:
        before = page.url.split("#")[0]
        walk.fill_first_options(page)
        page.get_by_role("button", name="Save and continue").click()
        expect(page).not_to_have_url(re.compile(rf"^{re.escape(before)}(#.*)?$"))
    expect(page).to_have_url(re.compile(rf"/respond/{request}/check"))
    page.locator("input[name=declared]").check()
    page.get_by_role("button", name=re.compile("^Send ")).click()
    page.wait_for_url(f"**/respond/{request}/done")
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"[0-9a-f]{8}"))
    assert request in mailbox.newest(VICTOR, "Answered:")


def _review_and_decide(page: Page, base: str, mailbox: walk.Mailbox) -> str:
    arrived = mailbox.newest("petra@acme.example", "A-")
    found = re.search(r"A-\d{4}-\d+", arrived)
    assert found, arrived
    case = found[0]
    page.goto(f"{base}/assessments/{case}/answers?q=BH-02")
    page.get_by_label("Evidenced").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Save and next").click()
    page.goto(f"{base}/assessments/{case}/score")
    expect(page.get_by_role("main")).to_contain_text("review priority, not a probability")
    page.goto(f"{base}/assessments/{case}/decision")
    page.locator('input[name=outcome][value="with_conditions"]').check()
    page.locator("[name=conditions-0-what]").fill("List the systems that hold the customer list")
    page.locator("[name=conditions-0-owner]").fill("Victor Lang")
    page.locator("[name=conditions-0-due]").fill("2026-12-01")
    page.get_by_label("Reason").fill("Small and useful; the missing list of systems has to come.")
    provisional = page.locator("[name=accepts_provisional]")
    if provisional.count():
        provisional.check()
    page.get_by_role("button", name="Record the decision").click()
    expect(page.get_by_role("main")).to_contain_text("with conditions")
    return case


def _make_report(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Make the report")).first.click()
    page.wait_for_url(re.compile(r"/reports/P-"))
    link = page.get_by_role("link", name=re.compile("Download", re.IGNORECASE)).first
    expect(link).to_be_visible(timeout=90_000)


def _audit(page: Page, base: str, case: str) -> None:
    page.goto(f"{base}/audit")
    page.get_by_role("link", name=case).click()
    page.wait_for_url(f"**/audit/assessments/{case}")
    expect(page.get_by_role("main")).to_contain_text("List the systems that hold the customer list")
    shown = page.get_by_role("main").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download|PDF")).first.click()
    content = Path(download.value.path()).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    first = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert VENDOR in first and case in first
    assert digest in shown.replace("\n", "")
    page.get_by_role("link", name="Everything that happened").click()
    expect(page.get_by_role("main")).to_contain_text("decided")
