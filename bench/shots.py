"""`make shots`: the pictures of the README, taken from the demonstration in a folder and on a port of their own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from waitress.server import create_server

from tests.journeys import walk
from vendorrisk import factory, jobs
from vendorrisk.cli import demo
from vendorrisk.settings import Settings

IMAGES = Path(__file__).parents[1] / "docs" / "images"
PASSWORD = "demo"
PATIENCE_SECONDS = 120
"""The report is made by a job, in a process of its own."""
SECTION = "customer-list-protection"
SIZE: ViewportSize = {"width": 1280, "height": 800}
_FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def main() -> int:
    """Take all pictures; 3 where there is no Chromium."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        print("There is no Chromium. Install it (apt-get install chromium), or name it in CHROMIUM.", file=sys.stderr)
        return 3
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as there, _served(Path(there) / "demo") as base, sync_playwright() as driver:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=chromium, args=[*sandbox, *_FLAGS])
        _staff(_signed_in(browser, base, "petra@acme.example"), base)
        _vendor(_page(browser), walk.Mailbox(Path(there) / "demo" / "mail"))
        _auditor(_signed_in(browser, base, "audrey@acme.example"), base, Path(there))
        browser.close()
    return 0


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The demonstration with pages and jobs; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = str(listening.getsockname()[1])
    settings = Settings.from_env(demo.environ({"VENDORRISK_PORT": port}, folder) | {"VENDORRISK_LOG": "error"})
    print("Making the demonstration's data …", flush=True)
    demo.make(settings, folder, now=datetime.now(UTC))
    runtime = factory.build_runtime(settings)
    server = create_server(factory.create_app(settings, runtime), sockets=[listening], threads=8)
    thread = threading.Thread(target=server.run, name="shots", daemon=True)
    thread.start()
    stop_jobs = jobs.start(runtime)
    try:
        yield settings.base_url
    finally:
        stop_jobs()
        server.close()
        server.task_dispatcher.shutdown()
        thread.join(5)
        runtime.database.close()


def _staff(page: Page, base: str) -> None:
    page.goto(f"{base}/home")
    _take(page, "staff-home")
    case = _case(page, base, "Blue Heron")
    page.goto(f"{base}{case}/answers?q=DS-04")
    _take(page, "review")
    page.goto(f"{base}{case}/score")
    _take(page, "score")


def _vendor(page: Page, mailbox: walk.Mailbox) -> None:
    """Northwind's person follows the link in the letter and goes on answering."""
    page.goto(walk.link_in(mailbox.newest("@northwind.example", "/q/")))
    page.get_by_role("button", name="Continue").click()
    page.locator("input[name=code]").fill(walk.code_in(mailbox.newest("@northwind.example", "Your code")))
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/start")
    page.get_by_label("Your role").fill("Head of security")
    page.locator("main form button").first.click()
    page.locator(f'main a[href*="/sections/{SECTION}/"]').first.click()
    page.wait_for_url("**/sections/**")
    page.locator('main .question:visible:not(:has(:checked)) input[type="radio"]').first.check()
    page.locator("#save-state[data-kind=saved]").wait_for()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    _take(page, "vendor-section")


def _auditor(page: Page, base: str, folder: Path) -> None:
    page.goto(f"{base}/audit")
    page.locator("main tr").filter(has_text="Clearview").get_by_role("link").first.click()
    page.wait_for_url("**/audit/assessments/A-*")
    link = page.get_by_role("link", name=re.compile("Download|PDF")).first
    for _ in range(PATIENCE_SECONDS):
        if link.count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    _take(page, "auditor")
    with page.expect_download() as download:
        link.click()
    _first_page(Path(download.value.path()), folder)
    page.goto(f"{base}/audit/trail")
    _take(page, "trail")


def _first_page(report: Path, folder: Path) -> None:
    tool = shutil.which("pdftoppm")
    if not tool:
        print("  report.png      not taken: there is no pdftoppm (apt-get install poppler-utils)", file=sys.stderr)
        return
    raw = folder / "report"
    subprocess.run([tool, "-png", "-singlefile", "-r", "90", "-f", "1", "-l", "1", str(report), str(raw)], check=True)
    shutil.move(f"{raw}.png", IMAGES / "report.png")
    _say("report")


def _case(page: Page, base: str, vendor: str) -> str:
    """The path of the vendor's assessment."""
    page.goto(f"{base}/assessments")
    path = page.locator("main tr, main li").filter(has_text=vendor).locator('a[href^="/assessments/A-"]').first
    return path.get_attribute("href") or ""


def _page(browser: Browser) -> Page:
    return browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce").new_page()


def _signed_in(browser: Browser, base: str, address: str) -> Page:
    page = _page(browser)
    walk.sign_in(page, base, address, PASSWORD)
    return page


def _take(page: Page, name: str) -> None:
    page.screenshot(path=IMAGES / f"{name}.png")
    _say(name)


def _say(name: str) -> None:
    file = IMAGES / f"{name}.png"
    print(f"  {file.name:<20}{file.stat().st_size // 1000:>4} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
