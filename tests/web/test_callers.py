"""Who a request is from: behind the proxy that is believed, behind anybody else, over IPv6; with every server."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask, request

import app as started
from tests import builders
from tests.application import Clock
from tests.cast import Cast
from vendorrisk import factory
from vendorrisk.services import limits
from vendorrisk.services.people import tries
from vendorrisk.services.runtime import Runtime
from vendorrisk.settings import Settings
from vendorrisk.web import callers, logs

PROXY = "10.0.0.1"
Make = Callable[[str], Flask]


@pytest.fixture
def behind(settings: Settings, runtime: Runtime, clock: Clock, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Make:
    """What gunicorn gets from app.create(), with this proxy in the environment and the test's own database."""

    def make(proxy: str) -> Flask:
        for name in [name for name in os.environ if name.startswith("VENDORRISK_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("VENDORRISK_PROXY", proxy)
        monkeypatch.setattr(logs, "configure", lambda level, form: None)
        of_tests = replace(settings, proxy=Settings.from_env(os.environ).proxy)
        monkeypatch.setattr(factory, "build_runtime", lambda told: replace(runtime, settings=of_tests))
        made = started.create()
        made.config.update(TESTING=True, CLOCK=clock)
        return made

    return make


def knock(made: Flask, number: int, peer: str, forwarded: str | None = None) -> int:
    """Try a wrong password at an account of its own; the status of the answer."""
    browser = made.test_client()
    data = {"csrf_token": builders.token_in(browser.get("/sign-in")), "email": f"n{number}@acme.example"}
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return browser.post(
        "/sign-in", data=data | {"password": "wrong"}, headers=headers, environ_base={"REMOTE_ADDR": peer}
    ).status_code  # fmt: skip


def test_behind_the_proxy_everybody_is_counted_alone(behind: Make) -> None:
    made = behind(PROXY)
    assert [knock(made, n, PROXY, f"203.0.113.{n}") for n in range(13)] == [422] * 13
    assert [knock(made, n, PROXY, f"9.9.9.{n}, 203.0.113.50") for n in range(11)] == [422] * 10 + [429], (
        "the last counts"
    )


def test_what_another_peer_claims_is_not_believed(behind: Make) -> None:
    made = behind(PROXY)
    assert [knock(made, n, "198.51.100.7", f"203.0.113.{n}") for n in range(11)] == [422] * 10 + [429]


def test_without_a_proxy_nobody_is_believed(behind: Make) -> None:
    made = behind("")
    assert [knock(made, n, PROXY, f"203.0.113.{n}") for n in range(11)] == [422] * 10 + [429]


def test_one_ipv6_customer_has_no_endless_tries(behind: Make) -> None:
    made = behind("")
    assert [knock(made, n, f"2001:db8:1:2::{n:x}") for n in range(11)] == [422] * 10 + [429]
    assert knock(made, 11, "2001:db8:1:3::1") == 422


@pytest.mark.parametrize(
    ("peer", "forwarded", "remote"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9:51234", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::9]:51234", "2001:db8::9"),
        ("10.0.0.1", "2001:db8::9", "2001:db8::9"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9,", "10.0.0.1"),
        ("10.0.0.2", "203.0.113.9", "10.0.0.2"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_address_is_what_the_proxy_says(peer: str, forwarded: str, remote: str) -> None:
    seen = []
    bare = Flask("bare")
    callers.install(bare, PROXY)

    @bare.get("/")
    def page() -> str:
        seen.append((request.remote_addr or "", request.headers.get("X-Forwarded-For")))
        return ""

    bare.test_client().get("/", headers={"X-Forwarded-For": forwarded}, environ_base={"REMOTE_ADDR": peer})
    assert seen == [(remote, None)]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:a:b:c:d", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_tries_are_counted_by_network(address: str, network: str) -> None:
    assert limits.network(address) == network


def test_a_network_is_let_in_again_by_any_of_its_addresses(runtime: Runtime, cast: Cast) -> None:
    with runtime.database.writing() as session:
        for _ in range(10):
            limits.take(session, tries.PASSWORDS_FROM, limits.network("2001:db8::1"), now=builders.NOW)
        tries.clear(session, cast.petra, "2001:db8::2")
        assert not limits.is_reached(session, tries.PASSWORDS_FROM, limits.network("2001:db8::1"), now=builders.NOW)
