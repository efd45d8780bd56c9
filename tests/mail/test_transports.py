"""Transports: a real mail server that is well, refuses, is away, slow or hangs up; the folder; the settings."""

from __future__ import annotations

import ssl
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult

from tests.mail import certificates
from tests.mail.letters import letter
from tests.mail.server import Office, nobody, running, seconds, silent
from vendorrisk.mail import envelope
from vendorrisk.mail.transports import (
    TRANSPORTS,
    FileTransport,
    MemoryTransport,
    NotNow,
    Refused,
    SmtpTransport,
    open_transport,
)
from vendorrisk.settings import BadSettings

PATIENCE = 15
"""Seconds after which a sender with a limit of 0.3 has given up on a busy machine too; our usual limit is longer."""


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def port(office: Office) -> Iterator[int]:
    with running(office) as opened:
        yield opened


def mail(kind: str = "invitation", **other: str) -> EmailMessage:
    return envelope.build(
        letter(kind, **other), organisation="Acme Ltd", mail_from="risk@acme.example", message_id="abc.letter",
        thread="def.thread", written_at=datetime(2026, 6, 30, 9, tzinfo=UTC),
    )  # fmt: skip


def to(port: int, **options: object) -> SmtpTransport:
    return SmtpTransport("127.0.0.1", port, starttls=False, **options)  # type: ignore[arg-type]


def test_a_letter_is_delivered_as_it_was_written(office: Office, port: int) -> None:
    to(port).send(mail())
    (taken,) = office.taken
    assert taken["Message-ID"] == "<abc.letter@acme.example>"
    assert taken["Subject"].startswith("Acme Ltd: Data sourcing")
    assert office.envelopes == [("risk@acme.example", ["dana@northwind.example"])]


@pytest.mark.parametrize("where", ["mail_reply", "rcpt_reply", "data_reply"])
@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("451 4.7.1 Greylisted, come back later", NotNow),
        ("452 4.2.2 Mailbox full", NotNow),
        ("421 4.3.2 Shutting down", NotNow),
        ("550 5.1.1 No such user here", Refused),
        ("554 5.7.1 Message rejected", Refused),
    ],
)
def test_4xx_means_later_and_5xx_means_never(
    office: Office, port: int, where: str, reply: str, verdict: type[Exception]
) -> None:
    setattr(office, where, reply)
    with pytest.raises(verdict) as caught:
        to(port).send(mail())
    assert str(caught.value) == reply
    assert office.taken == []


def test_a_server_that_is_away_means_later() -> None:
    with nobody() as port, pytest.raises(NotNow, match="refused"):
        to(port).send(mail())


def test_a_server_that_says_nothing_means_later_after_the_time_limit() -> None:
    begun = time.monotonic()
    with silent() as port, pytest.raises(NotNow, match="timed out"):
        to(port, timeout=0.3).send(mail())
    assert seconds(begun) < PATIENCE


def test_a_server_that_is_slow_means_later_after_the_time_limit(office: Office, port: int) -> None:
    office.pause = 60
    begun = time.monotonic()
    with pytest.raises(NotNow):
        to(port, timeout=0.3).send(mail())
    assert seconds(begun) < PATIENCE


def test_a_server_that_drips_its_answers_is_cut_off(office: Office, port: int) -> None:
    office.drip = 1
    begun = time.monotonic()
    with pytest.raises(NotNow):
        to(port, longest=0.4).send(mail())
    assert seconds(begun) < PATIENCE
    office.drip = 0.0
    to(port).send(mail())
    assert len(office.taken) == 1


@pytest.mark.parametrize("greeting", ["421 4.3.2 Too busy", "554 5.7.1 Not you"])
def test_a_server_that_does_not_want_us_just_now_means_later(office: Office, port: int, greeting: str) -> None:
    office.greeting = greeting
    with pytest.raises(NotNow, match=greeting):
        to(port).send(mail())


def test_a_connection_dropped_after_the_answer_changes_nothing(office: Office, port: int) -> None:
    office.drop_after_reply = True
    to(port).send(mail())
    assert len(office.taken) == 1


def test_a_connection_dropped_after_the_text_means_later_for_we_cannot_know(office: Office, port: int) -> None:
    office.drop_after_data = True
    with pytest.raises(NotNow):
        to(port).send(mail())
    assert len(office.taken) == 1


def test_a_name_that_cannot_be_found_means_later(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotNow, match="not known"):
        SmtpTransport("mail.invalid", 587).send(mail())


