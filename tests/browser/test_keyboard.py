"""Both sides' main flows by keyboard alone: every stop of the focus is seen, none is covered, and nothing traps it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import builders
from tests.cast import Cast
from tests.journeys import walk
from tests.live import Live
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.library import shipped

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

VICTOR = "victor@pelican.example"
MOST_STOPS = 400
"""More than any page has: who has pressed Tab so often is trapped."""

HERE = """() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return null;
  const label = at.labels && at.labels.length ? at.labels[0] : null;
  const style = getComputedStyle(at);
  const box = [...at.getClientRects()].find((one) => one.width > 0 && one.height > 0) || at.getBoundingClientRect();
  const x = Math.min(Math.max(box.x + Math.min(box.width / 2, 12), 1), innerWidth - 1);
  const y = Math.min(Math.max(box.y + box.height / 2, 1), innerHeight - 1);
  const hit = document.elementFromPoint(x, y);
  window.focusStops = window.focusStops || new WeakMap();
  if (!window.focusStops.has(at)) window.focusStops.set(at, String(Math.random()));
  return {
    key: window.focusStops.get(at),
    tag: at.tagName.toLowerCase(), type: at.type || "", name: at.getAttribute("name") || "",
    words: (at.getAttribute("aria-label") || (label || at).innerText || "").replace(/\\s+/g, " ").trim(),
    checked: !!at.checked, filled: "value" in at && at.value !== "", inMain: !!at.closest("main"),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0
      && box.left < innerWidth,
    free: !!hit && (at.contains(hit) || hit.contains(at) || !!(label && label.contains(hit))),
    html: at.outerHTML.slice(0, 140),
  };
}"""


@dataclass(frozen=True)
class Stop:
    """Where the focus is."""

    key: str
    tag: str
    type: str
    name: str
    words: str
    checked: bool
    filled: bool
    inMain: bool
    ring: bool
    seen: bool
    free: bool
    html: str


def _wrong(stop: Stop) -> list[str]:
    looks = {"no ring": stop.ring, "not in view": stop.seen, "covered": stop.free}
    return [word for word, fine in looks.items() if not fine]


class Keys:
    """A person at a keyboard, without a mouse: moves on with Tab, and looks at every stop."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bad: list[str] = []

    def here(self) -> Stop | None:
        """The stop at which the focus is; None on the page as a whole."""
        found: dict[str, Any] | None = self.page.evaluate(HERE)
        return None if found is None else Stop(**found)

    def tab(self) -> Stop | None:
        """One stop further."""
        before = self.here()
        self.page.keyboard.press("Tab")
        stop = self.here()
        if stop is None:
            return None
        assert before is None or stop.key != before.key, f"the focus is trapped at {stop.html}"
        for _ in range(20):  # the page may still be scrolling there
            if not (wrong := _wrong(stop)):
                return stop
            self.page.wait_for_timeout(50)
            stop = self.here() or stop
        self.bad.append(f"{self.page.url}: {', '.join(wrong)}: {stop.html}")
        return stop

    def to(self, words: str, *, tag: str = "", then: str = "") -> None:
        """Tab to the field, link or button that says `words`, and press `then` there."""

        def wanted(stop: Stop) -> bool:
            return re.search(words, stop.words) is not None and tag in ("", stop.tag)

        self.until(wanted, words)
        if then:
            self.page.keyboard.press(then)

    def until(self, wanted: Callable[[Stop], bool], words: str = "what is wanted") -> Stop:
        """Tab until a stop is the wanted one."""
        for _ in range(MOST_STOPS):
            stop = self.tab()
            if stop and wanted(stop):
                return stop
        raise AssertionError(f"{words!r} cannot be reached by Tab on {self.page.url}")

    def type(self, words: str, text: str) -> None:
        """Tab to the field with this label and type into it."""
        self.to(words)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.type(text)

    def answer_until(self, button: str) -> int:
        """Answer every question on the way to this button, and press it; returns how many fields were answered.

        Options are taken with Space, every second group's second one with an arrow; text is typed.
        """
        done: set[str] = set()
        for _ in range(MOST_STOPS):
            stop = self.tab()
            if stop is None or not stop.inMain:
                continue
            if stop.tag == "button" and re.search(button, stop.words):
                self.page.keyboard.press("Enter")
                return len(done)
            if re.fullmatch(r"q-[a-z0-9_]+", stop.name) and stop.name not in done:
                done.add(stop.name)
                self._answer(stop, use_arrow=len(done) % 2 == 0)
        raise AssertionError(f"{button!r} cannot be reached by Tab on {self.page.url}")

    def _answer(self, stop: Stop, *, use_arrow: bool) -> None:
        if stop.type in ("radio", "checkbox"):
            self.page.keyboard.press("Space")
            assert (now := self.here()) and now.checked, stop.html
            if stop.type == "radio" and use_arrow:
                self.page.keyboard.press("ArrowDown")
                moved = self.here()
                assert moved and moved.checked and moved.key != stop.key, stop.html
        elif stop.type in ("text", "textarea", "number") and not stop.filled:
            numeric = self.page.evaluate("['numeric', 'decimal'].includes(document.activeElement.inputMode)")
            self.page.keyboard.type(
                "12" if numeric else "2026-05" if "20" in stop.words else "All in order, head of security"
            )


