"""Error pages: what went wrong in plain words, in the layout of whoever asked, and never a traceback."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass

from flask import Flask, Response, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError

from vendorrisk.db import engine
from vendorrisk.db.engine import Busy
from vendorrisk.db.vault import Erased
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.services.limits import TooMany
from vendorrisk.storage import Away
from vendorrisk.web import access, forms, logs

_log = logging.getLogger(__name__)
_RETRY_SECONDS = "5"


@dataclass(frozen=True, slots=True)
class Page:
    """What one kind of error says."""

    title: str
    text: str


PAGES: dict[int, Page] = {
    400: Page("That did not work", "The page sent something that we could not read. Go back, reload it and try again."),
    404: Page(
        "Page not found", "There is nothing at this address, or it is not for you. Check the address, or start again."
    ),
    405: Page(
        "That is not possible here",
        "This address does not take what was sent to it. Go back and use the page's own buttons.",
    ),
    409: Page("Something has changed meanwhile", "What you tried no longer fits the state of things."),
    410: Page("No longer here", "The data of this vendor was erased: nobody can read it any more."),
    413: Page(
        "That is too large", "One sending may hold 25 MB. Send fewer or smaller files; what you saved before is kept."
    ),
    415: Page(
        "That cannot be read here", "This address takes what its own page sends. Open the page and use its buttons."
    ),
    422: Page("There is a problem", "Something in the form is not right. Go back and check what you entered."),
    429: Page("Too many attempts", "Please wait a few minutes, then try again."),
    500: Page("Something went wrong", "It is our fault, not yours. What was saved before is safe."),
    503: Page(
        "Busy for a moment",
        "What you sent is probably not saved; what was saved before is safe. Please try again in a few seconds.",
    ),
    507: Page(
        "Nothing can be saved just now",
        "There is no room left on the server. Keep this page open: once there is room again, send it once more.",
    ),
}

REASONS: dict[int, str] = {429: "too much at once", 503: "the service is busy", 507: "no room on the server"}
"""What may work when it is tried again, in the few words that the page's script shows."""

_MACHINERY = ("-version", "-seen", "-rows")
_NOT_TYPED = frozenset({"csrf_token", "submit", "next", "key", "then", "stay", "rows"})


def install(app: Flask) -> None:
    """Register a handler for everything that can go wrong."""
    app.register_error_handler(CSRFError, _no_csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotFound, lambda error: answer(404))
    app.register_error_handler(Erased, lambda error: answer(410))
    app.register_error_handler(WrongState, lambda error: answer(409, str(error)))
    app.register_error_handler(Busy, lambda error: _later())
    app.register_error_handler(TooMany, _too_many)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(Away, _storage)
    app.register_error_handler(OSError, _system)
    app.register_error_handler(Exception, _unexpected)


def answer(status: int, sentence: str = "", **more: object) -> Response:
    """An error page. `sentence` stands instead of the usual text."""
    if status in REASONS and _asked_by_script():
        return make_response({"reason": REASONS[status]}, status)
    page = PAGES.get(status, PAGES[500 if status >= 500 else 400])
    try:
        # Who asks is looked up in the database: not where that may be what went wrong.
        layout = access.person_layout() if status < 500 else "layout/plain.html"
        body = render_template("errors/error.html", layout=layout, status=status, page=page, sentence=sentence, **more)
    except Exception:  # the page about a mistake must not fail on the mistake itself
        _log.exception("the error page could not be drawn")
        body = f"<!doctype html><title>{page.title}</title><h1>{page.title}</h1><p>{page.text}</p>"
    return make_response(body, status)


def _asked_by_script() -> bool:
    return request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json"


def _no_csrf(error: CSRFError) -> ResponseReturnValue:
    # What was typed is given back as text to copy, never as a form to send again: that would undo the protection.
    return answer(
        400,
        "The page had been open for too long, or your session has ended. Open it again and send it once more.",
        typed=_typed(),
    )


def _typed() -> list[tuple[str, str]]:
    """What a person typed into the form that was sent; nothing that is secret."""
    return [
        (name.removeprefix("q-").replace("_", " ").replace("-", ": "), value)
        for name, value in request.form.items(multi=True)
        if value.strip() and name not in _NOT_TYPED and not forms.is_secret(name) and not name.endswith(_MACHINERY)
    ]


def _to_send_again(status: int, sentence: str = "") -> Response:
    """An error page that holds the whole form, ready to be sent once more: it fails for a reason that passes."""
    if request.method != "POST" or any(forms.is_secret(name) for name in request.form):
        return answer(status, sentence)
    again = list(request.form.items(multi=True))
    files = any(file.filename for file in request.files.values())
    return answer(status, sentence, again=again, typed=_typed(), had_files=files, action=request.full_path)


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if isinstance(error, SecurityError):
        return Response("Bad Request", 400, mimetype="text/plain")  # a forged Host: no page, no links
    if 300 <= status < 400:
        return error
    response = answer(404 if status in (401, 403) else status)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _too_many(error: TooMany) -> ResponseReturnValue:
    seconds = max(1, int(error.retry_after.total_seconds()))
    minutes = -(-seconds // 60)
    response = answer(429, f"Please wait {minutes} minute{'s' if minutes > 1 else ''}, then try again.")
    response.headers["Retry-After"] = str(seconds)
    return response


def _later() -> Response:
    response = _to_send_again(503)
    response.headers["Retry-After"] = _RETRY_SECONDS
    return response


def _database(error: DBAPIError | PoolTimeout) -> ResponseReturnValue:
    if isinstance(error, DBAPIError) and engine.says_full(error):
        _log.error("the disk of the database is full")
        return _to_send_again(507)
    if engine.says_wait(error):
        _log.warning("the database is busy or away")
        return _later()
    return _unexpected(error)


def _storage(error: Away) -> ResponseReturnValue:
    _log.warning("the storage is away" if not error.is_full else "the storage is full")
    return _to_send_again(507) if error.is_full else _later()


def _system(error: OSError) -> ResponseReturnValue:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        _log.error("the disk is full")
        return _to_send_again(507)
    return _unexpected(error)


def _unexpected(error: Exception) -> ResponseReturnValue:
    reference = logs.reference()
    _log.error("%s %s %s failed", reference, request.method, request.path, exc_info=error)
    if current_app.testing and current_app.config["PROPAGATE_EXCEPTIONS"] is not False:
        raise error
    return answer(500, reference=reference)
