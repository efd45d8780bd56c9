"""Sign-in of staff and auditors: Flask-Security set up our way; the factory calls `install`.

Its pages are templates/security/*, its letters leave through the outbox, its tables are written by
web/account_store.py. Second factors are off; the columns for them are there. See docs/decisions/0002-sign-in.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from flask import Flask, Response, request, session, url_for
from flask_login import user_logged_out
from flask_login.utils import _create_identifier
from flask_security import MailUtil, Security
from flask_security.forms import ForgotPasswordForm, LoginForm
from flask_security.signals import password_changed, password_reset, user_authenticated
from flask_security.utils import validate_redirect_url

from vendorrisk.db.models import User
from vendorrisk.domain.audit import Actor, ActorKind, EventKind
from vendorrisk.mail import messages
from vendorrisk.services import accounts, limits, outbox
from vendorrisk.services.limits import Limit
from vendorrisk.services.runtime import Runtime
from vendorrisk.web import account_store, edge

SESSION_LIFE = timedelta(hours=12)
RESET_HOURS = 2
PER_PERSON = Limit("sign-in as", 10, timedelta(minutes=5))
PER_ADDRESS = Limit("sign-in from", 10, timedelta(minutes=5))
RESETS_PER_PERSON = Limit("reset for", 3, timedelta(hours=1))
RESETS_PER_ADDRESS = Limit("reset from", 10, timedelta(hours=1))
_NOBODY = UUID(int=0)
_ANSWERED_BY_REDIRECT = frozenset({"security.login", "security.reset_password", "security.change_password"})


def install(app: Flask, runtime: Runtime) -> None:
    """Add the sign-in pages, and the loader that knows who asks."""
    app.config.update(_configuration(runtime))
    app.before_request(_same_browser)
    security = Security(
        app,
        account_store.store(runtime.database),
        login_form=SignInForm,
        forgot_password_form=ForgottenForm,
        mail_util_cls=OutboxMail,
    )
    security.login_manager.session_protection = None  # _same_browser does it; see there
    security.principal.identity_loaders.clear()  # nobody asks Flask-Principal: access.py says who may what
    app.after_request(_bad_input_is_422)
    for signal, kind in _TRAIL:
        signal.connect(_noting(kind), app, weak=False)


def _configuration(runtime: Runtime) -> dict[str, Any]:
    master, https = runtime.database.master, runtime.settings.https
    return {
        "SECRET_KEY": master.purpose("sessions").hex(),
        "SESSION_COOKIE_NAME": "__Host-vendorrisk" if https else "vendorrisk",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "PERMANENT_SESSION_LIFETIME": SESSION_LIFE,
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": accounts.hashing_options(),
        "SECURITY_PASSWORD_SALT": accounts.pepper(master),
        "SECURITY_PASSWORD_LENGTH_MIN": accounts.MIN_PASSWORD,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_FRESHNESS": timedelta(-1),  # nothing asks for a fresh sign-in yet: no page for it
        "SECURITY_RECOVERABLE": True,
        "SECURITY_RESET_URL": "/forgotten-password",
        "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=RESET_HOURS),
        "SECURITY_CHANGEABLE": True,
        "SECURITY_CHANGE_URL": "/account/password",
        "SECURITY_TRACKABLE": True,
        "SECURITY_DATETIME_FACTORY": edge.now,
        "SECURITY_POST_LOGIN_VIEW": "/",
        "SECURITY_POST_LOGOUT_VIEW": "/sign-in",
        "SECURITY_POST_CHANGE_VIEW": "/account",
        "SECURITY_POST_RESET_VIEW": "/sign-in",
        "SECURITY_SEND_PASSWORD_CHANGE_EMAIL": False,
        "SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL": False,
        "SECURITY_EMAIL_PLAINTEXT": False,  # our letters are made by mail/messages.py
        "SECURITY_EMAIL_HTML": False,
        **_MESSAGES,
    }


_MESSAGES: dict[str, tuple[str, str]] = {
    "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("The e-mail address or the password is not right.", "error"),
    "SECURITY_MSG_PASSWORD_RESET_REQUEST": (
        "If %(email)s has an account here, a letter with a link is on its way. The link works for two hours.",
        "info",
    ),
    "SECURITY_MSG_PASSWORD_RESET_NO_LOGIN": ("Your new password is set. Sign in with it.", "success"),
    "SECURITY_MSG_PASSWORD_RESET_EXPIRED": ("That link has expired. Ask for a new one.", "error"),
    "SECURITY_MSG_INVALID_RESET_PASSWORD_TOKEN": ("That link does not work any more. Ask for a new one.", "error"),
    "SECURITY_MSG_PASSWORD_CHANGE": ("Your password is changed. Other sessions have ended.", "success"),
    "SECURITY_MSG_EMAIL_NOT_PROVIDED": ("Enter your e-mail address.", "error"),
    "SECURITY_MSG_PASSWORD_NOT_PROVIDED": ("Enter your password.", "error"),
    "SECURITY_MSG_RETYPE_PASSWORD_MISMATCH": ("The two passwords are not the same.", "error"),
    "SECURITY_MSG_PASSWORD_INVALID_LENGTH": ("The password must have at least %(length)s characters.", "error"),
    "SECURITY_MSG_INVALID_PASSWORD": ("The password is not right.", "error"),
    "SECURITY_MSG_PASSWORD_IS_THE_SAME": ("The new password must differ from the old one.", "error"),
}


class SignInForm(LoginForm):
    """Sign-in that keeps count: ten failures in five minutes, as one person or from one address, close it a while."""

    remember = None  # type: ignore[assignment]  # a session ends with the browser, or after twelve hours

    def validate(self, **kwargs: Any) -> bool:
        """Whether the person may come in. Known and unknown addresses cost the same and leave the same traces."""
        self.email.data = (self.email.data or "").strip()
        if not validate_redirect_url(self.next.data or ""):
            self.next.data = ""  # a link that would lead elsewhere leads home; the person did nothing wrong
        _count_try(PER_PERSON, PER_ADDRESS, whom=self.email.data)
        if super().validate(**kwargs):
            _forget_tries(self.email.data)
            return True
        _refused(cast(User | None, self.user))
        return False


class ForgottenForm(ForgotPasswordForm):
    """The wish for a new password, not more often than a person needs."""

    def validate(self, **kwargs: Any) -> bool:
        """Whether a letter goes out; the page says the same either way."""
        self.email.data = (self.email.data or "").strip()
        _count_try(RESETS_PER_PERSON, RESETS_PER_ADDRESS, whom=self.email.data)
        return super().validate(**kwargs) and self.user is not None and self.user.is_active


def _count_try(per_person: Limit, per_address: Limit, *, whom: str | None) -> None:
    """Raises limits.TooMany, which answers 429."""
    with edge.writing() as db:
        limits.take(db, per_address, request.remote_addr or "", now=edge.now())
        limits.take(db, per_person, _folded(whom), now=edge.now())


def _forget_tries(whom: str | None) -> None:
    with edge.writing() as db:
        limits.forget(db, PER_PERSON, _folded(whom))
        limits.forget(db, PER_ADDRESS, request.remote_addr or "")


def _folded(address: str | None) -> str:
    return (address or "").lower()[:254]


def _refused(user: User | None) -> None:
    who = _actor(user) if user is not None else Actor(ActorKind.STAFF, str(_NOBODY), "unknown")
    object_id = user.id if user is not None else _NOBODY
    with edge.writing() as db:
        accounts.noted(db, EventKind.SIGN_IN_FAILED, object_id, by=who, now=edge.now())


class OutboxMail(MailUtil):
    """Flask-Security's letters, sent our way: a row in the outbox."""

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: str | tuple[str, str],
        sender: str | tuple[str, str],
        body: str | None,
        html: str | None,
        **kwargs: Any,
    ) -> None:
        """Queue the letter with the link to a new password: the only one that is switched on."""
        if "reset_token" not in kwargs:
            raise ValueError(f"there is no letter for {template}")
        user: User = kwargs["user"]
        path = url_for("security.reset_password", token=kwargs["reset_token"])
        letter = messages.sign_in_reset(
            to=user.email, to_name=user.name, link=edge.services().settings.base_url + path, hours=RESET_HOURS
        )
        with edge.writing() as db:
            outbox.put(db, letter, kind="sign_in_reset", now=edge.now())


