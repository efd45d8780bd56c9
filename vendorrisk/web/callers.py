"""Where requests come from: told by the connection, or by the one proxy that is believed; the same for every server."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from flask import Flask, request

from vendorrisk.services import limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED")


def install(app: Flask, proxy: str) -> None:
    """Believe `proxy`, an IP address, about whom it speaks for; where it is "", nobody."""
    app.wsgi_app = _TrustedProxy(app.wsgi_app, proxy)  # type: ignore[method-assign]


def address() -> str:
    """What limits by address count: the network that the request comes from."""
    return limits.network(request.remote_addr or "")


class _TrustedProxy:
    """Takes the last address that the proxy names for the caller's, and what anybody else says for nothing.

    Not Werkzeug's ProxyFix: it believes every peer, keeps the port that some proxies add, and leaves the header, whose
    first address (any browser can write it) Flask-Login would tie sessions to.
    """

    def __init__(self, app: WSGIApplication, proxy: str) -> None:
        self._app = app
        self._proxy = _read(proxy)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        named = _read(environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2])
        if named and self._proxy and _read(environ.get("REMOTE_ADDR", "")) == self._proxy:
            environ["REMOTE_ADDR"] = str(named)
        for header in _FORWARDED:
            environ.pop(header, None)
        return self._app(environ, start_response)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """An address, maybe in brackets or with a port; an IPv4 address in IPv6 clothes is an IPv4 address."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return limits.plain(ip_address(text))
    except ValueError:
        return None
