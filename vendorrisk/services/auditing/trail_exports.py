"""Exports of the trail: JSON lines that can be checked, and CSV to be read. Called by the auditor's page and a command.

That somebody exports is an event of its own: call `note` and commit before the first line leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.chain import Row
from vendorrisk.services import audit, csv_cells
from vendorrisk.services.auditing import trail_files, trail_rows, trail_search
from vendorrisk.services.auditing.trail_search import Filters, Line, Sight
from vendorrisk.services.people import scopes

COLUMNS = (
    "Position", "Number", "Time (UTC)", "Who", "Who is", "Did", "About", "Details", "Kind", "Sealed (UTC)",
    "Hash of the link",
)  # fmt: skip
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Said:
    """A row, and its event in words where it has one that can be read."""

    row: Row
    line: Line | None


def note(session: Session, filters: Filters, form: str, sight: Sight, *, by: Actor, now: datetime) -> None:
    """Write that somebody exports the trail, and what of it."""
    chosen = {
        "about": filters.about, "actor": filters.actor, "kind": filters.kind, "since": _day(filters.since),
        "until": _day(filters.until), "limited_to": scopes.words(sight.scope) if sight.scope.is_limited else "",
    }  # fmt: skip
    audit.record(
        session, EventKind.TRAIL_EXPORTED, object_kind=audit.TRAIL_KIND, object_id=audit.TRAIL, by=by, now=now,
        details={"form": form, **{name: value for name, value in chosen.items() if value}},
    )  # fmt: skip


def as_json_lines(
    session: Session, filters: Filters, sight: Sight, *, organisation: str, with_words: bool, now: datetime
) -> Iterator[str]:
    """The reader's events as JSON lines (`trail_files`); `with_words` with their details opened beside."""
    about = {
        "organisation": organisation, "exported_at": now.isoformat(),
        "partial": filters.narrows or sight.scope.is_limited,
        "chosen": {"about": filters.about, "actor": filters.actor, "kind": filters.kind,
                   "since": _day(filters.since), "until": _day(filters.until)},
    }  # fmt: skip
    keyed = audit.keyed(vault.keyring(session).master)
    rows = _rows(session, filters, sight)
    if not with_words:
        yield from trail_files.write(((row, None) for row in rows), about, keyed=keyed)
        return
    said = ((each.row, _words(each.line)) for each in _said(session, rows, sight))
    yield from trail_files.write(said, about, keyed=keyed)


def as_csv(session: Session, filters: Filters, sight: Sight) -> Iterator[str]:
    """The reader's events as CSV with a heading: readable, but nothing that could be checked."""
    yield from csv_cells.lines([COLUMNS])
    for each in _said(session, _rows(session, filters, sight), sight):
        yield from csv_cells.lines([_cells(each)])


def _rows(session: Session, filters: Filters, sight: Sight) -> Iterator[Row]:
    trail_rows.one_moment(session)
    return trail_rows.read(session, *trail_search.conditions(session, filters, sight), with_before=True)


def _said(session: Session, rows: Iterator[Row], sight: Sight) -> Iterator[Said]:
    """The rows with their words, some hundred at a time: keys and references are looked up for all of them at once."""
    while batch := list(islice(rows, _AT_ONCE)):
        events = [(row.event, row.joint is not None) for row in batch if row.event is not None]
        lines = iter(trail_search.in_words(session, events, sight))
        yield from (Said(row, next(lines) if row.event is not None else None) for row in batch)


def _words(line: Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    event = line.event
    return {
        "who": event.who, "who_is": event.kind_of_actor, "did": event.did, "about": line.thing.words,
        "details": [[detail.label, detail.before, detail.after] for detail in event.details],
        **({"withheld": True} if line.is_withheld else {}), **({"erased": True} if event.is_erased else {}),
    }  # fmt: skip


def _cells(each: Said) -> Sequence[Any]:
    row, line = each.row, each.line
    link = (row.joint.position, row.joint.sealed_at, row.joint.chain.hex()) if row.joint else ("", "", "")
    if line is None:
        return (link[0], row.number, "", "", "", "(gone, or cannot be read)", "", "", "", link[1], link[2])
    event = line.event
    return (
        link[0], event.number, f"{event.at:%Y-%m-%d %H:%M:%S}", event.who, event.kind_of_actor, event.did,
        line.thing.words, _details(line), event.kind, f"{link[1]:%Y-%m-%d %H:%M:%S}" if link[1] else "", link[2],
    )  # fmt: skip


def _details(line: Line) -> str:
    if line.is_withheld:
        return "(details of decided cases only)"
    if line.event.is_erased:
        return "(erased with the vendor’s data)"
    return "; ".join(
        f"{detail.label}: {detail.before} → {detail.after}" if detail.before else f"{detail.label}: {detail.after}"
        for detail in line.event.details
    )


def _day(day: Any) -> str:
    return day.isoformat() if day else ""


def lines_at_once(lines: Iterable[str], count: int = 200) -> Iterator[bytes]:
    """Lines put together as bytes, so that a response goes out in fewer pieces."""
    iterator = iter(lines)
    while batch := list(islice(iterator, count)):
        yield "".join(batch).encode("utf-8", "surrogatepass")
