"""Words typed into every field lie nowhere plain, and once their vendor is erased no old backup gives them back."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import canaries
from tests.application import Clock
from tests.canaries import Canaries, Planted
from tests.databases import MASTER
from tests.web import vendor_visits
from vendorrisk.db import engine, vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Evidence, Report
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.services.casework import assessments
from vendorrisk.services.casework import intake as intakes
from vendorrisk.services.operating import backup_keys, backups, erasure, restoring
from vendorrisk.services.reporting import reports
from vendorrisk.services.runtime import Runtime
from vendorrisk.services.sending import request_sheets
from vendorrisk.storage import open_storage
from vendorrisk.web import logs

REASON = "The contract has ended, and they asked us to."


@pytest.fixture
def words() -> Canaries:
    return Canaries()


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of this test."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[Path]:
    """Everything that is logged meanwhile, at the level debug, SQL with its parameters too."""
    path = tmp_path / "service.log"
    root, handler = logging.getLogger(), logging.FileHandler(path)
    level, before, statements = root.level, list(root.handlers), logging.getLogger("sqlalchemy.engine")
    logs.configure("debug")
    statements.setLevel(logging.INFO)
    root.addHandler(handler)
    yield path
    handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    statements.setLevel(logging.NOTSET)


@pytest.fixture
def planted(app: Flask, runtime: Runtime, petra: FlaskClient, words: Canaries, clock: Clock, scratch: Path) -> Planted:
    database = runtime.database

    def token(_request: str) -> str:
        (letter,) = vendor_visits.letters(database, "invitation")
        return str(letter["text"].split("/q/")[1].split()[0])

    def made(reference: str) -> None:
        with database.reading() as session:
            report = session.scalars(select(Report.id).where(Report.reference == reference)).one()
        reports.make(database, runtime.storage, report, now=clock.now)

    return canaries.plant(
        petra, app.test_client(), words, token=token, code=lambda: vendor_visits.codes(database)[-1], now=clock.now,
        made=made,
    )  # fmt: skip


def everything(runtime: Runtime, *more: Path) -> list[Path]:
    """Every file that the service has written: database, WAL, stored files, and `more`."""
    database = Path(str(runtime.database.engine.url.database))
    folders = [Path(runtime.settings.storage), *more]
    return [*database.parent.glob(f"{database.name}*"), *(p for f in folders for p in f.rglob("*") if p.is_file())]


def test_what_is_typed_lies_nowhere_plain_and_an_erased_vendor_is_gone_from_old_backups(
    runtime: Runtime, petra: FlaskClient, planted: Planted, words: Canaries, tmp_path: Path, scratch: Path, log: Path,
    clock: Clock,
) -> None:  # fmt: skip
    old = backups.make(runtime.database, runtime.storage, tmp_path / "backups", by=SYSTEM, now=clock.now)
    assert canaries.readable(words, shown_of(petra, runtime.database, planted)) == set(canaries.WHERE), "planted"
    assert hash_of_file(runtime.database) == hashlib.sha256(canaries.content(words)).hexdigest(), "it is looked for"
    files = everything(runtime, tmp_path / "backups", scratch)
    assert any(path.name.endswith("-wal") and path.stat().st_size for path in files), "the log is there to be looked at"
    assert "INSERT INTO vendors" in log.read_text()
    assert canaries.traces(words, [*files, log]) == []

    assert canaries.opened(runtime.database) > 30
    backing_up = replace(runtime, settings=replace(runtime.settings, backups=tmp_path / "backups"))
    with runtime.database.writing() as session:
        erasure.erase(session, planted.vendor, REASON, by=SYSTEM, now=clock.advance(hours=1))
    assert erasure.sweep(backing_up, now=clock.now) == []
    assert canaries.opened(runtime.database) == 0
    restored = restore(old.path, tmp_path, clock, erased=planted.vendor)
    assert canaries.opened(restored) == 0
    with restored.reading() as session, pytest.raises(vault.Erased):
        request_sheets.show(session, planted.request)
    restored.close()


def hash_of_file(database: Database) -> str:
    """The hash of the only file, opened."""
    with database.reading() as session:
        return vault.open_optional(session, session.scalars(select(Evidence.sha256)).one(), context="evidence.sha256")


def shown_of(petra: FlaskClient, database: Database, planted: Planted) -> list[str]:
    """What staff can read of the case: pages, the file of evidence, and the intake as stored (it has no page later)."""
    case = f"/assessments/{planted.case}"
    pages = [f"/vendors/{planted.vendor}", case, f"{case}/decision", f"/requests/{planted.request}"]
    pages += [f"{case}/answers?q={code}" for code in canaries.ANSWERED]
    pages += [f"{case}/trail?page={number}" for number in (1, 2)]
    shown = [petra.get(page).text for page in pages]
    (file,) = {found for page in shown for found in re.findall(rf"{case}/evidence/[0-9a-f-]+", page)}
    with database.reading() as session:
        row, _ = assessments.get(session, planted.case)
        intake = intakes.answers(session, row, intakes.questionnaire(session, row))
    return [*shown, petra.get(file).text, repr(intake)]


def restore(archive: Path, folder: Path, clock: Clock, *, erased: str) -> Database:
    """Bring the old backup back with the keyring of today."""
    keyring = backup_keys.read(archive.parent / backup_keys.NAME, [MASTER])
    url, storage = f"sqlite:///{folder}/restored.sqlite", open_storage(str(folder / "restored"))
    done = restoring.restore(archive, keyring, url, storage, by=SYSTEM, now=clock.now)
    assert done.erased == (erased,)
    return Database(engine.make_engine(url), MASTER)


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize(
    "written",
    [bytes, base64.b64encode, lambda plain: plain.hex().encode(), lambda plain: plain.decode().encode("utf-16-le")],
)
def test_traces_are_found_where_there_are_some(
    words: Canaries, tmp_path: Path, before: bytes, written: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "leak"
    path.write_bytes(b"\x00" + written(before + words["alias"].encode() + b" and more"))
    assert canaries.traces(words, [path]) == ["alias in leak"]


@pytest.mark.parametrize("written", [bytes.fromhex, str.encode, lambda text: text.upper().encode()])
def test_the_hash_of_the_file_is_found_where_it_lies(
    words: Canaries, tmp_path: Path, written: Callable[[str], bytes]
) -> None:
    path = tmp_path / "leak"
    path.write_bytes(b"\x00" + written(hashlib.sha256(canaries.content(words)).hexdigest()) + b"\x00")
    assert canaries.traces(words, [path]) == ["hash of a file in leak"]
