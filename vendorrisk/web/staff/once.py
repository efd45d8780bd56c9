"""A link shown once after sending: it travels to the next page sealed inside the session cookie, and nowhere else."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from uuid import UUID

import flask
from sqlalchemy.orm import Session

from vendorrisk.crypto import CannotOpen
from vendorrisk.db import vault

_NAME = "link_once"
_KEPT = timedelta(minutes=10)


def keep(session: Session, key_id: UUID, reference: str, link: str, *, now: datetime) -> None:
    """Remember the link for the page of this request, which comes next."""
    plain = {"link": link, "until": (now + _KEPT).isoformat()}
    sealed = vault.seal_json(session, key_id, plain, context=_context(reference))
    flask.session[_NAME] = base64.b64encode(sealed).decode("ascii")


def take(session: Session, reference: str, *, now: datetime) -> str:
    """The link, the first time that it is asked for; empty afterwards."""
    kept = flask.session.pop(_NAME, None)
    if kept is None:
        return ""
    try:
        plain = vault.open_json(session, base64.b64decode(kept), context=_context(reference))
    except (CannotOpen, vault.Erased, ValueError):
        return ""
    return str(plain["link"]) if now < datetime.fromisoformat(plain["until"]) else ""


def _context(reference: str) -> str:
    return f"shown once:{reference}"
