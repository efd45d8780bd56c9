"""Sign-in of staff and auditors: Flask-Security set up our way; the factory calls `install`.

Its pages are templates/security/*, its letters leave through the outbox, its tables are written by
web/account_store.py. It judges passwords; the second step is ours (web/second_step.py). See
docs/decisions/0002-sign-in.md.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from flask import Flask, Response, current_app, redirect, request, session, url_for
from flask.typing import ResponseValue
from flask_login import current_user, user_logged_out
from flask_login.utils import _user_context_processor
from flask_security import MailUtil, Security, UserMixin
from flask_security.forms import ForgotPasswordForm, LoginForm
from flask_security.signals import password_changed, password_reset, user_authenticated
from flask_security.tf_plugin import TfPlugin
from flask_security.utils import validate_redirect_url

from vendorrisk.db.models import User
from vendorrisk.domain.audit import Actor, ActorKind, EventKind
from vendorrisk.mail import messages
from vendorrisk.services import actors
from vendorrisk.services.letters import outbox
from vendorrisk.services.people import accounts, factors, tries
from vendorrisk.services.runtime import Runtime
from vendorrisk.web import account_store, browsers, callers, edge

RESET_HOURS = 2
_NOBODY = UUID(int=0)
_UNKNOWN = Actor(ActorKind.STAFF, str(_NOBODY), "unknown")
_BY_CHANGE = "change"
"""How Flask-Security says that it has signed somebody in again only because their password changed."""
_ANSWERED_BY_REDIRECT = frozenset({"security.login", "security.reset_password", "security.change_password"})


def install(app: Flask, runtime: Runtime) -> None:
    """Add the sign-in pages, and the loader that knows who asks."""
    app.config.update(_configuration(runtime))
    browsers.install(app)
    security = Security(
        app,
        account_store.store(runtime.database),
        login_form=SignInForm,
        forgot_password_form=ForgottenForm,
        mail_util_cls=OutboxMail,
    )
    security.login_manager.session_protection = None  # browsers._check does it; see there
    security.principal.identity_loaders.clear()  # nobody asks Flask-Principal: access.py says who may what
    # Asked for by the templates that show it, not looked up for every page, a vendor's too.
    app.template_context_processors[None].remove(_user_context_processor)
    app.jinja_env.globals["current_user"] = current_user
    security.two_factor_plugins = AfterPassword()
    app.after_request(_bad_input_is_422)
    for signal, heard in _SIGNALS:
        signal.connect(heard, app, weak=False)


def _configuration(runtime: Runtime) -> dict[str, Any]:
    master, https = runtime.database.master, runtime.settings.https
    return {
        "SECRET_KEY": master.purpose("sessions").hex(),
        "SESSION_COOKIE_NAME": "__Host-vendorrisk" if https else "vendorrisk",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
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
        "SECURITY_FRESHNESS": timedelta(-1),  # web/freshness.py asks, for password and second factor: no page of theirs
        "SECURITY_RECOVERABLE": True,
        # What the letter's token holds of the password is a digest of its argon2 hash; slowness adds nothing to that.
        "SECURITY_HASHING_SCHEMES": ["hex_sha256"],
        "SECURITY_DEPRECATED_HASHING_SCHEMES": [],
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
        with edge.writing() as db:
            tries.password(db, self.email.data, callers.address(), now=edge.now())
        if super().validate(**kwargs):
            with edge.writing() as db:
                tries.password_was_right(db, self.email.data, callers.address())
            return True
        _refused(cast(User | None, self.user))
        return False


class ForgottenForm(ForgotPasswordForm):
    """The wish for a new password, not more often than a person needs."""

    def validate(self, **kwargs: Any) -> bool:
        """Whether somebody was named at all. Who has no account is treated like who has, up to the letter itself."""
        self.email.data = (self.email.data or "").strip()
        with edge.writing() as db:
            tries.reset(db, self.email.data, callers.address(), now=edge.now())
        if not super().validate(**kwargs) or self.user is None or not self.user.is_active:
            self.user = _stranger(self.email.data)
            self.email.errors = []
        return bool(self.email.data)


def _stranger(address: str) -> User:
    """Somebody with an account that is nowhere but here: the same work can be done for them."""
    return User(email=address, name="", password=secrets.token_hex(32), fs_uniquifier=secrets.token_hex(32))


def _refused(user: User | None) -> None:
    who = actors.of(user) if user is not None else _UNKNOWN
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
        is_stranger = user.id is None
        with edge.writing() as db:
            who, object_id = (_UNKNOWN, _NOBODY) if is_stranger else (actors.of(user), user.id)
            accounts.noted(db, EventKind.RESET_ASKED, object_id, by=who, now=edge.now())
            with db.begin_nested() as written:
                outbox.put(db, letter, kind="sign_in_reset", now=edge.now())
                if is_stranger:
                    written.rollback()


class AfterPassword(TfPlugin):
    """What Flask-Security asks once a password was right: it never ends there, whoever it is."""

    def tf_enter(
        self, user: UserMixin, remember_me: bool | None, primary_authn_via: str, next_loc: str | None
    ) -> ResponseValue:
        """Lead to the second step."""
        current_app.extensions["security"].datastore.commit()  # the hash, where it was made anew
        way = browsers.way_further()
        browsers.begin(cast(User, user))
        return redirect(url_for("second_step.code", next=way))


def _signed_in(_sender: Flask, user: User, authn_via: list[str], **_more: Any) -> None:
    if authn_via != [_BY_CHANGE]:
        _note(EventKind.SIGNED_IN, user, via=", ".join(authn_via))


def _signed_out(_sender: Flask, user: User, **_more: Any) -> None:
    _note(EventKind.SIGNED_OUT, user)
    session.pop("csrf_token", None)


def _password_changed(_sender: Flask, user: User, **_more: Any) -> None:
    browsers.end_others(user)
    with edge.writing() as db:
        what = "its password was changed"
        factors.note(db, EventKind.PASSWORD_CHANGED, user, what, by=actors.of(user), now=edge.now())
    session.pop("csrf_token", None)


def _note(kind: EventKind, user: User, **details: Any) -> None:
    with edge.writing() as db:
        accounts.noted(db, kind, user.id, by=actors.of(user), now=edge.now(), **details)


_SIGNALS = (
    (user_authenticated, _signed_in),
    (user_logged_out, _signed_out),
    (password_changed, _password_changed),
    (password_reset, _password_changed),
)


def _bad_input_is_422(response: Response) -> Response:
    # Flask-Security answers 200 to a form that it refuses; what it accepts, it answers with a redirect.
    refused = request.method == "POST" and response.status_code == 200
    if refused and request.endpoint in _ANSWERED_BY_REDIRECT:
        response.status_code = 422
    return response
