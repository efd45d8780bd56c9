"""Storage: what is put there comes back, as a whole or not at all; in a folder and in a bucket alike."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from vendorrisk.storage import STORES, AlreadyThere, Away, BadName, BadStorage, Missing, Storage, open_storage

BIG = [os.urandom(70_000) for _ in range(40)]


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each kind of storage in turn."""
    return open_storage(str(tmp_path) if request.param == "folder" else request.getfixturevalue("bucket_url"))


def test_what_is_put_comes_back(storage: Storage) -> None:
    storage.put("evidence-1", iter(BIG))
    storage.put("empty", [])
    assert b"".join(storage.get("evidence-1")) == b"".join(BIG)
    assert b"".join(storage.get("empty")) == b""


def test_a_big_file_comes_in_parts(storage: Storage) -> None:
    storage.put("evidence-1", iter(BIG))
    assert max(len(part) for part in storage.get("evidence-1")) <= 1024 * 1024


def test_a_name_is_written_once(storage: Storage) -> None:
    storage.put("evidence-1", [b"first"])
    with pytest.raises(AlreadyThere):
        storage.put("evidence-1", [b"second"])
    assert b"".join(storage.get("evidence-1")) == b"first"


def test_of_two_who_write_the_same_name_one_wins(storage: Storage) -> None:
    def attempt(number: int) -> bool:
        try:
            storage.put("race", [bytes([number]) * 200_000])
        except AlreadyThere:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(8)))
    assert won.count(True) == 1
    assert b"".join(storage.get("race")) == bytes([won.index(True)]) * 200_000


def test_what_breaks_off_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        storage.put("evidence-1", broken())
    with pytest.raises(Missing):
        storage.get("evidence-1")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_process_left_of_writing_is_deleted_with_the_name(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from vendorrisk.storage import open_storage\n"
        "def parts():\n"
        "    yield b'half' * 100_000\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "open_storage(sys.argv[1]).put('evidence-1', parts())\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parents[2], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    storage = open_storage(str(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] != []
    with pytest.raises(Missing):
        storage.get("evidence-1")
    storage.delete("evidence-1")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_who_is_still_writing_when_the_name_is_deleted_cannot_bring_it_back(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path))

    def parts() -> Iterator[bytes]:
        yield b"half"
        storage.delete("evidence-1")
        yield b"the rest"

    with pytest.raises(FileNotFoundError):
        storage.put("evidence-1", parts())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_is_not_there_is_missing_at_once(storage: Storage) -> None:
    with pytest.raises(Missing):
        storage.get("nothing")


def test_deleting_twice_is_fine(storage: Storage) -> None:
    storage.put("evidence-1", [b"x"])
    storage.delete("evidence-1")
    storage.delete("evidence-1")
    with pytest.raises(Missing):
        storage.get("evidence-1")


@pytest.mark.parametrize("name", ["../etc/passwd", "a/b", "", "A", ".hidden", "a\n", "x" * 81, "ü", "a\0b"])
def test_names_that_are_not_ours_are_refused(storage: Storage, name: str) -> None:
    for call in (lambda: storage.put(name, [b"x"]), lambda: storage.get(name), lambda: storage.delete(name)):
        with pytest.raises(BadName):
            call()


def test_a_probe_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    storage.probe()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_has_gone_bad_says_so(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "files"))
    (tmp_path / "files").rmdir()
    (tmp_path / "files").write_text("in the way")
    with pytest.raises(BadStorage, match="cannot be written"):
        storage.probe()


def test_a_bucket_that_does_not_answer_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    storage = open_storage("s3://bucket?endpoint=http://127.0.0.1:1&region=us-east-1")
    for call in (lambda: storage.put("evidence-1", [b"x"]), lambda: storage.get("evidence-1")):
        with pytest.raises(Away, match="does not answer") as told:
            call()
        assert not told.value.is_full
    with pytest.raises(BadStorage, match="cannot be written"):
        storage.probe()


def test_a_bucket_that_is_not_there_is_no_lost_file(bucket_url: str) -> None:
    storage = open_storage(bucket_url.replace("s3://bucket", "s3://no-bucket"))
    for call in (storage.get, storage.delete, lambda name: storage.put(name, [b"x"])):
        with pytest.raises(Away, match="there is no such bucket"):
            call("evidence-1")
    with pytest.raises(BadStorage, match="cannot be written"):
        storage.probe()


def test_a_bucket_that_breaks_off_in_the_middle_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    with _answering(200, b"half", length=100) as endpoint:
        chunks = open_storage(f"s3://bucket?endpoint={endpoint}&region=us-east-1").get("evidence-1")
        with pytest.raises(Away):
            list(chunks)


def test_a_bucket_without_room_says_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    with _answering(507, b"<Error><Code>XMinioStorageFull</Code></Error>") as endpoint:
        storage = open_storage(f"s3://bucket?endpoint={endpoint}&region=us-east-1")
        with pytest.raises(Away) as told:
            storage.put("evidence-1", [b"x"])
    assert told.value.is_full


@contextmanager
def _answering(status: int, body: bytes, *, length: int | None = None) -> Iterator[str]:
    """A server that always says the same; less than it has promised where `length` is more."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(body)))
            self.send_header("Last-Modified", "Wed, 25 Nov 2026 12:00:00 GMT")
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_files_and_folders_are_the_services_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        open_storage(str(tmp_path / "files")).put("evidence-1", [b"x"])
    finally:
        os.umask(old)
    for path in (tmp_path / "files").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE((tmp_path / "files").stat().st_mode) == 0o700


def test_a_folder_may_be_named_as_a_url_too(tmp_path: Path) -> None:
    open_storage(f"file:{tmp_path}/with%20space").put("evidence-1", [b"x"])
    assert (tmp_path / "with space").is_dir()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/x", "no storage for ftp"),
        ("s3://", "s3://bucket"),
        ("s3://bucket?colour=red", "s3://bucket"),
        ("/proc/nothing/here", "cannot be written"),
    ],
)
def test_a_storage_that_cannot_be_used_says_so(url: str, said: str) -> None:
    with pytest.raises(BadStorage, match=said):
        open_storage(url)


def test_there_is_a_store_for_each_scheme_that_the_messages_name() -> None:
    assert set(STORES) == {"", "file", "s3"}
