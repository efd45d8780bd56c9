"""What the real web server takes in over real connections: how much of it, where, and what it says to the rest."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from waitress import wasyncore

from vendorrisk.settings import Settings
from vendorrisk.web import bodies, incoming, server

MB = 1024 * 1024
UPLOAD = "/respond/R-NOTHING/evidence/question"
Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(app: Flask, settings: Settings) -> Iterator[Connect]:
    """Opens connections to the server as `serve` starts it; they are closed in the end."""
    listening: Any = server.listen(app, replace(settings, port=0))
    thread = threading.Thread(target=listening.run, daemon=True)
    thread.start()
    opened: list[socket.socket] = []

    def one() -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", listening.effective_port), timeout=20))
        return opened[-1]

    yield one
    for connection in opened:
        connection.close()
    listening.task_dispatcher.shutdown()
    listening.trigger.pull_trigger(lambda: wasyncore.close_all(listening._map))
    thread.join(5)
    assert not thread.is_alive()


def begin(connection: socket.socket, path: str, *headers: str) -> None:
    """Send the head of a POST."""
    kind = "Content-Type: application/x-www-form-urlencoded"
    lines = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", kind, "Connection: close", *headers)
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())


def answer(connection: socket.socket) -> str:
    """Everything that comes until the server closes."""
    parts = []
    while part := connection.recv(MB):
        parts.append(part)
    return b"".join(parts).decode()


def status(connection: socket.socket) -> int:
    """The status of the answer."""
    return int(answer(connection).split()[1])


def holds(size: int) -> bool:
    """Whether the server comes to hold just so much."""
    until = time.monotonic() + 10
    while bodies.held.bytes != size and time.monotonic() < until:
        time.sleep(0.01)
    return bodies.held.bytes == size


def test_where_no_files_go_a_large_body_is_refused_before_it_comes(connect: Connect) -> None:
    connections = [connect() for _ in range(12)]
    for connection in connections:
        begin(connection, "/nowhere", f"Content-Length: {26 * MB}")
    assert [status(connection) for connection in connections] == [413] * 12


def test_who_asks_first_is_not_told_to_send_it(connect: Connect) -> None:
    connection = connect()
    begin(connection, "/sign-in", f"Content-Length: {26 * MB}", "Expect: 100-continue")
    assert answer(connection).startswith("HTTP/1.1 413 ")


@pytest.mark.parametrize(("path", "most"), [("/nowhere", incoming.MAX_FIELDS), (UPLOAD, incoming.MAX_BODY)])
def test_a_body_without_a_length_is_cut_off_where_it_gets_too_large(connect: Connect, path: str, most: int) -> None:
    connection, limit = connect(), most + bodies.SLACK
    begin(connection, path, "Transfer-Encoding: chunked")
    head = f"{100 * MB:x}\r\n".encode()
    connection.sendall(head + b"a" * (limit - len(head)))
    assert holds(limit)
    connection.sendall(b"a")
    assert status(connection) == 413
    assert holds(0)


def test_what_a_form_may_hold_reaches_the_application(connect: Connect) -> None:
    for path, size in (("/sign-in", incoming.MAX_FIELDS), (UPLOAD, incoming.MAX_FIELDS), ("/sign-in", 10)):
        connection = connect()
        begin(connection, path, f"Content-Length: {size}")
        connection.sendall(b"a=" + b"a" * (size - 2))
        assert status(connection) == 400, "the application misses its token"
    connection = connect()
    begin(connection, "/sign-in", f"Content-Length: {incoming.MAX_FIELDS + 1}")
    connection.sendall(b"a" * (incoming.MAX_FIELDS + 1))
    assert "That is too large" in answer(connection)
    assert holds(0)


def test_the_application_itself_takes_no_files_elsewhere_whatever_the_server(client: FlaskClient) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    body = head + b"a" * incoming.MAX_FIELDS + b"\r\n--b--\r\n"
    for path, status in (("/sign-in", 413), (UPLOAD, 400)):
        sent = client.post(path, data=body, content_type="multipart/form-data; boundary=b")
        assert sent.status_code == status


def test_all_large_bodies_together_find_so_much_room_and_small_ones_always_more(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "ROOM", MB)
    first, second, small = connect(), connect(), connect()
    begin(first, UPLOAD, f"Content-Length: {26 * MB}")
    first.sendall(b"a" * MB)
    assert holds(MB)
    begin(second, UPLOAD, f"Content-Length: {26 * MB}")
    second.sendall(b"a" * bodies.ALWAYS)
    second.sendall(b"a")
    refused = answer(second)
    assert refused.startswith("HTTP/1.1 503 ")
    assert "Retry-After: 5" in refused
    begin(small, "/sign-in", f"Content-Length: {bodies.ALWAYS}")
    small.sendall(b"a" * bodies.ALWAYS)
    assert status(small) == 400
    assert holds(MB)
    first.close()
    assert holds(0), "a body that broke off is let go"
    third = connect()
    begin(third, UPLOAD, f"Content-Length: {MB}")
    third.sendall(b"a" * MB)
    assert status(third) == 400
    assert holds(0)
