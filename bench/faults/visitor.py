"""Somebody at the real service: plain HTTP with cookies, from an address of this machine's own choice, pages kept."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tests import builders


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: str
    location: str
    text: str


@dataclass
class Visitor:
    """A browser without scripts, at 127.x.y.z: limits by address are each visitor's own."""

    port: int
    address: str = "127.0.0.1"
    agent: str = "Mozilla/5.0"
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        """Look at a page."""
        return self.send("GET", path, **headers)

    def post(self, path: str, data: dict[str, str] | None = None, *, page: str = "", csrf: str = "") -> Answer:
        """Send a form; its token is taken from `page`, or is `csrf`."""
        csrf = csrf or builders.token_in(self.get(page or path).text)
        return self.send("POST", path, urlencode({"csrf_token": csrf, **(data or {})}))

    def send(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(self.address, 0))
        sent = {"User-Agent": self.agent, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if kept := "; ".join(f"{name}={value}" for (name, at), value in self.cookies.items() if path.startswith(at)):
            sent["Cookie"] = kept
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        finally:
            connection.close()
        self._keep(response)
        return Answer(response.status, str(response.headers), response.headers.get("Location", ""), text)

    def _keep(self, response: http.client.HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie") or []:
            first, *attributes = line.split(";")
            name, _, value = first.partition("=")
            at = next((a.split("=", 1)[1] for a in attributes if a.strip().lower().startswith("path=")), "/")
            self.cookies[name.strip(), at] = value


def host_of(url: str) -> str:
    """Host and port of an address."""
    return urlsplit(url).netloc
