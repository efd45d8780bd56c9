"""Keys under fire: a rotation that is killed again and again, canaries in a real service, a backup of 10,000 cases."""

from __future__ import annotations

import hashlib
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bench.faults import service
from bench.faults.browser import Browser
from bench.faults.counts import Count
from bench.faults.postgres import Postgres
from bench.faults.service import Service
from tests import builders, canaries
from tests.canaries import Canaries, Planted
from tests.web import vendor_visits
from vendorrisk.crypto import CannotOpen
from vendorrisk.db import dump, vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Answer, Assessment, Contact, DataKey, Evidence, Request, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, Origin, RequestStatus
from vendorrisk.domain.audit import SYSTEM, EventKind
from vendorrisk.library import shipped
from vendorrisk.services import audit, copies
from vendorrisk.services.operating import keys, opening
from vendorrisk.services.people import accounts, factors
from vendorrisk.settings import Settings
from vendorrisk.storage import Storage, open_storage, sealed

ROWS = 10_000
KILLS, KILLS_AT_THE_END = 8, 12
CASES, ANSWERS_A_CASE, EVENTS_A_CASE, FILES = 10_000, 20, 5, 1_000
BACKUP_SECONDS = 120
_PASSWORD = "correct horse battery"


def counts() -> Iterable[Count]:
    """All of it; some minutes."""
    yield from rotation()
    yield from rotation_ends()
    yield from leaks()
    yield from ten_thousand()


def _command(environ: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vendorrisk", *words], cwd=service.ROOT, env={"PATH": "/usr/bin:/bin", **environ},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def _run(environ: dict[str, str], *words: str) -> str:
    process = _command(environ, *words)
    out, err = process.communicate(timeout=600)
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)}: {process.returncode}\n{err[-2000:]}")
    return out + err


@contextmanager
def _deployment(database: str = "") -> Iterator[tuple[Path, dict[str, str]]]:
    """A deployment that is set up, on SQLite where no other database is named."""
    with tempfile.TemporaryDirectory(prefix="vendorrisk-keys-") as name:
        folder = Path(name)
        environ = service.environment(folder, port=service.free_port())
        environ["VENDORRISK_BACKUPS"] = str(folder / "backups")
        if database:
            environ["VENDORRISK_DATABASE"] = database
        _run(environ, "setup")
        for who, role in (("petra", "staff"), ("adam", "admin")):
            adding = subprocess.run(
                [sys.executable, "-m", "vendorrisk", "user", "add", f"{who}@acme.example", "--name", who.title(),
                 "--role", role, "--password-stdin"],
                cwd=service.ROOT, env={"PATH": "/usr/bin:/bin", **environ}, input=_PASSWORD, text=True,
                capture_output=True, check=False,
            )  # fmt: skip
            if adding.returncode:
                raise RuntimeError(adding.stderr)
        yield folder, environ


def _elsewhere(folder: Path, environ: dict[str, str], database: str = "") -> dict[str, str]:
    url, files = database or f"sqlite:///{folder}/restored.sqlite", str(folder / "restored")
    return environ | {"VENDORRISK_DATABASE": url, "VENDORRISK_STORAGE": files}


def _signed_in(running: Service, who: str) -> Browser:
    browser, database = Browser(running.port), opening.database(Settings.from_env(running.environ))
    with database.writing() as session:
        user = accounts.find(session, f"{who}@acme.example")
        assert user is not None
        factors.keep_app(session, user.id, builders.APP_SECRET)
    builders.sign_in(browser, database, user, datetime.now(UTC), _PASSWORD)
    database.close()
    return browser


# ---------------------------------------------------------------- rotation


def rotation() -> Iterator[Count]:
    """Kill `keys rotate` at random moments while the service runs; then let it finish and open everything."""
    chance = random.Random(7)
    with _deployment() as (folder, environ):
        names = _fill_with_vendors(opening.database(Settings.from_env(environ)))
        (old,) = keys.load(Path(environ["VENDORRISK_KEY_FILE"]))
        running = Service(environ, log=folder / "service.log")
        running.start()
        petra, kills, away = _signed_in(running, "petra"), 0, 0
        while kills < KILLS:
            kills += _killed(environ, chance)
            away += petra.get("/vendors").status_code != 200
            away += builders.post(petra, "/vendors/new", {"name": f"Meanwhile {kills}"}).status_code != 303
        left = _on(Settings.from_env(environ), old.id)
        _run(environ, "keys", "rotate")
        away += petra.get("/vendors").status_code != 200
        running.stop()
        held = keys.load(Path(environ["VENDORRISK_KEY_FILE"]))
        database = opening.database(Settings.from_env(environ))
        wrong = _unreadable(database, names)
        more = f"{kills} times kill -9, {left} rows left after the last"
        yield Count("data keys open after a rotation that was killed", len(names), wrong, more)
        with database.reading() as session:
            rows = session.scalar(select(func.count()).select_from(DataKey)) or 0
        on_old = _on(Settings.from_env(environ), old.id)
        yield Count("data keys on the old master key, which the key file has forgotten", rows, on_old + len(held) - 1)
        yield Count("pages of the running service during the rotation", 2 * kills + 1, away)


