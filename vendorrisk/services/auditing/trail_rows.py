"""Reads the trail as the chain's check wants it, row by row; called by checks and exports.

On SQLite the columns are read as the bytes that they are: somebody who wrote into the file may have left what is no
moment, no id and no text any more, and that must be named instead of ending the check.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Select, cast, select
from sqlalchemy.orm import Session, aliased

from vendorrisk.db.models import Event, Link
from vendorrisk.domain.chain import GENESIS, Entry, Joint, Row

_AT_ONCE = 1000
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = frozenset({"number", "position", "event_number"})
_BAD_LINK = "its link cannot be read any more"
_BAD_EVENT = "the event cannot be read any more"
_CUT = len(Joint._fields)


def one_moment(session: Session) -> None:
    """Make all queries of this reading session see the same moment: call it before the first."""
    if session.get_bind().dialect.name != "sqlite":  # a reader of SQLite sees one moment anyway
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def read(session: Session, *where: ColumnElement[bool], with_before: bool = False) -> Iterator[Row]:
    """Links by position, each with its event, then the events without a link; those that fulfil `where` only.

    `with_before`: each row brings the hash of the link before it along, for an export of some of them.
    """
    raw = session.get_bind().dialect.name == "sqlite"
    for row in _stream(session, _linked(raw, with_before).where(*where)):
        before = (row[-1] or GENESIS) if with_before else None
        yield _linked_row(row[:_CUT], row[_CUT : _CUT + len(Entry._fields)], before, raw)
    has_link = select(Link.position).where(Link.event_number == Event.number).exists()
    loose = select(*_columns(Entry, raw)).where(~has_link, *where).order_by(Event.number)
    for row in _stream(session, loose):
        event = _entry(row, raw)
        yield Row(None, event, "" if event else _BAD_EVENT, number=row[0])


def _linked(raw: bool, with_before: bool) -> Select[Any]:
    query = (
        select(*_columns(Joint, raw), *_columns(Entry, raw))
        .select_from(Link)
        .outerjoin(Event, Event.number == Link.event_number)
        .order_by(Link.position)
    )
    if with_before:
        before = aliased(Link)
        query = query.add_columns(before.chain).outerjoin(before, before.position == Link.position - 1)
    return query


def _columns(kind: type[Entry | Joint], raw: bool) -> list[Any]:
    table = Event if kind is Entry else Link
    columns = [getattr(table, name) for name in kind._fields]
    return [c if not raw or c.key in _NUMBERS else cast(c, LargeBinary) for c in columns]


def _stream(session: Session, query: Select[Any]) -> Iterator[Any]:
    return iter(session.execute(query, execution_options={"yield_per": _AT_ONCE}))


def _linked_row(link: Any, event: Any, before: bytes | None, raw: bool) -> Row:
    joint, bad = _joint(link, raw)
    if event[0] is None:
        return Row(joint, None, bad, before, joint.event_number)
    found = _entry(event, raw)
    return Row(joint, found, bad or ("" if found else _BAD_EVENT), before, event[0])


def _joint(link: Any, raw: bool) -> tuple[Joint, str]:
    """The link, and what is wrong with it: a broken part is stood in for, so that the rest can be checked."""
    position, number, chain, sealed_at, seal = link
    try:
        moment = _moment(sealed_at) if raw else sealed_at
        return Joint(position, _whole(number), bytes(chain), moment, bytes(seal or b"")), ""
    except (ValueError, TypeError, AttributeError):
        return Joint(position, 0, bytes(chain or b""), _NEVER, b""), _BAD_LINK


def _entry(row: Any, raw: bool) -> Entry | None:
    if not raw:
        return Entry(*row)
    try:
        number, own, at, kind, actor_kind, actor_id, object_kind, object_id, details, mac = row
        return Entry(
            _whole(number), _uuid(own), _moment(at), kind.decode(), actor_kind.decode(), actor_id.decode(),
            object_kind.decode(), _uuid(object_id), bytes(details), bytes(mac),
        )  # fmt: skip
    except (ValueError, TypeError, AttributeError):
        return None


def _whole(number: Any) -> int:
    if type(number) is not int:
        raise ValueError("no number")
    return number


def _uuid(raw: bytes) -> UUID:
    """An id as SQLAlchemy writes it, and in no other way: every byte counts."""
    found = UUID(raw.decode("ascii"))
    if found.hex.encode() != raw:
        raise ValueError("not as it was written")
    return found


def _moment(raw: bytes) -> datetime:
    """A moment as SQLAlchemy writes it, and in no other way."""
    found = datetime.fromisoformat(raw.decode("ascii"))
    if found.isoformat(" ", "microseconds").encode() != raw or found.tzinfo is not None:
        raise ValueError("not as it was written")
    return found.replace(tzinfo=UTC)
