"""The settings of one deployment, read from the environment here and nowhere else; called by app.py and commands."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

PREFIX = "VENDORRISK_"

DEFAULTS: dict[str, str] = {
    "DATABASE": "sqlite:///var/vendorrisk.sqlite",
    "KEY_FILE": "var/keys/master.key",
    "STORAGE": "var/files",
    "BASE_URL": "http://127.0.0.1:8000",
    "ORGANISATION": "Acme Ltd",
    "MAIL": "file:var/mail",
    "MAIL_FROM": "vendorrisk@localhost",
    "BACKUPS": "",
    "HOST": "127.0.0.1",
    "PORT": "8000",
    "PROXY": "",
    "DEMO": "0",
    "ZONE": "Europe/London",
    "CLAMAV": "",
    "LOG": "info",
    "LOG_FORMAT": "text",
}
"""Every setting and what it is when nobody says otherwise. docs/reference/settings.md explains each."""

_OF_THE_TESTS = frozenset({"VENDORRISK_REQUIRE_ALL"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_LOG_LEVELS = ("debug", "info", "warning", "error")
_LOG_FORMATS = ("text", "json")


class BadSettings(Exception):
    """Settings with which the service must not start. `problems` are sentences, one for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """One deployment's settings, checked."""

    database: str
    key_file: Path
    storage: str
    backups: Path | None
    base_url: str
    organisation: str
    mail: str
    mail_from: str
    host: str
    port: int
    proxy: str
    demo: bool
    zone: str
    clamav: str
    log: str
    log_format: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check everything; raises BadSettings with all that is wrong at once."""
        reader = _Reader(environ)
        settings = cls(
            database=reader.one_of_prefixes("DATABASE", ("sqlite://", "postgresql")),
            key_file=Path(reader.text("KEY_FILE")),
            storage=reader.text("STORAGE"),
            backups=reader.optional_path("BACKUPS"),
            base_url=reader.base_url("BASE_URL"),
            organisation=reader.text("ORGANISATION"),
            mail=reader.one_of_prefixes("MAIL", ("file:", "smtp://", "smtps://")),
            mail_from=reader.address("MAIL_FROM"),
            host=reader.text("HOST"),
            port=reader.port("PORT"),
            proxy=reader.ip("PROXY"),
            demo=reader.yes_or_no("DEMO"),
            zone=reader.zone("ZONE"),
            clamav=reader.socket("CLAMAV"),
            log=reader.word("LOG", _LOG_LEVELS),
            log_format=reader.word("LOG_FORMAT", _LOG_FORMATS),
        )
        problems = reader.problems or _conflicts(settings)
        if problems:
            raise BadSettings(problems)
        return settings

    @property
    def https(self) -> bool:
        """Whether people reach the service over TLS: cookies are Secure then."""
        return self.base_url.startswith("https://")

    @property
    def trusted_hosts(self) -> list[str]:
        """The Host headers we answer to; any other could put a stranger's address into our links."""
        host = urlsplit(self.base_url).hostname or ""
        return sorted({"localhost", "127.0.0.1", "[::1]"}) if is_loopback(host) else [host]


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine."""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _conflicts(settings: Settings) -> list[str]:
    """What is wrong between settings that are each well formed."""
    problems = []
    host = urlsplit(settings.base_url).hostname or ""
    if not settings.https and not is_loopback(host):
        problems.append(
            f"VENDORRISK_BASE_URL is {settings.base_url}: links and sign-ins would travel unencrypted. "
            "Use https://, behind a proxy that ends TLS; plain http is for this machine only."
        )
    if settings.demo and not (is_loopback(host) and is_loopback(settings.host)):
        problems.append(
            "VENDORRISK_DEMO is on, with accounts whose passwords everybody knows: it may only listen on this machine "
            f"(VENDORRISK_HOST is {settings.host}, VENDORRISK_BASE_URL is {settings.base_url})."
        )
    if settings.demo and not settings.mail.startswith("file:"):
        problems.append(
            "VENDORRISK_DEMO is on: letters to made-up people must stay in a folder (VENDORRISK_MAIL=file:…)."
        )
    return problems


class _Reader:
    """Reads single settings and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []
        self._refuse_unknown()
        self._refuse_debug()

    def _refuse_unknown(self) -> None:
        known = [PREFIX + name for name in DEFAULTS]
        for name in sorted(self._environ):
            if not name.startswith(PREFIX) or name in known or name in _OF_THE_TESTS:
                continue
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            self.problems.append(f"{name} is not a setting.{hint}")

    def _refuse_debug(self) -> None:
        if self._environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no"):
            self.problems.append("FLASK_DEBUG is on: its error pages run code for whoever sees them. Unset it.")

    def _wrong(self, name: str, value: Any, what: str) -> None:
        self.problems.append(f"{PREFIX}{name} is {value!r}: {what}")

    def text(self, name: str) -> str:
        value = self._environ.get(PREFIX + name, DEFAULTS[name]).strip()
        if not value:
            self._wrong(name, value, "it must not be empty.")
        return value

    def optional_path(self, name: str) -> Path | None:
        value = self._environ.get(PREFIX + name, DEFAULTS[name]).strip()
        return Path(value) if value else None

    def word(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name).lower()
        if value not in allowed:
            self._wrong(name, value, f"it must be one of {', '.join(allowed)}.")
        return value

    def one_of_prefixes(self, name: str, prefixes: tuple[str, ...]) -> str:
        value = self.text(name)
        if not value.startswith(prefixes):
            # Not the value itself: an address may hold a password.
            self.problems.append(f"{PREFIX}{name} must start with {' or '.join(prefixes)}.")
        return value

    def yes_or_no(self, name: str) -> bool:
        return self.word(name, ("0", "1", "no", "yes", "false", "true", "off", "on")) in ("1", "yes", "true", "on")

    def port(self, name: str) -> int:
        value = self.text(name)
        if value.isascii() and value.isdigit() and len(value) <= 5 and 0 < int(value) < 65536:
            return int(value)
        self._wrong(name, value, "it must be a number from 1 to 65535.")
        return 0

    def ip(self, name: str) -> str:
        value = self._environ.get(PREFIX + name, DEFAULTS[name]).strip()
        try:
            return str(ip_address(value)) if value else ""
        except ValueError:
            self._wrong(name, value, "it must be the IP address of the proxy in front of the service.")
            return ""

    def zone(self, name: str) -> str:
        value = self.text(name)
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            self._wrong(name, value, "it is not a time zone such as Europe/London.")
        return value

    def socket(self, name: str) -> str:
        value = self._environ.get(PREFIX + name, DEFAULTS[name]).strip()
        kind, _, where = value.partition(":")
        host, _, port = where.rpartition(":")
        is_port = port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536
        if not value or (kind == "unix" and where.startswith("/")):
            return value
        if kind != "tcp" or not host or not is_port:
            self._wrong(name, value, "it must be like unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310.")
        elif not is_loopback(host.strip("[]")):
            self._wrong(name, value, "files would travel unencrypted; clamd must run on this machine.")
        return value

    def address(self, name: str) -> str:
        value = self.text(name)
        if value.count("@") != 1 or any(mark in value for mark in "\r\n ,"):
            self._wrong(name, value, "it must be one e-mail address.")
        return value

    def base_url(self, name: str) -> str:
        value = self.text(name).rstrip("/")
        try:
            parts = urlsplit(value)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
            parts = urlsplit("")
        if not fine or parts.path or parts.query or parts.fragment or parts.username:
            self._wrong(name, value, "it must be an address such as https://risk.example.com, without a path.")
        return value
