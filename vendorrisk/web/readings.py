"""Marks the views that show a case's answers: that they are read is in the trail, committed, before the view begins.

    @bp.get("/assessments/<reference>/score")
    @access.open_to(Role.STAFF, Role.ADMIN)
    @readings.shows_answers()
    def score(reference: str) -> ResponseReturnValue: …

A test walks all addresses: a page that shows an answer without an event fails it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from sqlalchemy.orm import Session

from vendorrisk.services.auditing import readings
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.web import access, edge

View = TypeVar("View", bound=Callable[..., Any])
Find = Callable[[Session, str], Dossier]


def shows_answers(
    find: Find = dossiers.find, *, when: Callable[[Dossier], bool] = lambda dossier: True
) -> Callable[[View], View]:
    """The view shows answers of the case `reference`, as `find` gives it to this audience, if `when` says so."""

    def mark(view: View) -> View:
        @functools.wraps(view)
        def noting(*args: Any, **named: Any) -> Any:
            _note(find, when, named["reference"])
            return view(*args, **named)

        return cast(View, noting)

    return mark


def _note(find: Find, when: Callable[[Dossier], bool], reference: str) -> None:
    by, now = access.current_actor(), edge.now()
    with edge.reading() as session:
        dossier = find(session, reference)
        if not when(dossier) or readings.has_read_answers(session, dossier, by=by, now=now):
            return
    with edge.writing() as session:
        readings.note_answers(session, find(session, reference), by=by, now=now)
