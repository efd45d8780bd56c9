"""The whole trail for auditors and admins: looked through by filters, and taken away as JSON lines or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from vendorrisk.domain.audit import EventKind
from vendorrisk.domain.roles import Role
from vendorrisk.services.auditing import sealing, trail_checks, trail_exports, trail_search
from vendorrisk.services.auditing import trail as events
from vendorrisk.services.auditing.trail_search import Filters, Sight
from vendorrisk.services.paging import number_from
from vendorrisk.web import access, downloads, edge
from vendorrisk.web.auditor import bp
from vendorrisk.web.forms import Problem

_LONGEST_REFERENCE = 255
_DAYS = {"since": "From", "until": "Up to"}


@bp.get("/trail")
@access.open_to(Role.AUDITOR, Role.ADMIN)
def whole_trail() -> ResponseReturnValue:
    """Every event of the service, the latest first; how far the chain is, and when it was checked."""
    filters, errors = _filters()
    with edge.reading() as session:
        sight = _sight(session)
        shown = render_template(
            "auditor/whole_trail.html", filters=filters, errors=errors, typed=request.args,
            page=trail_search.page(session, filters, number_from(request.args.get("page")), sight),
            scope=sight.scope, people=trail_search.people(session, sight), kinds=_kinds(), head=sealing.head(session),
            waiting=sealing.count_waiting(session), checked=trail_checks.latest(session, now=edge.now()),
            chosen=_chosen(),
        )  # fmt: skip
    return shown, 422 if errors else 200


@bp.get("/trail.jsonl")
@access.open_to(Role.AUDITOR, Role.ADMIN, fresh=True)
def trail_json_lines() -> ResponseReturnValue:
    """The events that the filters leave, sealed as they are and readable, with all that a check needs."""
    organisation, now = edge.services().settings.organisation, edge.now()

    def lines(session: Session, filters: Filters, sight: Sight) -> Iterator[str]:
        return trail_exports.as_json_lines(session, filters, sight, organisation=organisation, with_words=True, now=now)

    return _download("JSON lines", "trail.jsonl", "application/x-ndjson", lines)


@bp.get("/trail.csv")
@access.open_to(Role.AUDITOR, Role.ADMIN, fresh=True)
def trail_csv() -> ResponseReturnValue:
    """The same for spreadsheets; it cannot be checked."""
    return _download("CSV", "trail.csv", "text/csv; charset=utf-8", trail_exports.as_csv)


def _download(
    form: str, name: str, kind: str, lines: Callable[[Session, Filters, Sight], Iterator[str]]
) -> ResponseReturnValue:
    """The file, piece by piece. That it was taken is in the trail before its first byte leaves."""
    filters, errors = _filters()
    if errors:
        return whole_trail()
    with edge.writing() as session:
        sight = _sight(session)
        trail_exports.note(session, filters, form, sight, by=access.current_actor(), now=edge.now())
    database = edge.services().database

    def pieces() -> Iterator[bytes]:
        with database.reading() as session:
            yield from trail_exports.lines_at_once(lines(session, filters, sight))

    return downloads.to_be_saved(Response(iter(()) if request.method == "HEAD" else pieces(), content_type=kind), name)


def _sight(session: Session) -> Sight:
    """Auditors see the details of a case once it is decided, within their limits; admins always."""
    return Sight(Role.ADMIN in access.roles_of_current(), access.scope_of_current(session))


def _filters() -> tuple[Filters, list[Problem]]:
    """The filters in the address, and what is wrong with the days."""
    days: dict[str, date | None] = {}
    errors: list[Problem] = []
    for name, label in _DAYS.items():
        typed = request.args.get(name, "").strip()
        try:
            days[name] = date.fromisoformat(typed) if typed else None
        except ValueError:
            days[name] = None
            errors.append((f"filter-{name}", f"{label} must be a day such as 2026-01-31."))
    if days["since"] and days["until"] and days["since"] > days["until"]:
        errors.append(("filter-until", "Up to must not be before From."))
    kind, actor = request.args.get("kind", ""), request.args.get("actor", "")
    about = request.args.get("about", "").strip()[:_LONGEST_REFERENCE]
    known = kind if kind in set(EventKind) else ""
    return Filters(about, actor[:64], known, days["since"], days["until"]), errors


def _chosen() -> Mapping[str, str]:
    """The filters as they stand in the address, for the links to the downloads."""
    return {name: value for name in ("about", "actor", "kind", *_DAYS) if (value := request.args.get(name, ""))}


def _kinds() -> list[tuple[str, str]]:
    return sorted(((kind.value, words.capitalize()) for kind, words in events.DID.items()), key=lambda pair: pair[1])
