"""Every secret of a full run, from sending to the report, is searched for in all that the service leaves behind."""

from __future__ import annotations

import email
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Request, Response, sync_playwright
from pypdf import PdfReader
from sqlalchemy import select

from bench.faults.counts import Count
from bench.faults.linked import Scene, Waiting, scene, wait_until
from bench.faults.links import _FLAGS
from bench.faults.service import ROOT
from tests import builders
from tests.journeys import walk
from vendorrisk.db.models import User
from vendorrisk.services.operating import archive, backup_keys

PETRA = "petra@acme.example"


@dataclass
class Seen:
    """What went over the wire: by page, so that where a secret may stand can be left out."""

    secrets: dict[str, str] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note every request and answer of this browser."""
        context.on("request", self._request)
        context.on("response", self._response)

    def _request(self, request: Request) -> None:
        # The address is the letter's, and what is typed is typed; a Referer would carry it elsewhere.
        kept = {name: value for name, value in request.headers.items() if name != "cookie"}
        self.sent.append((request.url, str(kept)))

    def _response(self, response: Response) -> None:
        kept = [each for each in response.headers_array() if each["name"].lower() != "set-cookie"]
        self.headers.append((response.url, str(kept)))

    def look(self, page: Page) -> None:
        """Note what this page holds."""
        self.bodies.append((page.url, page.content().encode()))


def counts() -> Iterator[Count]:
    """One run with everything in it, at log level debug."""
    with scene(1, log="debug") as made:
        seen = Seen()
        _run(made, seen)
        copy = _copy(made)
        _back_up(made)
        made.service.stop()
        yield from _searched(made, seen, copy)


def _run(made: Scene, seen: Seen) -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    base, link = f"http://127.0.0.1:{made.port}", made.links[0]
    with sync_playwright() as driver:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=chromium, args=[*sandbox, *_FLAGS])
        staff, vendor = browser.new_context(), browser.new_context()
        seen.watch(staff)
        seen.watch(vendor)
        petra = staff.new_page()
        _reset(petra, made, seen, base)
        walk.sign_in(petra, base, PETRA, builders.PASSWORD + " anew", _app_code(made))
        _send(petra, seen, base, link)
        _answer(vendor.new_page(), made, seen, link)
        _report(petra, seen, base)
        for context, name in (
            (staff, "vendorrisk"),
            (vendor, "respondent"),
            (vendor, "browser"),
            (vendor, "vendorrisk"),
        ):
            value = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == name)
            seen.secrets[f"{'staff' if context is staff else 'vendor'}'s cookie {name}"] = value
        browser.close()


def _app_code(made: Scene) -> str:
    with made.database.writing() as session:
        petra = session.scalars(select(User).where(User.email == PETRA)).one()
        return builders.app_code(session, petra, datetime.now(UTC))


def _reset(page: Page, made: Scene, seen: Seen, base: str) -> None:
    page.goto(f"{base}/forgotten-password")
    page.get_by_label("E-mail address").fill(PETRA)
    page.get_by_role("main").get_by_role("button").first.click()
    wait_until(lambda: any("/forgotten-password/" in text for text in made.letters(PETRA)))
    found = re.search(r"\S+/forgotten-password/(\S+)", made.letters(PETRA)[-1])
    assert found
    seen.secrets["reset token"] = found[1]
    page.goto(found[0])
    for field_ in page.locator("input[type=password]").all():
        field_.fill(builders.PASSWORD + " anew")
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/sign-in*")


def _send(page: Page, seen: Seen, base: str, link: Waiting) -> None:
    page.goto(f"{base}/requests/{link.reference}/link")
    page.get_by_role("button", name="Send a fresh link").click()
    page.wait_for_url(f"**/requests/{link.reference}")
    page.reload()
    seen.look(page)


def _answer(page: Page, made: Scene, seen: Seen, link: Waiting) -> None:
    wait_until(lambda: any("/q/" in text for text in made.letters(link.mailbox)))
    address = walk.link_in(made.letters(link.mailbox)[-1])
    seen.secrets["link"] = address.rpartition("/")[2]
    page.goto(address)
    seen.look(page)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/code")
    seen.look(page)
    seen.secrets["code"] = made.codes(link.mailbox)[-1]
    page.locator("input[name=code]").fill(seen.secrets["code"])
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/start")
    seen.look(page)
    page.get_by_label("Your role").fill("Head of security")
    page.get_by_role("button", name="Start").click()
    page.locator('main a[href*="/sections/"]').first.click()
    walk.fill_first_options(page)
    seen.look(page)
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/check")
    seen.look(page)
    for box in page.locator("input[name=declared], input[name=incomplete]").all():
        box.check()
    page.get_by_role("button", name=re.compile("^Send ")).click()
    page.wait_for_url("**/done")
    seen.look(page)


def _report(page: Page, seen: Seen, base: str) -> None:
    page.goto(f"{base}/assessments")
    case = page.locator('main a[href^="/assessments/A-"]').first.get_attribute("href")
    page.goto(f"{base}{case}/reports")
    page.get_by_role("button", name=re.compile("Make the report")).first.click()
    page.wait_for_url(re.compile(r"/reports/P-"))
    link = page.get_by_role("link", name=re.compile("Download", re.IGNORECASE)).first
    link.wait_for(timeout=60_000)
    seen.look(page)
    with page.expect_download() as download:
        link.click()
    made = b"".join(page.extract_text().encode() for page in PdfReader(download.value.path()).pages)
    seen.bodies.append(("the report", made + Path(download.value.path()).read_bytes()))


def _copy(made: Scene) -> Path:
    """A backup of the living database, as the operator's script would make one."""
    there = made.folder / "copy.sqlite"
    with sqlite3.connect(made.folder / "service.sqlite") as live, sqlite3.connect(there) as copy:
        live.backup(copy)
    return there