@pytest.fixture
def keys(browser: Browser) -> Any:
    """A fresh browser, worked by keys."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield Keys(context.new_page())
    context.close()


def test_a_vendor_answers_and_sends_by_keyboard(live: Live, keys: Keys, cast_of: Cast, tmp_path: Path) -> None:
    with live.database.writing() as session:
        vendor = builders.add_vendor(session, "Pelican Couriers Ltd")
        contact = builders.add_contact(session, vendor, email=VICTOR)
        request = builders.add_request(
            session, builders.add_assessment(session, vendor, status=AssessmentStatus.READY), contact=contact,
            questionnaires=[shipped.load().questionnaires["data-sourcing"]],
        )  # fmt: skip
        token, reference = builders.add_link(session, request, email=VICTOR), request.reference
    page, mailbox = keys.page, walk.Mailbox(tmp_path / "mail")
    page.goto(f"{live.url}/q/{token}")
    keys.to("^Continue$", tag="button", then="Enter")
    page.wait_for_url("**/code")
    keys.until(lambda stop: stop.name == "code", "the code")
    page.keyboard.type(walk.code_in(mailbox.newest(VICTOR, "Your code")))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/respond/{reference}/start")
    keys.type("Your name", "Victor Lang")
    keys.type("Your role", "Head of security")
    keys.to("^Start", tag="button", then="Enter")
    page.wait_for_url(f"**/respond/{reference}")
    keys.until(lambda stop: stop.inMain and stop.tag == "a", "the first section")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sections/**")
    section = page.url
    assert keys.answer_until("^Save and continue$") >= 3
    expect(page).not_to_have_url(section)
    page.wait_for_load_state()
    keys.to("^Skip to main content$", then="Enter")
    keys.to("All sections", then="Enter")
    page.wait_for_url(f"**/respond/{reference}")
    keys.to("^Check and send$", tag="a", then="Enter")
    page.wait_for_url("**/check")
    keys.until(lambda stop: stop.name == "declared", "the declaration")
    page.keyboard.press("Space")
    keys.until(lambda stop: stop.name == "incomplete", "what stays unanswered")
    page.keyboard.press("Space")
    keys.to("^Send ", tag="button", then="Enter")
    page.wait_for_url("**/done")
    assert keys.bad == []


def test_staff_takes_in_a_vendor_and_sends_by_keyboard(live: Live, keys: Keys, cast_of: Cast) -> None:
    page = keys.page
    page.goto(f"{live.url}/sign-in")
    keys.type("E-mail address", cast_of.petra.email)
    keys.type("^Password", builders.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code")
    keys.to("Use this code", then="Enter")
    page.wait_for_url("**/home")
    keys.to("Add a vendor", then="Enter")
    page.wait_for_url("**/vendors/new")
    for label, text in (
        ("^Name", "Pelican Couriers Ltd"), ("^Website", "pelican.example"), ("Contact.s name", "Victor Lang"),
        ("Contact.s e-mail", VICTOR),
    ):  # fmt: skip
        keys.type(label, text)
    keys.to("^Add vendor$", tag="button", then="Enter")
    page.wait_for_url(re.compile("/vendors/V-"))
    keys.to("Start an assessment", then="Enter")
    page.wait_for_url("**/assessments/new")
    keys.type("^Service", "Letters between our two offices")
    keys.to("Go on to the intake", tag="button", then="Enter")
    for number in range(1, 5):
        page.wait_for_url(f"**/intake/{number}")
        assert keys.answer_until("^Save and ") >= 2
    page.wait_for_url("**/intake/result")
    keys.to("Go on to sending", then="Enter")
    page.wait_for_url("**/send")
    keys.to("^Send now$", tag="button", then="Enter")
    page.wait_for_url(re.compile("/requests/R-"))
    expect(page.get_by_role("main")).to_contain_text("Victor Lang")
    assert keys.bad == []