def test_without_starttls_on_offer_nothing_is_sent_in_plain(office: Office, port: int) -> None:
    with pytest.raises(NotNow, match="STARTTLS"):
        SmtpTransport("127.0.0.1", port, starttls=True).send(mail())
    assert office.taken == []


def test_a_certificate_of_a_stranger_is_not_believed(office: Office, tmp_path: Path) -> None:
    server, _ = certificates.server_and_client(tmp_path)
    with running(office, tls_context=server, require_starttls=True) as port, pytest.raises(NotNow, match="certificate"):
        SmtpTransport("127.0.0.1", port, starttls=True).send(mail())
    assert office.taken == []


def test_with_a_good_certificate_it_signs_in_and_sends(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = certificates.server_and_client(tmp_path)
    monkeypatch.setattr(ssl, "create_default_context", lambda: client)

    def check(_server: object, _session: object, _envelope: object, _mechanism: object, given: object) -> AuthResult:
        login, password = getattr(given, "login", b""), getattr(given, "password", b"")
        return AuthResult(success=(login, password) == (b"risk", b"right"), handled=False)

    options = {"tls_context": server, "require_starttls": True, "authenticator": check, "auth_required": True}
    with running(office, **options) as port:
        SmtpTransport("127.0.0.1", port, "risk", "right").send(mail())
        assert len(office.taken) == 1
        with pytest.raises(NotNow, match="signing in at the mail server: 535"):
            SmtpTransport("127.0.0.1", port, "risk", "wrong").send(mail())
    assert len(office.taken) == 1


def test_in_a_folder_a_letter_sent_twice_lies_once_and_is_ours_alone(tmp_path: Path) -> None:
    transport = open_transport(f"file:{tmp_path}/letters")
    for _ in range(2):
        transport.send(mail())
    (file,) = (tmp_path / "letters").iterdir()
    assert file.name == "20260630T090000-abc.letter.eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["To"] == "Dana Scott <dana@northwind.example>"


def test_a_folder_that_cannot_be_written_means_later() -> None:
    with pytest.raises(NotNow, match="cannot be written"):
        FileTransport(Path("/proc/nothing/letters")).send(mail())


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("smtp://u:p%40ss@mail.example:2525", SmtpTransport("mail.example", 2525, "u", "p@ss")),
        ("smtp://mail.example", SmtpTransport("mail.example", 587)),
        ("smtp://mail.example?starttls=1", SmtpTransport("mail.example", 587)),
        ("smtp://127.0.0.1:1025", SmtpTransport("127.0.0.1", 1025, starttls=False)),
        ("smtp://127.0.0.1:1025?starttls=1", SmtpTransport("127.0.0.1", 1025)),
        ("smtps://mail.example", SmtpTransport("mail.example", 465, tls=True)),
        ("file:var/mail", FileTransport(Path("var/mail"))),
        ("file:/srv/mail", FileTransport(Path("/srv/mail"))),
        ("memory:", MemoryTransport()),
    ],
)
def test_the_setting_names_the_transport(url: str, made: object) -> None:
    assert open_transport(url) == made


@pytest.mark.parametrize(
    "url",
    ["smtp://", "pigeon://loft", "smtp://secret:word@mail.example?starttls=0", "smtp://mail.example?startls=1",
     "smtp://mail.example?starttls=maybe"],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_says_so_without_its_password(url: str) -> None:
    with pytest.raises(BadSettings, match="VENDORRISK_MAIL") as caught:
        open_transport(url)
    assert "word" not in str(caught.value).replace("password", "")


def test_a_password_is_not_shown() -> None:
    assert "p@ss" not in repr(open_transport("smtp://u:p%40ss@mail.example"))


def test_a_probe_knocks_and_leaves_no_letter(office: Office, port: int, tmp_path: Path) -> None:
    to(port).probe()
    assert office.taken == []
    FileTransport(tmp_path / "mail").probe()
    assert list((tmp_path / "mail").iterdir()) == []
    MemoryTransport().probe()


def test_a_probe_says_what_a_letter_would_have_met(tmp_path: Path) -> None:
    with nobody() as port, pytest.raises(NotNow, match="refused"):
        to(port).probe()
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(NotNow, match="cannot be made"):
        FileTransport(tmp_path / "mail").probe()


def test_there_is_a_transport_for_each_scheme() -> None:
    assert set(TRANSPORTS) == {"smtp", "smtps", "file", "memory"}
