"""Every view says who it is open to, every POST is protected, and addresses keep the rules of the house."""

from __future__ import annotations

import re

from flask import Flask

from vendorrisk.web import access
from vendorrisk.web.access import Audience


def views(app: Flask) -> dict[str, str]:
    """Every endpoint with one of its addresses."""
    return {rule.endpoint: str(rule) for rule in app.url_map.iter_rules()}


def test_every_view_says_who_it_is_open_to(app: Flask) -> None:
    silent = [endpoint for endpoint in views(app) if access.declared(app, endpoint) is None]
    assert silent == [], "these answer nobody: give each an access.open_to…"


def test_whoever_is_open_to_anyone_says_why(app: Flask) -> None:
    unexplained = [
        endpoint
        for endpoint in views(app)
        if (found := access.declared(app, endpoint)) and found.audience is Audience.ANYONE and len(found.reason) < 8
    ]
    assert unexplained == []


def test_whoever_is_open_to_roles_names_one(app: Flask) -> None:
    empty = [
        endpoint
        for endpoint in views(app)
        if (found := access.declared(app, endpoint)) and found.audience is Audience.ROLES and not found.roles
    ]
    assert empty == []


def test_foreign_views_are_listed_only_while_they_exist(app: Flask) -> None:
    assert set(access.FOREIGN) <= set(views(app))


def test_no_view_is_exempt_from_the_csrf_check(app: Flask) -> None:
    assert app.config["WTF_CSRF_ENABLED"] is not False
    assert not app.extensions["csrf"]._exempt_views
    assert not app.extensions["csrf"]._exempt_blueprints


def test_the_address_says_for_whom_a_page_is(app: Flask) -> None:
    rooms = {"vendor": r"/(q|respond)(/|$)", "auditor": r"/audit(/|$)", "dev": r"/dev(/|$)"}
    for endpoint, address in views(app).items():
        for room, pattern in rooms.items():
            assert (endpoint.split(".")[0] == room) == bool(re.match(pattern, address)), f"{endpoint} at {address}"


def test_addresses_are_lower_case_and_end_without_a_slash(app: Flask) -> None:
    for endpoint, address in views(app).items():
        fixed = re.sub(r"<[^>]+>", "", address)
        assert fixed == fixed.lower(), endpoint
        assert address == "/" or not address.endswith("/"), endpoint


def test_what_changes_something_is_a_post(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        assert (rule.methods or set()) <= {"GET", "HEAD", "POST"}, rule