def rotation_ends() -> Iterator[Count]:
    """Kill `keys rotate` again and again just as it ends, between rows, keyring and key file; a backup opens always."""
    chance = random.Random(8)
    with _deployment() as (_folder, environ):
        archive = _run(environ, "backup").split()[0]
        shut = under_way = 0
        for _ in range(KILLS_AT_THE_END):
            process = _command(environ, "keys", "rotate")
            assert process.stderr is not None
            # Until all rows are wrapped, or until it says that it goes on with "the change of the master key": what is
            # left then takes some milliseconds.
            while (line := process.stderr.readline()) and " of " not in line:
                continue
            time.sleep(chance.uniform(0, 0.01))
            process.kill()
            process.communicate()
            under_way += len(keys.load(Path(environ["VENDORRISK_KEY_FILE"]))) > 1
            shut += _command(environ, "backup", "--verify", archive).wait() != 0
        _run(environ, "keys", "rotate")
        shut += _command(environ, "backup", "--verify", archive).wait() != 0
        more = f"{under_way} of the kills came before the old key was forgotten"
        yield Count("tries to open a backup after a rotation was killed at its end", KILLS_AT_THE_END + 1, shut, more)


def _fill_with_vendors(database: Database) -> dict[str, str]:
    """Vendors with a name each and nothing else; by reference."""
    names = {f"V-{number:05d}": f"Vendor {secrets.token_hex(4)}" for number in range(ROWS)}
    now = datetime.now(UTC)
    with database.writing() as session:
        master = vault.current_master(session)
        for reference, name in names.items():
            key_id, key = uuid4(), secrets.token_bytes(32)
            wrapped = master.wrap(key_id, key)
            session.add(DataKey(id=key_id, purpose="vendor", wrapped=wrapped, master_id=master.id, created_at=now))
            vault.keyring(session).unwrapped[key_id] = key
            sealed_name = vault.seal_text(session, key_id, name, context="vendor.name")
            session.add(Vendor(reference=reference, key_id=key_id, name=sealed_name, active_at=now, created_at=now))
    database.close()
    return names


def _killed(environ: dict[str, str], chance: random.Random) -> int:
    """Start the rotation and kill it after some batches and a moment; 1, or 0 where it was through before."""
    process = _command(environ, "keys", "rotate")
    assert process.stderr is not None
    for _ in range(1 + chance.randrange(4)):  # one line as it begins, one for each batch
        process.stderr.readline()
    time.sleep(chance.uniform(0, 0.05))
    over = process.poll() is not None
    process.kill()
    process.communicate()
    if over:
        raise RuntimeError("the rotation was through before it could be killed: more rows are needed")
    return 1


def _on(settings: Settings, master_id: str) -> int:
    database = opening.database(settings)
    with database.reading() as session:
        found = session.scalar(select(func.count()).select_from(DataKey).where(DataKey.master_id == master_id)) or 0
    database.close()
    return found


def _unreadable(database: Database, names: dict[str, str]) -> int:
    wrong = 0
    with database.reading() as session:
        rows = session.scalars(select(Vendor)).all()
        vault.preload(session, [vendor.key_id for vendor in rows if vendor.reference in names])
        found = {}
        for vendor in rows:
            try:
                found[vendor.reference] = vault.open_text(session, vendor.name, context="vendor.name")
            except (CannotOpen, vault.Erased):
                wrong += 1
    return wrong + sum(found.get(reference) != name for reference, name in names.items())


# ---------------------------------------------------------------- canaries


