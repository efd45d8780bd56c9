"""Steps that people take in a browser, for the journeys: each does what a person would, by labels and buttons."""

from __future__ import annotations

import email
import re
import time
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

NUMBERS = {"hours": "24", "percent": "5", "days": "30"}
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Mailbox:
    """The folder into which the demonstration's letters go."""

    folder: Path

    def newest(self, to: str, holding: str) -> str:
        """The plain text of the newest letter to this address that holds `holding`; waits for it to arrive."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for file in sorted(self.folder.glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True):
                letter = email.message_from_bytes(file.read_bytes(), policy=policy.default)
                text = _plain(letter)
                if to in str(letter["To"]) and holding in text + str(letter["Subject"]):
                    return text
            time.sleep(0.1)
        raise AssertionError(f"no letter to {to} that holds {holding!r} in {self.folder}")


def _plain(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    return "" if body is None else str(body.get_content())


def link_in(letter: str) -> str:
    """The link of an invitation."""
    found = re.search(r"https?://\S+/q/\S+", letter)
    assert found, letter
    return found[0]


def code_in(letter: str) -> str:
    """The six digits of a code letter."""
    found = re.search(r"\b(\d{3}) ?(\d{3})\b", letter)
    assert found, letter
    return found[1] + found[2]


def sign_in(page: Page, base: str, address: str, password: str, code: str = "") -> None:
    """Sign in as a member of staff or an auditor; without a `code`, a demonstration shows one."""
    page.goto(f"{base}/sign-in")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).first.click()
    if code:
        page.get_by_label("Code from your authenticator app").fill(code)
        page.get_by_role("button", name="Sign in", exact=True).first.click()
    else:
        page.get_by_role("button", name="Use this code").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def fill_first_options(page: Page) -> None:
    """On a page of questions: tick the first option of each, type a figure or a text where one is asked for.

    Goes on until nothing new appears: an answer that was saved may bring its follow-ups.
    """
    page.wait_for_load_state()
    done: set[str] = set()
    for _ in range(5):
        wait_until_saved(page)
        fresh = [field for field in _fields(page) if field not in done]
        if not fresh:
            return
        for name in fresh:
            done.add(name)
            _fill(page.locator(f'main [name="{name}"]:visible'))


def wait_until_saved(page: Page) -> None:
    """Until no answer waits in the browser to be saved: each stays there until the server has it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while page.evaluate("Object.keys(localStorage).length"):
        assert time.monotonic() < deadline, "an answer was not saved"
        page.wait_for_timeout(20)


def _fields(page: Page) -> list[str]:
    names = page.locator('main [name^="q-"]:visible').evaluate_all("found => found.map(field => field.name)")
    main = [name for name in names if re.fullmatch(r"q-[a-z0-9_]+(-code|-name|-role)?", name)]
    # Where a code may stand instead of a figure, the figure is typed; a table without rows is said by its code.
    return [name for name in dict.fromkeys(main) if not (name.endswith("-code") and name[:-5] in main)]


def _fill(field: Locator) -> None:
    first = field.first
    kind = first.get_attribute("type") or first.evaluate("field => field.tagName.toLowerCase()")
    if kind in ("radio", "checkbox"):
        first.check()
    elif kind != "file":
        first.fill(_typed(first))


def _typed(field: Locator) -> str:
    around = field.evaluate("field => (field.closest('[data-question], fieldset, .question') || field).innerText")
    mode = field.get_attribute("inputmode") or ""
    if mode in ("numeric", "decimal"):
        return next((figure for unit, figure in NUMBERS.items() if unit in around), "12")
    if "2024" in around or "YYYY" in around:
        return "2026-05"
    return "Victor Lang" if (field.get_attribute("name") or "").endswith("-name") else "Head of security, all in order"