def _back_up(made: Scene) -> None:
    """The service's own backup with its keyring, sealed as it is; and beside it what is in it, opened."""
    folder = made.folder / "backups"
    command = [sys.executable, "-m", "vendorrisk", "backup", str(folder)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **made.service.environ}, check=True, capture_output=True)
    (sealed,) = folder.glob("*.backup")
    assert (folder / backup_keys.NAME).is_file()
    opened = b"\n".join(record.content for record in archive.read(sealed, made.database.master))
    assert b"requests" in opened and b"trail_events" in opened
    (folder / "opened").write_bytes(opened)


def _searched(made: Scene, seen: Seen, copy: Path) -> Iterator[Count]:
    files = [path for path in made.folder.rglob("*") if path.is_file() and path.suffix != ".eml"]
    assert {"service.log", "opened", backup_keys.NAME} <= {path.name for path in files} and copy in files
    letters = list((made.folder / "mail").glob("*.eml"))
    for name, secret in seen.secrets.items():
        raw = secret.encode()
        assert any(raw in _text(path) for path in letters) is _is_its_letter(name), (
            f"the search for the {name} is blind"
        )
        hits = [path.name for path in files if raw in path.read_bytes()]
        hits += [f"header of {url}" for url, said in seen.headers if secret in said]
        hits += [f"Referer to {url}" for url, said in seen.sent if secret in said]
        hits += [f"page {url}" for url, said in seen.bodies if raw in said and not _may_show(name, url)]
        places = len(files) + len(letters) + len(seen.headers) + len(seen.sent) + len(seen.bodies)
        yield Count(f"places that hold the {name}", places, len(hits), ", ".join(sorted(set(hits)))[:300])


def _text(path: Path) -> bytes:
    """A letter as people read it, both its forms."""
    letter = email.message_from_bytes(path.read_bytes())
    return b"\n".join(part.get_payload(decode=True) or b"" for part in letter.walk() if not part.is_multipart())


def _is_its_letter(name: str) -> bool:
    return name in ("link", "code", "reset token")


def _may_show(name: str, url: str) -> bool:
    """Nothing, but that the form for a new password leads to itself."""
    return name == "reset token" and "/forgotten-password/" in url
