"""Victor at the vendor, with a browser of plain sockets: signs in without mail, uploads as slowly as a test wants."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests import builders
from vendorrisk.db.models import Request
from vendorrisk.services.answering import sittings
from vendorrisk.services.operating import opening
from vendorrisk.services.sending import invitations
from vendorrisk.settings import Settings

QUESTION = "remote_access"
SECTION = "sections/follow-up/remote_work"
_BOUNDARY = "----faults-7f3k2m"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; None stands for an answer that never came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class Victor:
    """Somebody who may answer one request of the service on `port`."""

    port: int
    reference: str
    cookies: dict[str, str]
    token: str = ""

    def look(self, path: str) -> Answer:
        """GET a page of the request, or any address that begins with a slash."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", self._url(path), headers={"Cookie": self._cookie()})
            return self._answer(connection.getresponse())
        finally:
            connection.close()

    def upload(self, name: str, content: bytes, *, pieces: int = 1, pause: float = 0.0) -> Answer:
        """Attach a file, its body cut into `pieces` with a pause after each. Raises OSError where the service dies."""
        self._sign_in()
        body = _multipart(name, content)
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(self._head(len(body)))
            size = -(-len(body) // pieces)
            for at in range(0, len(body), size):
                connection.sendall(body[at : at + size])
                time.sleep(pause)
            response = http.client.HTTPResponse(connection, method="POST")
            try:
                response.begin()
                return self._answer(response)
            except http.client.HTTPException as error:
                raise ConnectionError(str(error)) from error

    def remove(self, file_id: str) -> Answer:
        """Take a file back, as the page without JavaScript does."""
        self._sign_in()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        fields = f"csrf_token={self.token}&remove-file={QUESTION}:{file_id}"
        headers = {"Cookie": self._cookie(), "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request("POST", self._url(SECTION), fields, headers)
            return self._answer(connection.getresponse())
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def _sign_in(self) -> None:
        if not self.token:
            found = re.search(rb'name="csrf_token" value="([^"]+)"', self.look(SECTION).body)
            assert found, "the page has no form"
            self.token = found[1].decode()

    def _head(self, length: int) -> bytes:
        lines = (
            f"POST {self._url(f'evidence/{QUESTION}')} HTTP/1.1", f"Host: 127.0.0.1:{self.port}",
            f"Cookie: {self._cookie()}", f"X-CSRFToken: {self.token}", f"Content-Length: {length}",
            f"Content-Type: multipart/form-data; boundary={_BOUNDARY}", "Connection: close",
        )  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _url(self, path: str) -> str:
        return path if path.startswith("/") else f"/respond/{self.reference}/{path}"

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _answer(self, response: http.client.HTTPResponse) -> Answer:
        for line in response.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(response.status, dict(response.headers), response.read())


def _multipart(name: str, content: bytes) -> bytes:
    head = f'Content-Disposition: form-data; name="q-{QUESTION}-files"; filename="{name}"\r\n\r\n'
    return f"--{_BOUNDARY}\r\n{head}".encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()


def prepare(environ: dict[str, str]) -> Victor:
    """Make the database with one request, and let Victor in."""
    settings, now = Settings.from_env(environ), datetime.now(UTC)
    database = opening.database(settings)
    with database.writing() as session:
        request: Request = builders.add_request(session, now=now)
        link = invitations.find(session, builders.add_link(session, request, now=now), now=now)
        assert link is not None
        cookie = sittings.start(session, link, now=now)
        sitting = sittings.find(session, request.reference, cookie, now=now)
        sittings.introduce(session, sitting, "Victor Lang", "Head of security", now=now)
    database.close()
    return Victor(settings.port, request.reference, {"respondent": cookie})