def leaks() -> Iterator[Count]:
    """Type canaries into every field of a running service that logs all it can, look for them, erase, restore."""
    with _deployment() as (folder, environ):
        environ |= {"VENDORRISK_LOG": "debug", "TMPDIR": str(folder / "scratch")}
        (folder / "scratch").mkdir()
        running, words = Service(environ, log=folder / "service.log"), Canaries()
        running.start()
        database = opening.database(Settings.from_env(environ))
        planted = _plant(running, database, words)
        archive = Path(_run(environ, "backup").split()[0])
        # Letters in a folder are plain by their nature: they stand for those that have left for the mail server.
        files = [path for path in folder.rglob("*") if path.is_file() and folder / "mail" not in path.parents]
        found = canaries.traces(words, files)
        kinds = ", ".join(sorted({path.suffix.lstrip(".") or path.name for path in files if path.parent == folder}))
        yield Count("canaries in files of the service", len(words.words), len(found), f"{len(files)} files: {kinds}")
        mailed = canaries.traces(words, (folder / "mail").glob("*.eml"))
        yield Count("canaries that the search finds where they are plain (letters)", 1, not mailed, f"{len(mailed)}")
        yield from _erased(folder, environ, running, planted, archive, database)


def _plant(running: Service, database: Database, words: Canaries) -> Planted:
    def token(_request: str) -> str:
        (letter,) = vendor_visits.letters(database, "invitation")
        return str(letter["text"].split("/q/")[1].split()[0])

    def made(reference: str) -> None:
        for _ in range(600):
            if "Download the PDF" in staff.get(f"/reports/{reference}").text:
                return
            time.sleep(0.2)
        raise RuntimeError("the report was not made")

    staff = _signed_in(running, "petra")
    return canaries.plant(
        staff, Browser(running.port), words, token=token, code=lambda: vendor_visits.codes(database)[-1],
        now=datetime.now(UTC), made=made,
    )  # fmt: skip


def _erased(
    folder: Path, environ: dict[str, str], running: Service, planted: Planted, archive: Path, database: Database
) -> Iterator[Count]:
    before = canaries.opened(database)
    adam = _signed_in(running, "adam")
    form = {"reference": planted.vendor, "reason": "The contract has ended, and they asked us to."}
    answer = builders.post(adam, f"/vendors/{planted.vendor}/erase", form)
    left = canaries.opened(database) if answer.status_code == 303 else before
    yield Count("sealed values that open once the vendor is erased", before, left)
    running.stop()
    elsewhere = _elsewhere(folder, environ)
    said = _run(elsewhere, "restore", str(archive))
    restored = opening.database(Settings.from_env(elsewhere))
    named = planted.vendor in said
    yield Count(
        "of those in the old backup, with today's keyring and key", before, canaries.opened(restored) + (not named)
    )
    restored.close()


# ---------------------------------------------------------------- 10,000 cases


def ten_thousand() -> Iterator[Count]:
    """Back 10,000 assessments up and restore them, on both databases; every row and file is compared."""
    yield from _ten_thousand_on("SQLite")
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder) / "pg") as server:
        yield from _ten_thousand_on("PostgreSQL", server.add("cases"), server.add("restored"))


def _ten_thousand_on(kind: str, url: str = "", other_url: str = "") -> Iterator[Count]:
    with _deployment(url) as (folder, environ):
        database = opening.database(Settings.from_env(environ))
        _fill_with_cases(database, environ)
        begun = time.perf_counter()
        archive = Path(_run(environ, "backup").split()[0])
        backed_up = time.perf_counter() - begun
        elsewhere = _elsewhere(folder, environ, other_url)
        begun = time.perf_counter()
        _run(elsewhere, "restore", str(archive))
        restoring = time.perf_counter() - begun
        restored = opening.database(Settings.from_env(elsewhere))
        rows, wrong = _differences(database, restored, folder)
        size = archive.stat().st_size / 1e6
        more = f"backup {backed_up:.1f} s with its check, restore {restoring:.1f} s, {size:.0f} MB, {FILES} files"
        yield Count(f"rows and files of {CASES:,} assessments that came back otherwise on {kind}", rows, wrong, more)
        late = backed_up + restoring > BACKUP_SECONDS
        yield Count(f"backup and restore of {CASES:,} assessments in {BACKUP_SECONDS} s on {kind}", 1, late)
        database.close()
        restored.close()


def _fill_with_cases(database: Database, environ: dict[str, str]) -> None:
    """Written without the services, which would take an hour; sealed as they seal."""
    now = datetime.now(UTC)
    storage = open_storage(environ["VENDORRISK_STORAGE"])
    for first in range(0, CASES, 500):
        with database.writing() as session:
            digest = copies.keep(session, builders.tiny(), now=now)
            rules = copies.keep_rules(session, shipped.load().rules, now=now)
            for number in range(first, first + 500):
                request, key_id = _add_case(session, number, digest, rules, now)
                _add_answers(session, request, key_id, now)
                if number < FILES:
                    _add_file(session, storage, request, key_id, now)


