"""Restoring a backup into an empty deployment: everything is checked before and after. Called by `restore`.

Nothing is ever overwritten. The rows come in one transaction with the check that they are those of the manifest, into
tables as they were when the backup was made; then they are migrated. The keys come last, with all that must be settled
before anybody may work: a restore that was cut off leaves nothing that a service could be started with.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, inspect, select, update
from sqlalchemy.orm import Session

from vendorrisk.db import dump, engine, migrate, schema, vault
from vendorrisk.db.dump import Shape, Tally
from vendorrisk.db.engine import Database
from vendorrisk.db.models import (
    AccessCode,
    DataKey,
    Invitation,
    Letter,
    RecoveryCode,
    Request,
    RespondentSession,
    User,
    Vendor,
)
from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.chain import Change, Finding
from vendorrisk.services import audit
from vendorrisk.services.auditing import trail_checks
from vendorrisk.services.auditing.trail_checks import Anchored
from vendorrisk.services.casework import cases
from vendorrisk.services.operating import archive, backups, erasure, unsealed
from vendorrisk.services.operating.archive import Kind, Record
from vendorrisk.services.operating.backup_keys import BadBackup, Keyring
from vendorrisk.services.operating.backups import Summary
from vendorrisk.storage import AlreadyThere, Storage

_BLINDLY = {"synchronize_session": False}
_WAITED = "It waited to be sent when the backup was made, and may have been sent since. Try again if it was not."


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it.

    `erased`: the references of vendors that were erased since the backup was made. `links`: those of requests whose
    link works as it did then, with a code that is mailed anew; `links_ended`: of those that wait for an answer and need
    a fresh one. `recovery_codes_of`: how many people had recovery codes, which work no more.
    """

    summary: Summary
    erased: tuple[str, ...]
    letters_held: int
    links: tuple[str, ...]
    links_ended: tuple[str, ...]
    recovery_codes_of: int


def restore(
    path: Path, keyring: Keyring, url: str, storage: Storage, *, older_keyring: bool = False, by: Actor, now: datetime
) -> Restored:  # fmt: skip
    """Bring a backup back into an empty database and its files into the storage. Raises BadBackup.

    `older_keyring`: go on although the keyring is older than the backup, and vendors added between them are lost.
    """
    summary = backups.check(path, keyring.master)
    _check_age(summary, keyring, allowed=older_keyring)
    _check_revision(summary)
    _check_empty(url)
    migrate.upgrade(url, summary.revision)
    with _writing(url) as connection:
        _fill(connection, archive.read(path, keyring.master), storage)
    migrate.upgrade(url)
    made = engine.make_engine(url)
    try:
        database = Database(made, keyring.master)
        problem = _trail_problem(database, summary)
        restored = _settle(database, keyring, summary, by=by, now=now)
    finally:
        made.dispose()
    if problem:
        raise BadBackup(f"All that is in the backup was restored, but {problem} See: python -m vendorrisk trail verify")
    return restored


def _check_age(summary: Summary, keyring: Keyring, *, allowed: bool) -> None:
    if keyring.written < summary.made and not allowed:
        raise BadBackup(
            f"The keyring is of {keyring.written:%Y-%m-%d %H:%M}, older than the backup: the vendors added between "
            "them cannot be read with it, and would be taken for erased. Find the newest keyring, or say "
            "--older-keyring."
        )


def _check_revision(summary: Summary) -> None:
    if not schema.is_known(summary.revision):
        raise BadBackup(
            f"The backup was made by version {summary.version} with the schema {summary.revision}, which this version "
            "does not know. Restore it with that version or a later one."
        )


def _check_empty(url: str) -> None:
    made = engine.make_engine(url)
    try:
        with made.connect() as connection:
            if inspect(connection).has_table(DataKey.__tablename__):
                _check_no_keys(connection)
    finally:
        made.dispose()


def _check_no_keys(connection: Connection) -> None:
    one = select(DataKey.id).limit(1)
    if connection.scalar(one) is None:
        return
    if connection.scalar(one.where(DataKey.wrapped.is_not(None))) is None:
        raise BadBackup("Here lies a restore that was cut off, without its keys. Remove this database, and try again.")
    raise BadBackup("There is a database already. Backups are restored into an empty one only.")


@contextmanager
def _writing(url: str) -> Iterator[Connection]:
    made = engine.make_engine(url, foreign_keys=False)  # SQLite: checked at the end, all at once
    try:
        with engine.for_writing(made).begin() as connection:
            yield connection
    finally:
        made.dispose()


def _fill(connection: Connection, records: Iterator[Record], storage: Storage) -> None:
    shapes: list[Shape] = []
    for record in records:
        match record.kind:
            case Kind.TABLE:
                plain = record.plain()
                columns = tuple((name, kind) for name, kind in plain["columns"])
                shapes.append(Shape(plain["name"], columns, plain["serial"]))
                dump.clear(connection, shapes[-1])
            case Kind.ROWS:
                dump.write(connection, shapes[-1], record.content.split(b"\n"))
            case Kind.FILE:
                _put(storage, record.plain()["name"], records)
            case Kind.MANIFEST:
                _check_arrived(connection, shapes, record.plain())


def _put(storage: Storage, name: str, records: Iterator[Record]) -> None:
    digest = hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        for record in takewhile(lambda record: record.kind is Kind.BYTES, records):
            digest.update(record.content)
            yield record.content

    coming = chunks()
    try:
        storage.put(name, coming)
    except AlreadyThere:
        deque(coming, maxlen=0)  # the rest of the file, so that the next record is the next record
        if _digest(storage.get(name)) != digest.digest():
            raise BadBackup(f"The storage holds another file named {name}. Restore into an empty one.") from None


