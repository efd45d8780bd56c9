"""The vault: seals and opens column values with the right data key; every service that reads or writes names uses it.

The keyring hangs on the session (`session.info`): data keys are unwrapped once per session and never kept longer, so a
destroyed key stops working at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from vendorrisk import crypto
from vendorrisk.db.base import Sealed
from vendorrisk.db.models.vendors import DataKey

_KEYRING = "vendorrisk.keyring"
_as_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
SYSTEM_KEY = UUID("00000000-0000-0000-0000-000000000001")
"""The data key of everything that belongs to no vendor: letters to staff, events about accounts."""


class Erased(Exception):
    """The key of this value was destroyed: the value cannot be read any more, by anyone."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key that lives outside the database. `id` is stored beside what it wraps, so that rotation can be resumed."""

    id: str
    secret: bytes = field(repr=False)

    def purpose(self, name: str) -> bytes:
        """A key derived for one purpose: "wrap", "index", "trail", "codes"."""
        return crypto.derive(self.secret, f"vendorrisk/{name}")


@dataclass(slots=True)
class Keyring:
    """The master key and the data keys unwrapped in this session."""

    master: MasterKey
    unwrapped: dict[UUID, bytes] = field(default_factory=dict)


def attach(session: Session, master: MasterKey) -> None:
    """Give a session its keyring. The database does this for every session that it opens."""
    session.info[_KEYRING] = Keyring(master)


def keyring(session: Session) -> Keyring:
    """The session's keyring."""
    ring: Keyring = session.info[_KEYRING]
    return ring


def _wrap_context(key_id: UUID) -> str:
    return f"data_key.{key_id}"


def add_key(session: Session, purpose: str, *, now: datetime, key_id: UUID | None = None) -> UUID:
    """Make a data key, wrap it with the master key and store it. Returns its id."""
    ring = keyring(session)
    key_id, key = key_id or uuid4(), crypto.new_key()
    wrapped = crypto.seal(key_id, ring.master.purpose("wrap"), key, context=_wrap_context(key_id))
    session.add(DataKey(id=key_id, purpose=purpose, wrapped=wrapped, master_id=ring.master.id, created_at=now))
    session.flush()
    ring.unwrapped[key_id] = key
    return key_id


_KEYS = DataKey.metadata.tables[DataKey.__tablename__].c
# Columns, not objects, and a statement made once: this runs before each save.
_WRAPPED = select(_KEYS.id, _KEYS.wrapped).where(
    _KEYS.id.in_(bindparam("ids", expanding=True)), _KEYS.wrapped.is_not(None)
)


def preload(session: Session, key_ids: Iterable[UUID]) -> None:
    """Unwrap many keys with one query: call it before opening the rows of a list."""
    ring = keyring(session)
    missing = set(key_ids) - ring.unwrapped.keys()
    if not missing:
        return
    for key_id, wrapped in session.connection().execute(_WRAPPED, {"ids": list(missing)}):
        learn(session, key_id, wrapped)


def learn(session: Session, key_id: UUID, wrapped: bytes | None) -> None:
    """Unwrap a data key that was read together with what it belongs to. Without `wrapped` it was destroyed."""
    ring = keyring(session)
    if wrapped is not None:
        wrap = ring.master.purpose("wrap")
        ring.unwrapped[key_id] = crypto.open_sealed(wrap, wrapped, context=_wrap_context(key_id))


def _data_key(session: Session, key_id: UUID) -> bytes:
    unwrapped = keyring(session).unwrapped
    if key_id not in unwrapped:
        preload(session, [key_id])
    try:
        return unwrapped[key_id]
    except KeyError:
        raise Erased(f"data key {key_id} was destroyed") from None


def is_alive(session: Session, key_id: UUID) -> bool:
    """Whether there still is such a key: what it sealed can be read."""
    preload(session, [key_id])
    return key_id in keyring(session).unwrapped


def data_key(session: Session, key_id: UUID) -> bytes:
    """The plain data key, for sealing files in chunks. Raises Erased."""
    return _data_key(session, key_id)


def seal_text(session: Session, key_id: UUID, text: str, *, context: str) -> Sealed:
    """Seal `text` for the place named by `context` ("vendor.name"). Raises Erased."""
    plain = text.encode("utf-8", "surrogatepass")
    return crypto.seal(key_id, _data_key(session, key_id), plain, context=context)


def open_text(session: Session, sealed: Sealed, *, context: str) -> str:
    """Open what `seal_text` made. Raises Erased, or crypto.CannotOpen where it was changed or moved."""
    plain = crypto.open_sealed(_data_key(session, crypto.key_id_of(sealed)), sealed, context=context)
    return plain.decode("utf-8", "surrogatepass")


def open_optional(session: Session, sealed: Sealed | None, *, context: str) -> str:
    """Like `open_text`; an absent value is an empty text."""
    return open_text(session, sealed, context=context) if sealed is not None else ""


def seal_json(session: Session, key_id: UUID, plain: Any, *, context: str) -> Sealed:
    """Seal a JSON value. Figures must be strings or ints: floats would not come back exactly."""
    return seal_text(session, key_id, _as_json(plain), context=context)


def open_json(session: Session, sealed: Sealed, *, context: str) -> Any:
    """Open what `seal_json` made."""
    return json.loads(open_text(session, sealed, context=context))


def index_term(session: Session, kind: str, word: str) -> bytes:
    """The blind index's keyed hash (16 bytes) of one normalised word, for look-ups by equality."""
    key = keyring(session).master.purpose("index")
    return crypto.keyed_hash(key, kind.encode(), word.encode("utf-8", "surrogatepass"))[:16]


def bucket(session: Session, what: str, whom: str) -> bytes:
    """The keyed hash (16 bytes) under which attempts at `what` by or at `whom` are counted."""
    key = keyring(session).master.purpose("attempts")
    return crypto.keyed_hash(key, what.encode(), whom.encode("utf-8", "surrogatepass"))[:16]