def _same_browser() -> None:
    """End a session that turns up at another address or in another browser than it was opened in.

    Flask-Login's own "strong" protection does this too, but takes every session without a person (a vendor's, with its
    CSRF token) for a stolen one and writes cookies into each answer.
    """
    if "_user_id" in session and session.get("_id") != _create_identifier():
        session.clear()


def _actor(user: User) -> Actor:
    return Actor(ActorKind.STAFF, str(user.id), user.name or user.email)


def _noting(kind: EventKind) -> Any:
    def note(_sender: Flask, user: User, **_more: Any) -> None:
        with edge.writing() as db:
            accounts.noted(db, kind, user.id, by=_actor(user), now=edge.now())
        # A new session starts with a new CSRF token: what was known before sign-in is worth nothing after it.
        session.pop("csrf_token", None)

    return note


_TRAIL = (
    (user_authenticated, EventKind.SIGNED_IN),
    (user_logged_out, EventKind.SIGNED_OUT),
    (password_changed, EventKind.PASSWORD_CHANGED),
    (password_reset, EventKind.PASSWORD_CHANGED),
)


def _bad_input_is_422(response: Response) -> Response:
    # Flask-Security answers 200 to a form that it refuses; what it accepts, it answers with a redirect.
    refused = request.method == "POST" and response.status_code == 200
    if refused and request.endpoint in _ANSWERED_BY_REDIRECT:
        response.status_code = 422
    return response
