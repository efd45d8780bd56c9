"""Letters: both parts say the same, in few words, whatever people have typed into the values."""

from __future__ import annotations

import inspect
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from playwright.sync_api import Browser

from tests.mail.letters import LINK, VALUES, letter
from vendorrisk.mail import envelope, messages
from vendorrisk.mail.messages import TEMPLATES, Message

KINDS = sorted(messages.LETTERS)
NASTY = [
    "Evil\r\nBcc: everyone@example.com",
    "Evil\nSubject: hello",
    "Evil\x0bX: y\x0c\x1e\x85\u2028Z: z",
    "<script>alert(1)</script><img src=https://evil.example/x.png>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe \U0001f512 Zoë שלום \ud800",
    "x" * 3000,
]


class Words(HTMLParser):
    """The text of an HTML letter, and the addresses of its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self._hidden = "", 0
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "title", "head")
        named = dict(attributes)
        if tag == "a":
            self.links.append(named.get("href") or "")
        if tag in ("img", "link", "script", "iframe", "object", "form") or "src" in named or "background" in named:
            self.fetched.append(tag)
        self.text += " "

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title", "head")
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else data


def wire(message: Message, **other: str) -> bytes:
    mail = envelope.build(
        message, **({"organisation": "Acme Ltd", "mail_from": "risk@acme.example", "message_id": "abc.letter",
                     "thread": "def.thread"} | other), written_at=VALUES["receipt"]["submitted_at"],
    )  # fmt: skip
    return mail.as_bytes()


def read(data: bytes) -> EmailMessage:
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def facts(kind: str) -> list[str]:
    """What both parts must say."""
    there = {
        "invitation": [
            "Acme Ltd", "Dana Scott", "Mailing service for members", "As discussed on Monday.", LINK,
            "Data sourcing, Breach history and Customer list protection", "104", "85 minutes",
            "Friday 17 July 2026, 17:00 London", "Friday 31 July 2026, 17:00 London", "R-7F3K2M",
            "no account", "Petra Novak", "+44 20 7946 0000", "petra@acme.example", "Just reply", "genuine",
        ],
        "access_code": ["402917", "10 minutes", "once", "that browser", "R-7F3K2M", "Never pass it on"],
        "receipt": [
            "Acme Ltd", "Dana Scott", "R-7F3K2M", "Tuesday 14 July 2026, 09:30 UTC", "61 questions", "3 questions",
            "7 files", "5e" * 32, "https://risk.acme.example/respond/R-7F3K2M/done", "What happens next", "correct",
        ],
        "answers_arrived": [
            "Petra Novak", "Northwind Mail", "61 of 64 questions", "A-2026-0042", "provisional",
            "https://risk.acme.example/assessments/A-2026-0042",
        ],
        "trail_head": [
            "Acme Ltd", "1,204", "9f2c41d0b5aa7e13" * 4, "Monday 13 July 2026, 23:58 UTC", "Keep this letter",
            "python -m vendorrisk trail verify --head 1204:9f2c41d0b5aa7e13", "every admin and auditor each day",
        ],
        "sign_in_reset": ["Petra Novak", "https://risk.acme.example/reset/abc", "2 hours", "once", "stays as it is"],
        "many_vendors": ["Adam Reed", "Petra Novak", "petra@acme.example", "60 vendors", "user sign-out", "09:30 UTC"],
        "sign_in_changed": [
            "Petra Novak", "a passkey was added (“Work laptop”)", "Tuesday 14 July 2026, 09:30 UTC", "at once",
        ],
    }  # fmt: skip
    return there[kind]


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("kind", KINDS)
def test_both_parts_state_the_same_facts(kind: str) -> None:
    message = letter(kind)
    for part in (message.text, Words(message.html).text):
        assert [fact for fact in facts(kind) if fact not in squeezed(part)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_of_one_part_is_in_the_other(kind: str) -> None:
    message = letter(kind)
    text, html = (set(re.findall(r"\d[\d:.-]*\d|\d", part)) for part in (message.text, Words(message.html).text))
    assert text == html


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_takes_no_more_than_120_words(kind: str) -> None:
    message = letter(kind)
    for part in (message.text, Words(message.html).text.replace("Or copy this address into your browser:", "")):
        assert len([word for word in part.split() if "://" not in word]) <= 120


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_fetched_and_nobody_is_tracked(kind: str) -> None:
    html = letter(kind).html
    assert Words(html).fetched == []
    assert "url(" not in html and "@import" not in html and "http-equiv" not in html


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_one_button_and_its_address_in_full(kind: str) -> None:
    message = letter(kind)
    link = VALUES[kind].get("link")
    assert Words(message.html).links == ([link, link] if link else [])
    assert message.html.count('class="button"') == (1 if link else 0)
    if link:
        assert f"\n{link}\n" in message.text


def test_the_letter_with_the_code_names_nobody_and_leads_nowhere() -> None:
    message = letter("access_code")
    everything = message.subject + message.text + message.html
    assert "Acme" not in everything and "http" not in everything and "Northwind" not in everything
    assert "402917" not in message.subject


def test_the_subjects_say_what_it_is_about() -> None:
    assert [letter(kind).subject for kind in KINDS] == [
        "Your code for request R-7F3K2M",
        "Northwind Mail has answered: A-2026-0042",
        "Acme Ltd: Data sourcing, Breach history and Customer list protection, due 17 July 2026",
        "Petra Novak saw 60 vendors within an hour",
        "Your answers have arrived: R-7F3K2M",
        "How you sign in to vendorrisk has changed",
        "A new password for vendorrisk",
        "Head of the trail, 14 July 2026: 1204:9f2c41d0b5aa7e13",
    ]


def test_one_is_one_question_and_one_minute() -> None:
    assert "Answered: 1 question\n" in letter("receipt", answered=1).text
    assert "about 1 minute)" in letter("invitation", minutes=1).text


def test_what_is_not_known_leaves_no_gap() -> None:
    text = letter("invitation", note="", to_name="", sender_phone="", sender_email="", sender_name="").text
    assert text.startswith("Acme Ltd asks you")
    assert "\n\n\n" not in text
    assert "None" not in text and "confirm" not in text


def test_a_code_is_promised_only_where_one_is_asked_for() -> None:
    message = letter("invitation", code_required=False)
    assert "You need no account. Answers" in message.text and "You need no account. Answers" in message.html
    assert "code" not in message.text


def test_a_note_keeps_its_lines() -> None:
    message = letter("invitation", note="First line.\r\nSecond line.\n\nThird.")
    assert "  First line.\n  Second line.\n  \n  Third.\n" in message.text
    assert "First line.\nSecond line.\n\nThird." in message.html


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_typed_stays_text(kind: str, nasty: str) -> None:
    typed = {name: nasty for name, value in VALUES[kind].items() if isinstance(value, str) and name not in (
        "to", "link", "zone", "sender_email", "reply_to", "digest")}  # fmt: skip
    message = letter(kind, **typed)
    plain = Words(letter(kind).html)
    shown = Words(message.html)
    assert (shown.links, shown.fetched) == (plain.links, plain.fetched)
    data = wire(message, organisation=nasty)
    head = data.split(b"\r\n\r\n", 1)[0]
    headers = {line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))}
    assert headers <= {
        b"From", b"To", b"Reply-To", b"Subject", b"Date", b"Message-ID", b"In-Reply-To", b"References",
        b"Auto-Submitted", b"X-Auto-Response-Suppress", b"MIME-Version", b"Content-Type",
    }  # fmt: skip
    assert max(len(line) for line in data.split(b"\r\n")) < 998
    mail = read(data)
    assert [address.addr_spec for address in mail["To"].addresses] == [VALUES[kind]["to"]]
    assert len(mail["Subject"]) <= 150


def test_the_wire_form_carries_both_parts_unchanged() -> None:
    message = letter("invitation", note="Zoë said: „grüß Gott“ \U0001f512")
    mail = read(wire(message))
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and html is not None
    assert text.get_content().splitlines() == message.text.splitlines()
    assert squeezed(html.get_content()) == squeezed(message.html)


def test_the_headers_say_who_writes_and_that_a_machine_does() -> None:
    mail = read(wire(letter("invitation")))
    assert mail["From"] == "Acme Ltd <risk@acme.example>"
    assert mail["To"] == "Dana Scott <dana@northwind.example>"
    assert mail["Reply-To"] == "petra@acme.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<abc.letter@acme.example>"
    assert mail["References"] == mail["In-Reply-To"] == "<def.thread@acme.example>"
    assert mail["List-Unsubscribe"] is None
    assert mail["Date"] == "Tue, 14 Jul 2026 09:30:00 +0000"


def test_a_letter_without_somebody_to_answer_has_no_reply_to() -> None:
    assert read(wire(letter("sign_in_reset")))["Reply-To"] is None


def test_a_domain_with_umlauts_is_written_in_its_ascii_form() -> None:
    assert read(wire(letter("access_code", to="dana@müller.example")))["To"] == "dana@xn--mller-kva.example"


@pytest.mark.parametrize("to", ["nobody", "@x.example", "a@", ""])
def test_an_impossible_address_is_refused_when_it_is_to_be_sent(to: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wire(letter("access_code", to=to))


def test_every_letter_has_its_templates_and_every_template_its_letter() -> None:
    folders = {path.name for path in TEMPLATES.iterdir() if path.is_dir()}
    assert folders == set(messages.LETTERS)
    for folder in folders:
        assert {path.name for path in (TEMPLATES / folder).iterdir()} == {"subject.txt", "body.txt", "body.html"}
    public = {name for name, what in vars(messages).items() if inspect.isfunction(what)
              and inspect.signature(what).return_annotation == "Message" and not name.startswith("_")}  # fmt: skip
    assert public == set(messages.LETTERS)
    assert set(messages.TITLES) == set(messages.LETTERS)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 800])
@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_fits_narrow_and_wide_screens(browser: Browser, kind: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 600}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(letter(kind, **({"note": "word" * 60} if kind == "invitation" else {})).html)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sheet = page.locator(".sheet").bounding_box()
    assert sheet is not None and sheet["width"] == min(width, 600)
    dark = page.locator(".sheet").evaluate("e => getComputedStyle(e).backgroundColor")
    assert dark == ("rgb(27, 33, 39)" if scheme == "dark" else "rgb(255, 255, 255)")
    page.close()
