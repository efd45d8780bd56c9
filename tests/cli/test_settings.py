"""The settings: what is refused, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from vendorrisk.settings import DEFAULTS, BadSettings, Settings, is_loopback


def refused(**told: str) -> list[str]:
    """The complaints about these settings."""
    with pytest.raises(BadSettings) as caught:
        Settings.from_env({f"VENDORRISK_{name}": value for name, value in told.items()})
    return caught.value.problems


def test_without_any_setting_the_service_runs_on_this_machine() -> None:
    settings = Settings.from_env({})
    assert (settings.host, settings.port, settings.demo, settings.https) == ("127.0.0.1", 8000, False, False)
    assert set(DEFAULTS) == {name.upper() for name in Settings.__dataclass_fields__}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "0", "a number from 1 to 65535"),
        ("PORT", "65536", "a number from 1 to 65535"),
        ("PORT", "80 80", "a number from 1 to 65535"),
        ("PORT", "٨٠٨٠", "a number from 1 to 65535"),
        ("BASE_URL", "risk.example.com", "must be an address such as"),
        ("BASE_URL", "https://risk.example.com/app", "without a path"),
        ("BASE_URL", "https://user@risk.example.com", "must be an address such as"),
        ("BASE_URL", "https://[::1", "must be an address such as"),
        ("BASE_URL", "http://risk.example.com", "would travel unencrypted"),
        ("CLAMAV", "clamd.ctl", "must be like unix:/run/clamav/clamd.ctl"),
        ("CLAMAV", "unix:clamd.ctl", "must be like unix:/run/clamav/clamd.ctl"),
        ("CLAMAV", "tcp:127.0.0.1", "must be like unix:/run/clamav/clamd.ctl"),
        ("CLAMAV", "tcp:127.0.0.1:0", "must be like unix:/run/clamav/clamd.ctl"),
        ("CLAMAV", "tcp:192.0.2.1:3310", "would travel unencrypted"),
        ("DATABASE", "mysql://somewhere", "must start with sqlite:// or postgresql"),
        ("MAIL", "gopher://x", "must start with file:"),
        ("MAIL_FROM", "nobody", "must be one e-mail address"),
        ("MAIL_FROM", "a@b.example\nBcc: c@d.example", "must be one e-mail address"),
        ("ZONE", "Europe/Atlantis", "not a time zone"),
        ("ZONE", "../../etc/passwd", "not a time zone"),
        ("DEMO", "perhaps", "must be one of"),
        ("LOG", "shout", "must be one of debug"),
        ("PROXY", "proxy.example", "the IP address of the proxy"),
        ("ORGANISATION", " ", "must not be empty"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(name: str, value: str, says: str) -> None:
    (problem,) = refused(**{name: value})
    assert says in problem
    assert f"VENDORRISK_{name}" in problem


def test_a_password_in_an_address_is_not_repeated() -> None:
    assert "hunter2" not in str(refused(DATABASE="mysql://u:hunter2@host", MAIL="imap://u:hunter2@host"))


def test_a_setting_that_does_not_exist_is_refused_with_a_guess() -> None:
    assert refused(BASEURL="http://127.0.0.1") == [
        "VENDORRISK_BASEURL is not a setting. Did you mean VENDORRISK_BASE_URL?"
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"HOST": "0.0.0.0"},
        {"HOST": "192.0.2.1"},
        {"BASE_URL": "https://risk.example.com"},
        {"MAIL": "smtp://mail.example"},
    ],
)
def test_the_demonstration_stays_on_this_machine_and_mails_nobody(told: dict[str, str]) -> None:
    (problem,) = refused(DEMO="1", **told)
    assert problem.startswith("VENDORRISK_DEMO is on")


def test_behind_tls_only_its_own_name_is_trusted() -> None:
    settings = Settings.from_env({"VENDORRISK_BASE_URL": "https://risk.example.com/"})
    assert settings.https
    assert settings.base_url == "https://risk.example.com"
    assert settings.trusted_hosts == ["risk.example.com"]


def test_variables_of_others_are_none_of_our_business() -> None:
    Settings.from_env({"PATH": "/bin", "VENDOR": "x", "VENDORRISK_REQUIRE_ALL": "1", "FLASK_DEBUG": "0"})


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("localhost.evil.example", False),
     ("0.0.0.0", False), ("::", False), ("", False)],
)  # fmt: skip
def test_loopback_is_this_machine_only(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_every_setting_stands_in_the_reference_with_its_default() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    for name, default in DEFAULTS.items():
        shown = f"`{default}`" if default else "*(none)*"
        assert f"| `VENDORRISK_{name}` | {shown} |" in reference
