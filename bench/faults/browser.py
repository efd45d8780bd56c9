"""A browser without a screen for a real service: `get` and `post` as Flask's test client has them, over HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import EnvironBuilder


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status_code, self.headers, self.data = status, headers, data

    @property
    def text(self) -> str:
        """The body as text."""
        return self.data.decode("utf-8", "replace")

    @property
    def location(self) -> str:
        """Where a redirect leads, without the host."""
        parts = urlsplit(self.headers.get("Location", ""))
        return parts.path + (f"?{parts.query}" if parts.query else "")


class Browser:
    """Keeps cookies, follows nothing by itself."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    def get(self, url: str) -> Answer:
        """Fetch a page."""
        return self._send("GET", url, b"", {})

    def post(self, url: str, *, data: Mapping[str, Any], content_type: str | None = None) -> Answer:
        """Send a form; files are (stream, name), lists are several values of one field."""
        made = EnvironBuilder(method="POST", data=dict(data), content_type=content_type).get_environ()
        return self._send("POST", url, made["wsgi.input"].read(), {"Content-Type": str(made["CONTENT_TYPE"])})

    def _send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        try:
            connection.request(method, url, body or None, headers)
            got = connection.getresponse()
            answer = Answer(got.status, dict(got.getheaders()), got.read())
            for name, value in got.getheaders():
                if name.lower() == "set-cookie":
                    self._keep(value)
        finally:
            connection.close()
        return answer

    def _keep(self, header: str) -> None:
        for name, morsel in SimpleCookie(header).items():
            self._cookies[name] = morsel.value