def _digest(chunks: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def _check_arrived(connection: Connection, shapes: list[Shape], manifest: dict[str, Any]) -> None:
    for shape in shapes:
        dump.count_on(connection, shape)
        tally = Tally()
        for lines in dump.read(connection, shape):
            tally.add(lines)
        if tally.plain() != manifest["tables"][shape.name]:
            raise BadBackup(f"The rows of {shape.name} did not arrive as they are in the backup. Nothing was restored.")
    broken = dump.dangling(connection)
    if broken:
        raise BadBackup(f"A row of {broken} points to nothing. Nothing was restored.")


def _hand_over_keys(session: Session, keyring: Keyring) -> None:
    """Give living keys their wrapped form back; those that are not in the keyring were destroyed."""
    alive = (
        update(DataKey)
        .where(DataKey.id == bindparam("key"), DataKey.destroyed_at.is_(None))
        .values(wrapped=bindparam("bytes"), master_id=bindparam("by"))
    )
    rows = [{"key": key.id, "bytes": key.wrapped, "by": key.master_id} for key in keyring.keys]
    session.connection().execute(alive, rows)


def _settle(database: Database, keyring: Keyring, summary: Summary, *, by: Actor, now: datetime) -> Restored:
    with database.writing() as session:
        _hand_over_keys(session, keyring)
        lost = session.scalars(
            select(Vendor)
            .join(DataKey, DataKey.id == Vendor.key_id)
            .where(DataKey.wrapped.is_(None), Vendor.erased_at.is_(None))
        ).all()
        for vendor in lost:
            erasure.settle(session, vendor, now=now)
        while unsealed.seal_some(session):
            continue
        held = _hold_letters(session)
        _end_sessions(session, now=now)
        links, ended = _settle_links(session, now=now)
        codes_of = _end_codes(session)
        erased = tuple(sorted(vendor.reference for vendor in lost))
        details = {
            "made": summary.made.isoformat(), "erased": list(erased), "letters_held": held, "links": list(links),
            "links_ended": list(ended), "recovery_codes_of": codes_of,
        }  # fmt: skip
        audit.record(
            session, EventKind.BACKUP_RESTORED, object_kind="backup", object_id=vault.ROOT_KEY, by=by, now=now,
            details=details,
        )  # fmt: skip
    return Restored(summary, erased, held, links, ended, codes_of)


def _trail_problem(database: Database, summary: Summary) -> str:
    """Every event must be what its HMAC says, and the chain whole. Returns what is wrong; "" where nothing is."""
    found: list[Finding] = []
    with database.reading() as session:
        outcome = trail_checks.of_database(session, Anchored(), (), found.append)
    # A clock that was put back is nobody's change, and `trail verify` goes on naming it.
    changed = [finding for finding in found if finding.change is not Change.CLOCK]
    if changed:
        return f"the trail was changed before the backup was made: {changed[0]}."
    seen = outcome.sealed + outcome.unsealed
    if seen != summary.trail_events:
        return f"the trail has {seen} events, where the backup says {summary.trail_events}."
    return ""


def _hold_letters(session: Session) -> int:
    """Letters that waited then may have been sent since: nobody should get one twice unasked."""
    waiting = session.scalars(select(Letter).where(Letter.state.in_((WorkState.QUEUED, WorkState.RUNNING)))).all()
    for letter in waiting:
        letter.state, letter.leased_until, letter.error, letter.said = WorkState.FAILED, None, _WAITED, None
    return len(waiting)


def _end_sessions(session: Session, *, now: datetime) -> None:
    """Whoever was signed in then may have been disabled since, and a vendor's browser shut out: all come in anew."""
    for user in session.scalars(select(User)):
        user.fs_uniquifier = uuid4().hex
    browsers = update(RespondentSession).where(RespondentSession.ended_at.is_(None))
    session.execute(browsers.values(ended_at=now), execution_options=_BLINDLY)


def _settle_links(session: Session, *, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """End links that open without a code or that nobody could replace. Returns the requests with a link that works, and
    those that wait for an answer and have none any more.

    A link that was replaced since is alive again, and nothing here tells which. So none opens without the mailbox of
    whom it was for, and people are told which to look at. Ending them all would keep nobody out: who has a dead link
    gets a fresh one for the asking, mailed to the contact as it was then.
    """
    waiting = Request.status.in_(cases.LIVE)
    rows = session.execute(
        select(Request.reference, Request.code_required)
        .join(Invitation, Invitation.request_id == Request.id)
        .where(waiting, Invitation.revoked_at.is_(None), Invitation.expires_at > now)
        .distinct()
        .order_by(Request.reference)
    ).all()
    kept = select(Request.id).where(waiting, Request.code_required)
    others = update(Invitation).where(Invitation.revoked_at.is_(None), Invitation.request_id.not_in(kept))
    session.execute(others.values(revoked_at=now), execution_options=_BLINDLY)
    return tuple(name for name, coded in rows if coded), tuple(name for name, coded in rows if not coded)


def _end_codes(session: Session) -> int:
    """End codes, which may have been used since: mailed ones, and recovery codes. Returns how many people had those."""
    session.execute(delete(AccessCode), execution_options=_BLINDLY)
    people = session.scalar(select(func.count(RecoveryCode.user_id.distinct()))) or 0
    session.execute(delete(RecoveryCode), execution_options=_BLINDLY)
    return people
