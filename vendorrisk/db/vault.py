"""The vault: seals and opens column values with the right data key; every service that reads or writes names uses it.

The keyring hangs on the session (`session.info`): data keys are unwrapped once per session and never kept longer, so a
destroyed key stops working at once. The master key lies outside the database and only wraps; what is hashed or signed
hangs on the root secret, which lies wrapped among the data keys: a new master key changes nothing of it
(docs/decisions/0005-keys.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
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
ROOT_KEY = UUID("00000000-0000-0000-0000-000000000002")
"""The root secret: it seals nothing itself; the trail's, the index's and other keys are derived from it. Whichever
master key wraps this row is the current one.
"""


ERASED_TEXT = "(erased)"
"""What stands in lists instead of a value that was erased."""


class Erased(Exception):
    """The key of this value was destroyed: the value cannot be read any more, by anyone."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key that lives outside the database and wraps data keys. `id` is stored beside what it wraps."""

    id: str
    secret: bytes = field(repr=False)

    def wrap(self, key_id: UUID, key: bytes) -> bytes:
        """A data key as the database may hold it."""
        return crypto.seal(key_id, self._wrapping_key(), key, context=_wrap_context(key_id))

    def unwrap(self, key_id: UUID, wrapped: bytes) -> bytes:
        """The data key again. Raises crypto.CannotOpen."""
        return crypto.open_sealed(self._wrapping_key(), wrapped, context=_wrap_context(key_id))

    def _wrapping_key(self) -> bytes:
        return crypto.derive(self.secret, "vendorrisk/wrap")


class Master:
    """The secrets of a deployment: its master keys (two while they are being changed), and the root secret."""

    def __init__(self, *keys: MasterKey, reload: Callable[[], tuple[MasterKey, ...]] | None = None) -> None:
        self._keys, self._reload = keys, reload
        self._root: bytes | None = None

    @property
    def newest(self) -> MasterKey:
        """The key that stands first in the key file."""
        return self._keys[0]

    @property
    def has_root(self) -> bool:
        """Whether the root secret has been read from the database."""
        return self._root is not None

    def learn_root(self, root: bytes) -> None:
        """Keep the root secret, for as long as the process lives."""
        self._root = root

    def purpose(self, name: str) -> bytes:
        """A key derived from the root secret for one purpose: "index", "trail", "codes", "sessions"."""
        assert self._root is not None, "the database gives every session a master with its root"
        return crypto.derive(self._root, f"vendorrisk/{name}")

    def key(self, master_id: str) -> MasterKey:
        """The master key with this id. Where it is unknown the key file is read again: it may have been rotated.

        Raises crypto.CannotOpen.
        """
        found = self._known(master_id)
        if found is None and self._reload is not None:
            self._keys = self._reload()
            found = self._known(master_id)
        if found is None:
            raise crypto.CannotOpen(f"the key file does not hold the master key {master_id}")
        return found

    def _known(self, master_id: str) -> MasterKey | None:
        return next((key for key in self._keys if key.id == master_id), None)


@dataclass(slots=True)
class Keyring:
    """The master and the data keys unwrapped in this session."""

    master: Master
    unwrapped: dict[UUID, bytes] = field(default_factory=dict)


def attach(session: Session, master: Master) -> None:
    """Give a session its keyring. The database does this for every session that it opens."""
    session.info[_KEYRING] = Keyring(master)


def keyring(session: Session) -> Keyring:
    """The session's keyring."""
    ring: Keyring = session.info[_KEYRING]
    return ring


def _wrap_context(key_id: UUID) -> str:
    return f"data_key.{key_id}"


def add_root(session: Session, *, now: datetime) -> None:
    """Make the root secret, where there is none; for a database from before there was one it is the master's secret.

    Raises crypto.CannotOpen where the master key is not this database's.
    """
    if session.get(DataKey, ROOT_KEY) is not None:
        return
    newest, root = keyring(session).master.newest, crypto.new_key()
    if session.get(DataKey, SYSTEM_KEY) is not None:
        data_key(session, SYSTEM_KEY)  # a key file that is not this database's must not become its root
        root = newest.secret
    _store(session, ROOT_KEY, "root", root, newest, now=now)


def add_key(session: Session, purpose: str, *, now: datetime, key_id: UUID | None = None) -> UUID:
    """Make a data key, wrap it with the master key and store it. Returns its id."""
    key_id, key = key_id or uuid4(), crypto.new_key()
    _store(session, key_id, purpose, key, current_master(session), now=now)
    keyring(session).unwrapped[key_id] = key
    return key_id


def current_master(session: Session) -> MasterKey:
    """The master key that wraps from now on: the one of the root. Until the end of the transaction none replaces it."""
    return _lock_root(session, shared=True)


def hold_keys(session: Session) -> MasterKey:
    """Like `current_master`, and until the end of the transaction nobody else adds, destroys or re-wraps a data key."""
    return _lock_root(session, shared=False)


def _lock_root(session: Session, *, shared: bool) -> MasterKey:
    wraps_root = select(DataKey.master_id).where(DataKey.id == ROOT_KEY).with_for_update(read=shared)
    return keyring(session).master.key(session.scalars(wraps_root).one())


def _store(session: Session, key_id: UUID, purpose: str, key: bytes, master: MasterKey, *, now: datetime) -> None:
    wrapped = master.wrap(key_id, key)
    session.add(DataKey(id=key_id, purpose=purpose, wrapped=wrapped, master_id=master.id, created_at=now))
    session.flush()


_KEYS = DataKey.metadata.tables[DataKey.__tablename__].c
# Columns, not objects, and a statement made once: this runs before each save.
_WRAPPED = select(_KEYS.id, _KEYS.wrapped, _KEYS.master_id).where(
    _KEYS.id.in_(bindparam("ids", expanding=True)), _KEYS.wrapped.is_not(None)
)


def preload(session: Session, key_ids: Iterable[UUID]) -> None:
    """Unwrap many keys with one query: call it before opening the rows of a list."""
    ring = keyring(session)
    missing = set(key_ids) - ring.unwrapped.keys()
    if not missing:
        return
    for key_id, wrapped, master_id in session.connection().execute(_WRAPPED, {"ids": list(missing)}):
        learn(session, key_id, wrapped, master_id)


def learn(session: Session, key_id: UUID, wrapped: bytes | None, master_id: str) -> None:
    """Unwrap a data key that was read together with what it belongs to. Without `wrapped` it was destroyed."""
    ring = keyring(session)
    if wrapped is not None:
        ring.unwrapped[key_id] = ring.master.key(master_id).unwrap(key_id, wrapped)


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


def forget(session: Session, key_id: UUID) -> None:
    """Take a key that was destroyed out of this session too."""
    keyring(session).unwrapped.pop(key_id, None)


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


def show_text(session: Session, sealed: Sealed, *, context: str, erased: str = ERASED_TEXT) -> str:
    """Like `open_text`; what was erased is shown as such. For lists and headings, where the row itself stays."""
    try:
        return open_text(session, sealed, context=context)
    except Erased:
        return erased


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
