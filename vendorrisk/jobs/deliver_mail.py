"""Sends one letter: takes it from the outbox, hands it over outside any transaction, says what became of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from vendorrisk.db.engine import Busy, Database
from vendorrisk.mail import envelope
from vendorrisk.mail.transports import NotNow, Refused, Transport
from vendorrisk.services.letters import outbox
from vendorrisk.services.letters.outbox import Parcel

_log = logging.getLogger(__name__)
OWN_MISTAKES = 3
"""After so many tries, a letter on which we ourselves stumble is undelivered."""
PAUSES = (0.2, 1.0, 4.0, 15.0, 30.0)
"""Seconds between the tries to note what became of a letter; together they end before its lease does."""


@dataclass(frozen=True, slots=True)
class PostOffice:
    """What sending a letter needs."""

    database: Database
    transport: Transport
    organisation: str
    mail_from: str
    clock: Callable[[], datetime]
    pauses: Sequence[float] = PAUSES


def deliver(office: PostOffice, letter_id: UUID) -> None:
    """Send the letter, if it is due and nobody else is at it.

    If we are killed after sending and before noting it, the letter is sent once more when the lease has run out, with
    the same Message-ID, by which mail programs know it again.
    """
    with office.database.writing() as session:
        parcel = outbox.take(session, letter_id, now=office.clock())
    if parcel is not None:
        _note(office, _try(office, parcel))


def _try(office: PostOffice, parcel: Parcel) -> Callable[..., None]:
    """What to do with the letter after this try."""
    try:
        office.transport.send(
            envelope.build(
                parcel.message, organisation=office.organisation, mail_from=office.mail_from,
                message_id=parcel.message_id, thread=parcel.thread, written_at=parcel.written_at,
            )
        )  # fmt: skip
    except NotNow as error:
        return partial(outbox.put_off, parcel=parcel, error=str(error))
    except (Refused, ValueError) as error:
        return partial(outbox.refused, parcel=parcel, error=str(error))
    except Exception as error:  # a mistake of ours must not lose the letter, nor keep it hidden
        _log.exception("letter %s could not be sent", parcel.letter_id)
        said = f"our own mistake: {type(error).__name__}"
        return partial(outbox.refused if parcel.attempt >= OWN_MISTAKES else outbox.put_off, parcel=parcel, error=said)
    return partial(outbox.delivered, parcel=parcel)


def _note(office: PostOffice, outcome: Callable[..., None]) -> None:
    # Giving up early would mean sending the letter twice: a database that is away gets time to come back.
    for pause in office.pauses:
        try:
            _write(office, outcome)
            return
        except Busy:
            time.sleep(pause)
    _write(office, outcome)


def _write(office: PostOffice, outcome: Callable[..., None]) -> None:
    with office.database.writing() as session:
        outcome(session, now=office.clock())
