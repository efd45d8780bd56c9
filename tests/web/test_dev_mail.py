"""The demonstration's mailbox: shows letters safely, and is not there outside the demonstration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from tests.application import Clock
from tests.journeys import walk
from tests.live import Live
from tests.mail.letters import letter
from vendorrisk import factory
from vendorrisk.mail import envelope
from vendorrisk.mail.transports import FileTransport
from vendorrisk.services.letters import outbox
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def settings(database_url: str, tmp_path: Path, folder: Path) -> Settings:
    return Settings.from_env(
        {
            "VENDORRISK_DATABASE": database_url, "VENDORRISK_KEY_FILE": str(tmp_path / "master.key"),
            "VENDORRISK_STORAGE": str(tmp_path / "files"), "VENDORRISK_MAIL": f"file:{folder}",
            "VENDORRISK_DEMO": "1", "VENDORRISK_BASE_URL": "https://127.0.0.1",
        }
    )  # fmt: skip


def write(folder: Path, kind: str, number: int, **other: str) -> str:
    """Put a letter into the folder; returns its name."""
    moment = datetime(2026, 6, 30, 8, tzinfo=UTC) + timedelta(minutes=number)
    mail = envelope.build(
        letter(kind, **other), organisation="Acme Ltd", mail_from="risk@acme.example", message_id=f"{number}.letter",
        thread="t", written_at=moment,
    )  # fmt: skip
    FileTransport(folder).send(mail)
    return f"{moment:%Y%m%dT%H%M%S}-{number}.letter.eml"


def test_letters_are_listed_newest_first(client: FlaskClient, folder: Path) -> None:
    for number, kind in enumerate(["invitation", "access_code", "receipt"]):
        write(folder, kind, number)
    page = client.get("/dev/mail").text
    places = [page.index(subject) for subject in ("answers have arrived", "Your code for", "Acme Ltd: Data sourcing")]
    assert places == sorted(places)


def test_an_empty_mailbox_says_so(client: FlaskClient) -> None:
    assert "No letters yet" in client.get("/dev/mail").text


def test_a_letter_shows_its_head_its_text_and_leads_to_its_link(client: FlaskClient, folder: Path) -> None:
    name = write(folder, "invitation", 1, link="https://127.0.0.1/q/abc")
    page = client.get(f"/dev/mail/{name}").text
    assert "Dana Scott &lt;dana@northwind.example&gt;" in page
    assert "Reply to" in page and "petra@acme.example" in page
    assert 'href="https://127.0.0.1/q/abc"' in page
    assert "You need no account" in page


def test_a_link_to_elsewhere_is_shown_but_not_offered(client: FlaskClient, folder: Path) -> None:
    name = write(folder, "invitation", 1, link="https://127.0.0.1.evil.example/q/abc")
    page = client.get(f"/dev/mail/{name}").text
    assert "evil.example" in page
    assert 'href="https://127.0.0.1.evil.example' not in page


def test_the_html_part_lies_in_a_sandbox(client: FlaskClient, folder: Path) -> None:
    answer = client.get(f"/dev/mail/{write(folder, 'invitation', 1)}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and policy.endswith("sandbox") and "script-src" not in policy
    assert "Answer the questions" in answer.text


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "nothing.eml", ".hidden.eml", "master.key", "..%5cx.eml", "a/b.eml"]
)
def test_nothing_else_on_the_disk_can_be_read(client: FlaskClient, folder: Path, name: str) -> None:
    write(folder, "invitation", 1)
    (folder / ".hidden.eml").write_text("x")
    (folder.parent / "master.key").write_text("x")
    for address in (f"/dev/mail/{name}", f"/dev/mail/{name}/html"):
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("change", [{"VENDORRISK_DEMO": "0"}])
def test_outside_the_demonstration_there_is_no_mailbox(
    change: dict[str, str], runtime: Runtime, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    name = write(folder, "invitation", 1)
    real = Settings.from_env({"VENDORRISK_MAIL": f"file:{folder}", "VENDORRISK_BASE_URL": "https://127.0.0.1"} | change)
    app = factory.create_app(real, Runtime(real, runtime.database, runtime.library, runtime.rules, runtime.storage))
    for address in ("/dev/mail", f"/dev/mail/{name}", f"/dev/mail/{name}/html"):
        assert app.test_client().get(address).status_code == 404


@pytest.mark.browser
def test_in_a_browser_a_letter_appears_and_its_button_works(
    live: Live, browser: Browser, clock: Clock, folder: Path
) -> None:
    with live.database.writing() as session:
        outbox.put(session, letter("invitation", link=f"{live.url}/q/abc"), kind="invitation", now=clock.now)
    page = browser.new_page(viewport={"width": 800, "height": 900})
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.goto(f"{live.url}/dev/mail")
    walk.Mailbox(folder).newest("dana@northwind.example", "/q/abc")
    page.get_by_role("link", name="Look").click()
    page.get_by_role("link", name="Acme Ltd: Data sourcing").click()
    page.get_by_role("link", name="See it as HTML").click()
    assert page.locator(".button").evaluate("e => getComputedStyle(e).color") == "rgb(255, 255, 255)"
    assert page.locator(".sheet").evaluate("e => getComputedStyle(e).maxWidth") == "600px"
    assert problems == []
    page.get_by_role("link", name="Answer the questions").click()
    page.wait_for_url(f"{live.url}/q/abc")
    page.go_back()
    page.go_back()
    page.get_by_role("link", name="Open the link as the recipient").click()
    page.wait_for_url(f"{live.url}/q/abc")
    page.close()
