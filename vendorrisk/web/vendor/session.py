"""Who is looking: loads and authorises in one call, by the cookie and the reference in the address.

Every view under /respond begins with `load`, `look` or `take_seat`. Whatever does not fit is `NotFound`, so that a
stranger learns nothing.
"""

from __future__ import annotations

from datetime import datetime

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.services.answering import seats, sittings
from vendorrisk.services.answering.seats import Seat
from vendorrisk.services.answering.sittings import Look, Sitting
from vendorrisk.services.sending import invitations
from vendorrisk.web import edge

COOKIE = "respondent"
BROWSER_COOKIE = "browser"


def load(session: Session, reference: str, *, for_update: bool = False) -> Sitting:
    """The sitting of this browser at this request. Raises NotFound."""
    return sittings.find(session, reference, _token(), now=edge.now(), for_update=for_update)


def look(session: Session, reference: str) -> Look:
    """The same for reading the questions. Raises NotFound."""
    return sittings.look(session, reference, _token(), now=edge.now())


def take_seat(session: Session, reference: str) -> Seat:
    """The same for saving one answer: less to know, and quicker. Raises NotFound."""
    return seats.take(session, reference, _token(), now=edge.now())


def _token() -> str:
    return request.cookies.get(COOKIE, "")


def elsewhere(sitting: Sitting | Look) -> ResponseReturnValue | None:
    """Where somebody must go who cannot answer now: closed, sent already, or not introduced. None: may answer."""
    reference = sitting.request.reference
    if sitting.request.status is RequestStatus.SUBMITTED:
        return redirect(url_for("vendor.done", reference=reference), 303)
    if is_closed(sitting):
        return redirect(url_for("vendor.closed", reference=reference), 303)
    if not sitting.has_started:
        return redirect(url_for("vendor.start", reference=reference), 303)
    return None


def is_closed(sitting: Sitting | Look) -> bool:
    """Whether nothing can be sent any more: withdrawn, or past its closing."""
    return sitting.request.status is RequestStatus.WITHDRAWN or edge.now() >= sitting.request.closes_at


def remember(response: Response, reference: str, token: str, until: datetime) -> None:
    """Set the cookie for the answers, and one under /q by which the link knows this browser again."""
    _set(response, COOKIE, token, f"/respond/{reference}", until)
    _set(response, known_cookie(reference), token, "/q", until)


def browser() -> str:
    """The cookie to which mailed codes are bound; nothing where there is none, or one that we never gave."""
    value = request.cookies.get(BROWSER_COOKIE, "")
    return value if invitations.is_token(value) else ""


def remember_browser(response: Response, browser: str, until: datetime) -> None:
    """Bind the mailed code to this browser."""
    _set(response, BROWSER_COOKIE, browser, "/q", until)


def known_cookie(reference: str) -> str:
    """The name of the cookie by which a link knows a browser again."""
    return f"{COOKIE}-{reference}"


def _set(response: Response, name: str, value: str, path: str, until: datetime) -> None:
    response.set_cookie(
        name, value, path=path, max_age=max(0, int((until - edge.now()).total_seconds())), httponly=True,
        samesite="Lax", secure=edge.services().settings.https,
    )  # fmt: skip
