"""Asking ClamAV: what is clean, what was found, and what cannot be told, over real sockets of both kinds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.antivirus.clamd import EICAR, FOUND, Clamd, running
from tests.mail.server import nobody
from vendorrisk import antivirus
from vendorrisk.antivirus import Scanner, Unavailable


@pytest.fixture
def clamd() -> Clamd:
    return Clamd()


@pytest.fixture(params=["unix", "tcp"])
def scanner(clamd: Clamd, request: pytest.FixtureRequest) -> Iterator[Scanner]:
    # A Unix socket's path must be short: not pytest's folder.
    with TemporaryDirectory() as folder, running(clamd, _at(folder, request.param)) as url:
        opened = antivirus.open_scanner(url)
        assert opened is not None
        yield opened


def _at(folder: str, kind: str) -> Path | None:
    return Path(folder) / "clamd.ctl" if kind == "unix" else None


def test_a_clean_file_is_seen_whole_and_nothing_is_found(scanner: Scanner, clamd: Clamd) -> None:
    for content in (b"", b"words", os.urandom(700_000)):
        assert scanner.scan(content) == ""
        assert clamd.seen[-1] == content


def test_what_was_found_is_named(scanner: Scanner) -> None:
    assert scanner.scan(b"before " + EICAR) == FOUND


def test_a_ping_is_answered(scanner: Scanner, clamd: Clamd) -> None:
    scanner.ping()
    clamd.mood = "odd"
    with pytest.raises(Unavailable, match="UNKNOWN"):
        scanner.ping()


@pytest.mark.parametrize("mood", ["silent", "hangs up", "odd", "small"])
def test_what_cannot_be_scanned_is_not_called_clean(scanner: Scanner, clamd: Clamd, mood: str) -> None:
    clamd.mood = mood
    patient = 0.5 if mood == "silent" else scanner.seconds
    with pytest.raises(Unavailable):
        replace(scanner, seconds=patient).scan(os.urandom(3_000_000))


def test_one_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with nobody() as port:
        for gone in (Scanner(path=str(tmp_path / "no.ctl")), Scanner(host="127.0.0.1", port=port)):
            with pytest.raises(Unavailable):
                gone.scan(b"x")
            with pytest.raises(Unavailable):
                gone.ping()


def test_without_the_setting_there_is_none() -> None:
    assert antivirus.open_scanner("") is None
    assert antivirus.open_scanner("tcp:[::1]:3310") == Scanner(host="::1", port=3310)
