"""What a browser sends back signed, the session cookie and the tokens of forms: examined once, not at every request.

The key stays the same while the process lives, so what was well signed remains so. Called by the factory.
"""

from __future__ import annotations

import time
from copy import deepcopy
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_wtf import CSRFProtect
from itsdangerous import BadSignature, URLSafeTimedSerializer

_KEPT = 1024


class Sessions(SecureCookieSessionInterface):
    """Flask's own sessions, with one serializer for all requests, and cookies remembered with what they say."""

    def __init__(self, app: Flask) -> None:
        self._signing = super().get_signing_serializer(app)
        self._opened = lru_cache(_KEPT)(self._open)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The serializer."""
        return self._signing

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """The session that the cookie says; an empty one where it is not ours, or too old."""
        cookie = request.cookies.get(self.get_cookie_name(app))
        try:
            said, signed_at = self._opened(cookie) if cookie else ({}, time.time())
        except BadSignature:
            return self.session_class()
        is_of_age = 0 <= time.time() - signed_at <= app.permanent_session_lifetime.total_seconds()
        return self.session_class(deepcopy(said) if is_of_age else {})

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie where what it says has changed; else only say that the answer depends on it."""
        if session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.vary.add("Cookie")

    def _open(self, cookie: str) -> tuple[dict[str, Any], float]:
        assert self._signing is not None, "the application has a secret key"
        said, signed_at = self._signing.loads(cookie, return_timestamp=True)
        return said, signed_at.timestamp()


class Forms(CSRFProtect):
    """Protection against forged forms. A token that fitted a session fits it again: neither has an age."""

    def __init__(self, app: Flask) -> None:
        self._fitted: set[tuple[str, str]] = set()
        super().__init__(app)

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse a form whose token does not fit the session, with 400."""
        both = (session.get("csrf_token", ""), request.form.get("csrf_token", ""))
        if both in self._fitted:
            g.csrf_valid = True
            return
        super().protect(apply_exemptions)
        if all(both) and g.get("csrf_valid"):
            self._remember(both)

    def _remember(self, both: tuple[str, str]) -> None:
        if len(self._fitted) >= _KEPT:
            self._fitted.clear()
        self._fitted.add(both)


def install(app: Flask) -> None:
    """Use both. It comes after whatever sets the secret key, and after the guards, which speak before CSRF."""
    app.session_interface = Sessions(app)
    Forms(app)
