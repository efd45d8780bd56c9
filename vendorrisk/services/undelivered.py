"""Letters that were given up, with the vendor and request they were about. Called by the page that lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from vendorrisk import crypto
from vendorrisk.db import vault
from vendorrisk.db.models import Letter, Request, Vendor
from vendorrisk.domain.assessment import RequestStatus, WorkState

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One letter that nobody got. `request` and `vendor` are empty for letters to our own staff."""

    id: UUID
    kind: str
    to: str
    error: str
    attempts: int
    created_at: datetime
    request: str
    vendor: str


def count(session: Session) -> int:
    """How many letters wait for somebody to look at them."""
    query = select(func.count()).select_from(Letter).outerjoin(Request, Request.id == Letter.request_id)
    return session.scalar(query.outerjoin(Vendor, Vendor.id == Request.vendor_id).where(_waits())) or 0


def listed(session: Session) -> tuple[Undelivered, ...]:
    """The letters, the latest first; a hundred at most. Two queries."""
    query = (
        select(Letter, Request.reference, Vendor)
        .outerjoin(Request, Request.id == Letter.request_id)
        .outerjoin(Vendor, Vendor.id == Request.vendor_id)
        .where(_waits())
        .order_by(Letter.created_at.desc(), Letter.id)
        .limit(SHOWN)
    )
    found = session.execute(query).all()
    vault.preload(session, {crypto.key_id_of(letter.content) for letter, _, _ in found})
    return tuple(_view(session, letter, reference, vendor) for letter, reference, vendor in found)


def request_of(session: Session, letter_id: UUID) -> str:
    """The reference of the request that a letter is about; empty where it is about none."""
    query = select(Request.reference).join(Letter, Letter.request_id == Request.id).where(Letter.id == letter_id)
    return session.scalar(query) or ""


def _waits() -> ColumnElement[bool]:
    """Given up, not replaced by a later letter of its kind; its request not withdrawn, its vendor not erased."""
    later = aliased(Letter)
    replaced = exists().where(
        later.request_id == Letter.request_id, later.kind == Letter.kind, later.created_at > Letter.created_at
    )
    standing = or_(Request.id.is_(None), and_(Request.status != RequestStatus.WITHDRAWN, Vendor.erased_at.is_(None)))
    return and_(Letter.state == WorkState.FAILED, ~replaced, standing)


def _view(session: Session, letter: Letter, reference: str | None, vendor: Vendor | None) -> Undelivered:
    content = vault.open_json(session, letter.content, context="letter.content")
    return Undelivered(
        id=letter.id, kind=letter.kind, to=content["to"], error=letter.error, attempts=letter.attempts,
        created_at=letter.created_at, request=reference or "",
        vendor=vault.open_text(session, vendor.name, context="vendor.name") if vendor else "",
    )  # fmt: skip
