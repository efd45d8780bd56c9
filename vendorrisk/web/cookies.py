"""The session cookie, signed by a serializer that is made once instead of with every request. Called by the factory."""

from __future__ import annotations

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer


class Sessions(SecureCookieSessionInterface):
    """Flask's own sessions. The secret key does not change while the process lives."""

    def __init__(self) -> None:
        self._signing: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The serializer, made at the first request."""
        if self._signing is None:
            self._signing = super().get_signing_serializer(app)
        return self._signing


def install(app: Flask) -> None:
    """Use it."""
    app.session_interface = Sessions()
