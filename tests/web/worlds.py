"""The world in which tests try doors and forms: two vendors, requests in several states, everybody in a browser.

Two auditors: Audrey sees every decided case, the one out of scope those of Victor's vendor only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from unittest import mock

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, sides
from tests.cast import Cast, SignIn
from tests.sides import Side
from tests.web import vendor_visits as visits
from vendorrisk.db.models import Request, User
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.roles import Role
from vendorrisk.reports import pdf
from vendorrisk.services.people import scopes
from vendorrisk.services.reporting import reports
from vendorrisk.services.runtime import Runtime


@dataclass
class World:
    """Requests of two vendors and the people around them. `own` is Victor's; `sibling` is of the same vendor.

    `taken_in` and `ready` are cases of that vendor which nothing has been sent for.
    """

    own: Side
    sibling: Side
    other: Side
    gone: Side
    decided: Side
    other_decided: Side
    taken_in: str = ""
    ready: str = ""
    people: dict[str, FlaskClient] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Side, ...]:
        """Every request there is."""
        return (self.own, self.sibling, self.other, self.gone, self.decided, self.other_decided)


def build(app: Flask, runtime: Runtime, cast: Cast, sign_in: SignIn, asked: Sequence[str] = ("follow_up",)) -> World:
    """Everything is there once for each vendor, with canaries in every text. `asked` is what Victor has to answer."""
    database, storage = runtime.database, runtime.storage
    with database.writing() as session:
        own, other = sides.add_vendor(session, "kanaria"), sides.add_vendor(session, "fremdia")
        made = World(
            own=sides.add(session, storage, own, "kanaria", "canaryown", *asked),
            sibling=sides.add(
                session, storage, own, "kanaria", "canarysibling", "choice", status=RequestStatus.SUBMITTED
            ),
            other=sides.add(session, storage, other, "fremdia", "canaryforeign", "text"),
            gone=sides.add(session, storage, own, "kanaria", "canarygone", "yes_no"),
            decided=sides.add(
                session, storage, own, "kanaria", "canarydecided", *asked, status=RequestStatus.SUBMITTED,
                decided_by=cast.petra,
            ),
            other_decided=sides.add(
                session, storage, other, "fremdia", "canarythere", "text", status=RequestStatus.SUBMITTED,
                decided_by=cast.petra,
            ),
        )  # fmt: skip
        made.taken_in = builders.add_assessment(session, own, owner=cast.petra).reference
        made.ready = builders.add_assessment(session, own, owner=cast.petra, status=AssessmentStatus.READY).reference
    for side in made.all:
        with mock.patch.object(pdf, "render", return_value=f"%PDF-1.7 {side.canary}".encode()):
            reports.make(database, storage, side.report_id, now=builders.NOW)
    made.people = _people(app, runtime, made, cast, sign_in)
    return made


def _people(app: Flask, runtime: Runtime, world: World, cast: Cast, sign_in: SignIn) -> dict[str, FlaskClient]:
    database = runtime.database
    with database.writing() as session:
        given_up = builders.add_link(session, _row(session, world.own), "Rita Revoked", "rita@kanaria.example")
    rita = visits.enter(app, database, given_up, name="Rita Revoked").browser
    with database.writing() as session:
        # Another person gets the link instead: Rita's browser is signed out.
        row = _row(session, world.own)
        world.own = replace(world.own, token=builders.add_link(session, row, "Victor", "victor@kanaria.example"))
    people = {
        "anonymous": app.test_client(), "petra": sign_in(cast.petra), "adam": sign_in(cast.adam),
        "audrey": sign_in(cast.audrey), "out of scope": sign_in(_limited(runtime, world)), "revoked": rita,
    }  # fmt: skip
    entered = {"victor": world.own, "colleague": world.sibling, "mallory": world.other, "withdrawn": world.gone}
    for name, side in entered.items():
        people[name] = visits.enter(app, database, side.token, started=side is not world.sibling).browser
    for name, side in (*entered.items(), ("revoked", world.own)):
        cookie = people[name].get_cookie("respondent", path=f"/respond/{side.request}")
        assert cookie is not None
        # Where browsers would send it to one request only, a stranger tries it at all.
        people[name].set_cookie("respondent", cookie.value, path="/respond")
    with database.writing() as session:
        row = _row(session, world.gone)
        row.status, row.withdrawn_at = RequestStatus.WITHDRAWN, builders.NOW
    return people


def _limited(runtime: Runtime, world: World) -> User:
    """An auditor of the cases of Victor's vendor, and of no other's."""
    email = "oscar@audits.example"
    with runtime.database.writing() as session:
        user = builders.add_user(session, email, name="Oscar Doyle", roles=[Role.AUDITOR])
        scopes.limit(session, email, first=None, last=None, vendors=[world.own.vendor], by=SYSTEM, now=builders.NOW)
        return user


def _row(session: Session, side: Side) -> Request:
    return session.scalars(select(Request).where(Request.reference == side.request)).one()


def pages(app: Flask, world: World, *sides_shown: Side) -> list[str]:
    """The addresses of every page that can be got, for these requests (all, unless said) and the cases beside them."""
    found: dict[str, None] = {}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint == "static":
            continue
        for side in sides_shown or world.all:
            for values in _values(world, rule.rule, side):
                built = rule.build({name: values[name] for name in rule.arguments if name in values})
                if built is not None:
                    found[built[1]] = None
    return list(found)


def _values(world: World, rule: str, side: Side) -> list[dict[str, object]]:
    room = rule.split("/")[1]
    named = {"vendors": side.vendor, "requests": side.request, "respond": side.request, "q": side.request,
             "reports": side.report, "assessments": side.case, "audit": side.case}  # fmt: skip
    values: dict[str, object] = {
        "reference": side.report if rule.startswith("/audit/reports") else named.get(room, "nothing"),
        "token": side.token, "contact_id": side.contact_id, "file_id": side.file_id, "letter_id": side.letter_id,
        "code": side.code, "question_id": side.question_id, "number": 1,
    }  # fmt: skip
    if room == "assessments":
        return [values | {"reference": world.ready}, values | {"reference": world.taken_in}, values]
    return [
        values | {"questionnaire_id": asked.id, "section_id": section.id, "code": question.code}
        for asked in side.asked
        for section in asked.sections
        for question in section.questions[:1]
    ]
