"""Who is signed in in which browser: ties the signed cookie to a row, and checks that row at every request.

A cookie alone opens nothing: its row may have been deleted (sign-out, another role, a closed account, a new password),
and then every copy of the cookie is dead. Between the password and the second factor a person is *halfway*: known by
name, signed in nowhere. Called by the sign-in pages and the guard (web/access.py).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, request, session
from flask_login import current_user, user_logged_out
from flask_login.utils import _create_identifier
from flask_security.signals import user_authenticated
from flask_security.utils import login_user

from vendorrisk.db.models import SignIn, User
from vendorrisk.domain.audit import EventKind
from vendorrisk.services import actors
from vendorrisk.services.people import accounts, sign_ins, vendors_opened
from vendorrisk.web import edge

FRESH = timedelta(minutes=10)
"""How long after proving who they are a person may do what is dangerous."""

HALFWAY = timedelta(minutes=10)
"""How long the second step may follow the first."""

_OURS = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of this service: nothing that a browser could take for another host."""


def install(app: Flask) -> None:
    """Check the row at every request, and keep it in step with Flask-Security's signals."""
    app.before_request(_check)
    user_authenticated.connect(_started, app, weak=False)
    user_logged_out.connect(_ended, app, weak=False)


def way_on() -> str:
    """The page of ours that the person was on the way to; home where there is none."""
    wanted = request.form.get("next") or request.args.get("next") or ""
    return wanted if _OURS.fullmatch(wanted) else "/"


def way_further() -> str | None:
    """The same for an address of ours to carry on; None where it is home, which needs no saying."""
    wanted = way_on()
    return None if wanted == "/" else wanted


# ---------------------------------------------------------------- halfway


def begin(user: User) -> None:
    """The password was right: what is missing is the second step."""
    _new_session()
    session["halfway"] = [user.fs_uniquifier, edge.now().timestamp()]


def halfway() -> User | None:
    """The person whose password was right in this browser a moment ago."""
    if "halfway" not in g:
        g.halfway = _find_halfway()
    found: User | None = g.halfway
    return found


def _find_halfway() -> User | None:
    uniquifier, at = session.get("halfway", ("", 0))
    age = edge.now().timestamp() - at
    if not uniquifier or not 0 <= age < HALFWAY.total_seconds():
        return None
    with edge.reading() as db:
        return accounts.by_uniquifier(db, uniquifier)


# ---------------------------------------------------------------- signed in


def sign_in(user: User, via: str) -> None:
    """Both steps are done: a new session, of which nothing was known before."""
    _new_session()
    login_user(user, authn_via=[via])
    current_app.extensions["security"].datastore.commit()


def confirm() -> None:
    """Whoever is signed in has proven once more who they are."""
    with edge.writing() as db:
        sign_ins.confirm(db, g.sign_in.id, now=edge.now())
        by = actors.of(current_user)
        accounts.noted(db, EventKind.SIGN_IN_CONFIRMED, current_user.id, by=by, now=edge.now())
        vendors_opened.start_again(db, current_user.id)


def is_fresh() -> bool:
    """Whether the person has proven who they are a short while ago."""
    row: SignIn | None = g.get("sign_in")
    return row is not None and edge.now() < row.confirmed_at + FRESH


def end_others(user: User) -> None:
    """Sign the person out everywhere but here."""
    here = session.get("sign_in") if current_user.is_authenticated else None
    with edge.writing() as db:
        sign_ins.end_all(db, user.id, but=UUID(here) if here else None)


def _check() -> None:
    """Forget a person whose sign-in has ended, and end one that turns up at another address or in another browser.

    Flask-Login's own "strong" protection does the latter too, but takes every session without a person (a vendor's,
    with its CSRF token) for a stolen one and writes cookies into each answer.
    """
    if request.endpoint == "static" or "_user_id" not in session:
        return
    if session.get("_id") != _create_identifier():
        _end_row()
    g.sign_in = _row(edge.now())
    if g.sign_in is None:
        session.clear()


def _row(now: datetime) -> SignIn | None:
    sign_in_id = session.get("sign_in")
    if sign_in_id is None:
        return None
    with edge.reading() as db:
        return sign_ins.find(db, UUID(sign_in_id), session["_user_id"], now=now)


def _started(_sender: Flask, user: User, **_more: Any) -> None:
    with edge.writing() as db:
        session["sign_in"] = sign_ins.start(db, user.id, now=edge.now()).hex
        vendors_opened.start_again(db, user.id)


def _ended(_sender: Flask, **_more: Any) -> None:
    _end_row()
    session.pop("sign_in", None)


def _end_row() -> None:
    if "sign_in" in session:
        with edge.writing() as db:
            sign_ins.end(db, UUID(session["sign_in"]))


def _new_session() -> None:
    # With a new CSRF token too: what was known before sign-in is worth nothing after it.
    session.clear()
    g.pop("csrf_token", None)
    g.pop("halfway", None)