def _add_case(session: Session, number: int, digest: str, rules: str, now: datetime) -> tuple[Request, UUID]:
    key_id = vault.add_key(session, "vendor", now=now)

    def seal(text: str, where: str) -> bytes:
        return vault.seal_text(session, key_id, text, context=where)

    vendor = Vendor(
        id=uuid4(), reference=f"V-{number:05d}", key_id=key_id, name=seal(f"Vendor {number}", "vendor.name"),
        active_at=now, created_at=now,
    )  # fmt: skip
    contact = Contact(
        id=uuid4(), vendor_id=vendor.id, name=seal("Dana", "contact.name"), email=seal("d@v.example", "contact.email"),
        created_at=now,
    )  # fmt: skip
    session.add_all([vendor, contact])
    session.flush()
    case = Assessment(
        id=uuid4(), reference=f"A-{number:05d}", vendor_id=vendor.id, service=seal("Mail", "assessment.service"),
        status=AssessmentStatus.SENT, intake_copy=digest, active_at=now, created_at=now,
    )  # fmt: skip
    session.add(case)
    session.flush()
    request = Request(
        id=uuid4(), reference=f"R-{number:05d}", assessment_id=case.id, vendor_id=vendor.id, contact_id=contact.id,
        copies=[digest], rules_copy=rules, status=RequestStatus.OPEN, due_at=now, closes_at=now, sent_at=now,
    )  # fmt: skip
    session.add(request)
    session.flush()
    return request, key_id


def _add_answers(session: Session, request: Request, key_id: UUID, now: datetime) -> None:
    body = {"value": "yes", "not_applicable": None, "comment": "as agreed", "source": "", "by": "Victor Lang"}
    rows = []
    for number in range(ANSWERS_A_CASE):
        context = f"answer:{request.id}:question_{number}"
        sealed_body = vault.seal_json(session, key_id, body, context=context)
        rows.append(
            {
                "request_id": request.id, "question_id": f"question_{number}", "body": sealed_body, "version": 1,
                "state": "answered", "origin": Origin.VENDOR, "answered_on": now.date(), "saved_at": now,
            }
        )  # fmt: skip
    session.execute(insert(Answer), rows)
    for _ in range(EVENTS_A_CASE):
        audit.record(
            session, EventKind.ANSWER_SAVED, object_kind="assessment", object_id=request.assessment_id, key_id=key_id,
            by=SYSTEM, now=now, details={"request": request.reference},
        )  # fmt: skip


def _add_file(session: Session, storage: Storage, request: Request, key_id: UUID, now: datetime) -> None:
    content, file_id = secrets.token_bytes(20_000), uuid4()
    row = Evidence(
        id=file_id, request_id=request.id, name=vault.seal_text(session, key_id, "a.pdf", context="evidence.name"),
        kind="pdf", size=len(content), uploaded_at=now,
        sha256=vault.seal_text(session, key_id, hashlib.sha256(content).hexdigest(), context="evidence.sha256"),
        storage_name=f"evidence-{file_id.hex}",
        uploaded_by=vault.seal_text(session, key_id, "Victor", context="evidence.uploaded_by"),
    )  # fmt: skip
    key = vault.data_key(session, key_id)
    storage.put(row.storage_name, sealed.seal_stream(key_id, key, [content], context=f"evidence:{file_id}"))
    session.add(row)


def _differences(before: Database, after: Database, folder: Path) -> tuple[int, int]:
    """Rows of the backup's moment that are not in the restored database as they were, and files; of how many."""
    told = frozenset({"users", "trail_events"})  # restoring ends sign-ins, and both sides have written an event since
    rows = wrong = 0
    with before.snapshot() as one, after.snapshot() as other:
        for shape in dump.shapes():
            there = {line for lines in dump.read(other, shape) for line in lines}
            for lines in dump.read(one, shape):
                rows += len(lines)
                wrong += sum(line not in there for line in lines) if shape.name not in told else 0
            wrong += shape.name == "trail_events" and dump.count(other, shape) != dump.count(one, shape)
    files = [path for path in (folder / "files").rglob("evidence-*") if path.is_file()]
    copied = {path.name: path.read_bytes() for path in (folder / "restored").rglob("evidence-*")}
    wrong += sum(copied.get(path.name) != path.read_bytes() for path in files)
    return rows + len(files), wrong
