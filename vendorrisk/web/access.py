"""Closed by default: every view says who it is open to, and a guard before each request holds it to that.

    @bp.get("/vendors")
    @access.open_to(Role.STAFF, Role.ADMIN)
    def vendors() -> ResponseReturnValue: …

A view that says nothing answers nobody: 404, and an error in the log. So does a view of another role.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from vendorrisk.domain.audit import Actor
from vendorrisk.domain.roles import Role
from vendorrisk.services import actors
from vendorrisk.services.people import scopes
from vendorrisk.services.people.scopes import Scope
from vendorrisk.web import browsers, freshness

_log = logging.getLogger(__name__)
_MARK = "vendorrisk_access"
View = TypeVar("View", bound=Callable[..., Any])


class Audience(enum.Enum):
    """The kinds of people a view can be for. Halfway: the password was right, the second factor is still to come."""

    ROLES = "roles"
    RESPONDENT = "respondent"
    HALFWAY = "halfway"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Access:
    """Who one view is open to."""

    audience: Audience
    roles: frozenset[Role] = frozenset()
    reason: str = ""
    fresh: bool = False


RESPONDENT = Access(Audience.RESPONDENT)
HALFWAY = Access(Audience.HALFWAY)
SIGNED_IN = Access(Audience.ROLES, frozenset(Role))
SIGNED_IN_FRESHLY = Access(Audience.ROLES, frozenset(Role), fresh=True)


def anyone(reason: str) -> Access:
    """Open to people we know nothing of; `reason` says why that is right."""
    return Access(Audience.ANYONE, reason=reason)


FOREIGN: Mapping[str, Access] = {
    # The views that we did not write, and so cannot mark.
    "security.login": anyone("sign-in: where people become known"),
    "security.logout": SIGNED_IN,
    "security.forgot_password": anyone("sign-in: asking for a new password"),
    "security.reset_password": anyone("sign-in: the signed link from the letter"),
    "security.change_password": SIGNED_IN_FRESHLY,
}


def open_to(*roles: Role, fresh: bool = False) -> Callable[[View], View]:
    """Open to signed-in people with one of `roles`. Others get 404, the unknown are asked to sign in.

    `fresh`: they must have proven who they are a short while ago, or are asked to once more. For dangerous actions:
    put it on the page that leads there too, so that nobody is asked after they have typed.
    """
    return _marker(Access(Audience.ROLES, frozenset(roles), fresh=fresh))


def open_to_anyone(reason: str) -> Callable[[View], View]:
    """Open to everybody, signed in or not; `reason` says why that is right."""
    return _marker(anyone(reason))


def open_to_respondent(view: View) -> View:
    """Open to the vendor's people: the view itself loads the request by the respondent's cookie, or answers 404."""
    return _marker(RESPONDENT)(view)


def open_halfway(view: View) -> View:
    """Open to those whose password was right a moment ago, for the second step; nobody else is known yet."""
    return _marker(HALFWAY)(view)


def _marker(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _MARK, access)
        return view

    return mark


def declared(app: Flask, endpoint: str) -> Access | None:
    """What the view of `endpoint` says about itself; None where it says nothing."""
    if endpoint in FOREIGN:
        return FOREIGN[endpoint]
    found = getattr(app.view_functions[endpoint], _MARK, None)
    return found if isinstance(found, Access) else None


def install(app: Flask) -> None:
    """Put the guard before every request. It must be the first of the application's guards."""
    app.before_request(_guard)
    app.jinja_env.globals.update(person_layout=person_layout, is_admin=is_admin)


def _guard() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no such address or method: Flask itself answers 404 or 405
    access = declared(current_app, request.endpoint)
    if access is None:
        _log.error("closed: the view %r does not say who it is open to", request.endpoint)
        abort(404)
    if access.audience is Audience.HALFWAY:
        return None if browsers.halfway() is not None else _ask_to_sign_in()
    if access.audience is not Audience.ROLES:
        return None
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    if not roles_of_current() & access.roles:
        abort(404)
    return freshness.ask() if access.fresh and not browsers.is_fresh() else None


def _ask_to_sign_in() -> ResponseReturnValue:
    # Only what can be fetched again, and is no step of the sign-in itself, is worth coming back to.
    if request.path.startswith("/sign-in"):
        return redirect(url_for("security.login"), 303)
    back = request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None
    return redirect(url_for("security.login", next=back), 303)


def roles_of_current() -> frozenset[Role]:
    """The roles of whoever is signed in; none for the unknown."""
    if not current_user.is_authenticated:
        return frozenset()
    names = {role.name for role in current_user.roles}
    return frozenset(role for role in Role if role.value in names)


def current_actor() -> Actor:
    """Whoever is signed in, as services and the trail know them."""
    return actors.of(current_user)


def scope_of_current(session: Session) -> Scope:
    """Which decided cases there are for whoever is signed in. Read at each request, so that a change holds at once."""
    return scopes.of(session, current_user.id, roles_of_current())


def is_admin() -> bool:
    """Whether an admin is signed in."""
    return Role.ADMIN in roles_of_current()


def person_layout() -> str:
    """The layout of whoever is signed in; the plain one for the unknown."""
    roles = roles_of_current()
    if roles & {Role.STAFF, Role.ADMIN}:
        return "layout/staff.html"
    return "layout/auditor.html" if roles else "layout/plain.html"
