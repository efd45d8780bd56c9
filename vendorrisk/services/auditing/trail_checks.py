"""Checks the whole trail, in the database or in an export, and remembers what came of it. Called by `trail verify`.

What the chain cannot know by itself, its own end, is known elsewhere: by the anchor beside the key, by every report
that was asked for, by the daily letters, and by whoever kept a head and gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db import migrate, vault
from vendorrisk.db.models import Event, MailedHead, Report
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.chain import Change, Check, Finding, Head, Keyed
from vendorrisk.services import audit
from vendorrisk.services.auditing import anchor, sealing, trail, trail_rows
from vendorrisk.services.auditing.anchor import Anchor, BadAnchor
from vendorrisk.services.auditing.trail_files import Reader

Found = Callable[[Finding], None]
"""Gets each finding as it comes: there may be as many as there are events."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a check. `notes` are sentences about what could not be looked at."""

    sealed: int
    unsealed: int
    problems: int
    position: int
    chain: bytes
    heads: int
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return self.problems == 0


@dataclass(frozen=True, slots=True)
class PastCheck:
    """A check that the trail tells of."""

    at: datetime
    by: str
    sealed: int
    problems: int


@dataclass(frozen=True, slots=True)
class Anchored:
    """What the anchor says: its head, or a note that there is none, or that it is not genuine."""

    heads: tuple[Head, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Finding, ...] = ()


def anchored(path: Path, keyed: Keyed) -> Anchored:
    """Read the anchor; before the database, for the chain of a running service goes on meanwhile."""
    try:
        there = anchor.read(path, keyed)
    except BadAnchor as error:
        return Anchored(problems=(Finding(Change.CHANGED, str(error)),))
    if there is not None:
        return Anchored((there.head,))
    note = f"There is no anchor at {path}: whether the end was cut off, only reports, letters and --head can tell."
    return Anchored(notes=(note,))


def of_database(session: Session, beside: Anchored, given: Sequence[Head], found: Found) -> Outcome:
    """Check the trail in the database against itself, the anchor, and every head that was noted.

    The session is a reading one that has not been used yet.
    """
    trail_rows.one_moment(session)
    gone = sorted(migrate.missing_triggers(session.connection()))
    triggers = [Finding(Change.MISSING, f"the trigger {name} is gone") for name in gone]
    keyed = audit.keyed(vault.keyring(session).master)
    check = Check(keyed, [*beside.heads, *_noted(session), *given], accepted=_accepted(session))
    findings = chain(beside.problems, triggers, check.findings(trail_rows.read(session)))
    outcome = _run(check, findings, beside.notes, found)
    accepted = tuple(f"Accepted before, and no finding any more: {each}." for each in check.put_back)
    return replace(outcome, notes=outcome.notes + accepted)


def of_file(reader: Reader, given: Sequence[Head], found: Found) -> Outcome:
    """Check an export; without the key, only its chain. Raises NotATrail."""
    reader.open()
    check = Check(reader.keyed, given, partial=reader.is_partial)
    # The reader's own list is filled while the rows are read.
    outcome = _run(check, chain(check.findings(reader.rows()), reader.problems), (), found)
    return replace(outcome, notes=tuple(_limits(check, reader)))


def _run(check: Check, findings: Iterable[Finding], notes: tuple[str, ...], found: Found) -> Outcome:
    problems = 0
    for finding in findings:
        problems += 1
        found(finding)
    heads = len(list(check.heads)) - len(check.unchecked)
    return Outcome(check.sealed, check.unsealed, problems, check.position, check.chain, heads, notes)


def _limits(check: Check, reader: Reader) -> Iterator[str]:
    """What the check of a file could not look at."""
    for head in check.unchecked:
        yield f"Not looked at: position {head.position:,} is not in this file."
    if reader.is_partial:
        yield "The file holds some of the events only: nothing can be said about those between them."
    if reader.keyed is None:
        yield (
            "Without the key: only the chain was checked, not who wrote the events. Whoever changes a file can hash it "
            "anew, so compare its head with one that was kept elsewhere (--head)."
        )


def _noted(session: Session) -> list[Head]:
    """The heads that reports and letters bear."""
    reports = select(Report.head_position, Report.head_chain, Report.reference)
    printed = session.execute(reports.where(Report.head_position.is_not(None)))
    heads = [Head(position or 0, (digest or b"").hex(), f"report {name}") for position, digest, name in printed]
    mailed = session.execute(select(MailedHead.position, MailedHead.chain, MailedHead.day))
    return heads + [Head(position, digest.hex(), f"the letter of {day}") for position, digest, day in mailed]


def _accepted(session: Session) -> int:
    """Up to which position of this very chain an operator has accepted it; 0 where nobody has.

    What the event says is sealed with our key: nobody else can have written it.
    """
    events = select(Event).where(
        Event.object_kind == audit.TRAIL_KIND, Event.object_id == audit.TRAIL,
        Event.kind == EventKind.TRAIL_ACCEPTED.value,
    )  # fmt: skip
    heads = [trail.opened(session, event)[0] for event in session.scalars(events)]
    places = [(each["position"], each["chain"]) for each in heads if "position" in each]
    return max((at for at, digits in places if (sealing.link_at(session, at) or b"").hex() == digits), default=0)


def record(session: Session, outcome: Outcome, *, by: Actor, now: datetime) -> None:
    """Write into the trail that it was checked, and what was found."""
    audit.record(
        session, EventKind.TRAIL_VERIFIED, object_kind=audit.TRAIL_KIND, object_id=audit.TRAIL, by=by, now=now,
        details={"events": outcome.sealed, "unsealed": outcome.unsealed, "problems": outcome.problems,
                 "position": outcome.position, "chain": outcome.chain.hex()},
    )  # fmt: skip


def latest(session: Session, *, now: datetime) -> PastCheck | None:
    """The latest check that was recorded; not one that a clock which was ahead has dated into the future."""
    event = session.scalar(
        select(Event)
        .where(
            Event.object_kind == audit.TRAIL_KIND, Event.object_id == audit.TRAIL,
            Event.kind == EventKind.TRAIL_VERIFIED.value, Event.at <= now,
        )
        .order_by(Event.at.desc(), Event.number.desc())
        .limit(1)
    )  # fmt: skip
    if event is None:
        return None
    body = vault.open_json(session, event.details, context=audit.CONTEXT)
    return PastCheck(event.at, body["by"], body["events"], body["problems"])


def accept(session: Session, before: Anchored, *, by: Actor, now: datetime) -> Anchor | None:
    """Take the chain as it ends now for right, after a backup or the clock was put back; None where there is no chain.

    The caller commits, then writes the anchor that this gives.
    """
    head = sealing.head(session)
    if head is None:
        return None
    details = {
        "position": head.position, "chain": head.chain.hex(),
        "before": {"position": before.heads[0].position, "chain": before.heads[0].digits} if before.heads else None,
    }  # fmt: skip
    audit.record(
        session, EventKind.TRAIL_ACCEPTED, object_kind=audit.TRAIL_KIND, object_id=audit.TRAIL, by=by, now=now,
        details=details,
    )  # fmt: skip
    return Anchor(head.position, head.chain, now)
