"""Every route × every person × right, foreign and swapped parts of its address: nobody gets from one case to another.

Made from `url_map` and the access table (test_access.py). A new route needs its line there, and, where its address has
a part of a new name, the value of that part in `parts_of`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests import builders, dump
from tests.cast import Cast, SignIn
from tests.counts import Count
from tests.web import vendor_visits as visits
from tests.web import worlds
from tests.web.access_table import EVERYBODY, IN, TABLE, VENDOR, fate
from tests.web.worlds import World
from vendorrisk.services.runtime import Runtime

LEAST = 2_000
"""How many requests the matrix must hold at least."""
NOTHING = "nothing"
UNDECIDED = "undecided"
UNKNOWN_TOKEN = "A" * 43
APART = ("security.logout", "passkeys.use")
"""Ends a sign-in, and begins one: tries at it are counted, and the eleventh is refused. test_sessions.py has them."""


@dataclass(frozen=True)
class Person:
    """Somebody at the doors: the column of the access table, their own request, and the texts that they may see.

    `outside`: whose cases an auditor may not see, decided as they are.
    """

    name: str
    column: str
    own: str = ""
    may_see: frozenset[str] = frozenset()
    outside: str = ""

    @property
    def is_staff(self) -> bool:
        """Whether they see every vendor: to them the page for nothing may tell the rooms apart."""
        return self.column in ("petra", "adam")


@dataclass(frozen=True)
class Door:
    """One address with one method. `owner` is whose it is wholly; empty where its parts do not belong together."""

    rule: Rule
    method: str
    url: str
    owner: str


@pytest.fixture
def world(app: Flask, runtime: Runtime, cast: Cast, sign_in: SignIn) -> World:
    """Everything is there once for each vendor, with canaries in every text."""
    return worlds.build(app, runtime, cast, sign_in)


def persons(world: World) -> dict[str, Person]:
    """Everybody, with the canaries that they may see."""
    everything = frozenset(word for side in world.all for word in (side.canary, side.vendor_canary))
    decided = [world.decided, world.other_decided]
    audited = frozenset(word for side in decided for word in (side.canary, side.vendor_canary))
    mine = {"victor": world.own, "colleague": world.sibling, "mallory": world.other, "withdrawn": world.gone}
    found = [Person("anonymous", "anonymous"), Person("revoked", "mallory")]
    found += [Person(name, name, may_see=everything) for name in ("petra", "adam")]
    found += [Person("audrey", "audrey", may_see=audited)]
    within = frozenset({world.decided.canary, world.decided.vendor_canary})
    found += [Person("out of scope", "audrey", may_see=within, outside=world.other_decided.canary)]
    found += [
        Person(name, "mallory", side.request, frozenset({side.canary, side.vendor_canary}))
        for name, side in mine.items()
    ]
    return {person.name: person for person in found}


# ---------------------------------------------------------------- addresses


def parts_of(world: World, rule: Rule) -> Mapping[str, Mapping[str, object]]:
    """What stands for each part of an address, by whose it is: the one place to add to for a part of a new name."""
    room = rule.rule.split("/")[1]
    audited = room == "audit"
    shown = [world.own, world.decided, world.other_decided] if audited else [world.own, world.sibling, world.other]
    values: dict[str, dict[str, object]] = {}
    for side in shown:
        reference = {
            "vendors": side.vendor, "assessments": side.case, "requests": side.request, "respond": side.request,
            "q": side.request, "reports": side.report,
            "audit": side.report if "/reports/" in rule.rule else side.case,
        }  # fmt: skip
        values[UNDECIDED if audited and side is world.own else side.canary] = {
            "reference": reference.get(room, "nothing"), "token": side.token, "contact_id": side.contact_id,
            "file_id": side.file_id, "letter_id": side.letter_id, "code": side.code, "question_id": side.question_id,
            "questionnaire_id": side.questionnaire_id, "section_id": side.section_id,
        }  # fmt: skip
    values[NOTHING] = {
        "reference": "R-ZZZZZZ", "token": UNKNOWN_TOKEN, "contact_id": uuid4(), "file_id": uuid4(),
        "letter_id": uuid4(), "code": "ZZ-99", "question_id": "no_such", "questionnaire_id": "no-such",
        "section_id": "no_such",
    }  # fmt: skip
    for owner, parts in values.items():
        number = 99 if owner == NOTHING else 1
        parts.update(number=number, filename="site.css", digest_asked="0" * 12, passkey_id=uuid4())
    unknown = rule.arguments - set(values[NOTHING])
    assert not unknown, f"say in parts_of what stands for {sorted(unknown)} in {rule.rule}"
    return values


def doors(app: Flask, world: World) -> Iterator[Door]:
    """Every route with each of its methods and every mixture of right, foreign and unknown parts."""
    for rule in app.url_map.iter_rules():
        values = parts_of(world, rule)
        names = sorted(rule.arguments)
        seen = set()
        for owners in itertools.product(values, repeat=len(names)):
            parts = {name: values[owner][name] for name, owner in zip(names, owners, strict=True)}
            built = rule.build(parts)
            assert built is not None, rule
            if built[1] in seen:
                continue
            seen.add(built[1])
            whole = [o for o in values if all(values[o][name] == parts[name] for name in names)]
            # HEAD runs what GET runs: once for each route will do.
            for method in sorted((rule.methods or set()) - ({"HEAD"} if len(seen) > 1 else set())):
                yield Door(rule, method, built[1], next(iter(whole), ""))


# ---------------------------------------------------------------- the verdict


@dataclass
class Knocks:
    """What was tried, and what was wrong."""

    count: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    nothing: dict[tuple[str, str], str] = field(default_factory=dict)

    def judge(self, person: Person, door: Door, answer: TestResponse, expected: str) -> None:
        """Note what must not be: another fate than expected, foreign words, an error of ours."""
        self.count[person.name] += 1
        where = f"{person.name} at {door.method} {door.url} ({door.rule.endpoint}): {answer.status_code}"
        if answer.status_code >= 500:
            self.wrong.append(f"{where}: an error of ours")
        came = fate(answer).name if fate(answer) is not IN else "IN"
        if expected not in ("ANY", came):
            self.wrong.append(f"{where}: not {expected}")
        said = (answer.data.decode(errors="replace") + str(answer.headers)).lower()
        foreign = [word for word in CANARIES if word in said and word not in person.may_see]
        if foreign:
            self.wrong.append(f"{where}: shows {foreign}")
        if expected == came == "NOTHING" and door.method != "HEAD" and not person.is_staff:
            self._like_nothing(person, door, answer, where)

    def _like_nothing(self, person: Person, door: Door, answer: TestResponse, where: str) -> None:
        room = door.url.split("/")[1] if door.url.startswith(("/respond/", "/audit/")) else "elsewhere"
        body = visits.without_token(answer)
        if self.nothing.setdefault((person.name, room), body) != body:
            self.wrong.append(f"{where}: reads otherwise than nothing at all")


CANARIES = (
    "kanaria", "fremdia", "canaryown", "canarysibling", "canaryforeign", "canarygone", "canarydecided", "canarythere",
)  # fmt: skip


def expected_of(person: Person, door: Door, world: World) -> str:
    """IN, ASKED or NOTHING by the access table and by whose the address is; ANY for pages that are open to all."""
    row = TABLE[door.rule.endpoint]
    if row is EVERYBODY:
        return "ANY"
    belongs = door.owner not in ("", NOTHING, UNDECIDED) or not door.rule.arguments
    if row is VENDOR:
        mine = next((side.canary for side in world.all if side.request == person.own), None)
        if door.owner == mine is not None:
            return "IN"
        # Whose request is sent or withdrawn is told so first, whatever else stands in the address.
        is_over = person.name in ("colleague", "withdrawn") and f"/respond/{person.own}/" in door.url
        return "ANY" if is_over else "NOTHING"
    decided = getattr(row, person.column)
    if decided is not IN:
        return str(decided.name)
    if not belongs or (person.outside and door.owner == person.outside):
        return "NOTHING"
    return "IN" if door.url.startswith("/audit/") else "ANY"


MAY_CHANGE = {
    "outsiders": set[str](),
    "our own people who are turned away": {"+attempts", "+trail_events"},
    "those let in": None,
}
"""The order of trying, and what may have changed after it: that one of us opened a case is counted and noted first."""


def turn_of(person: Person, expected: str) -> str:
    """When this person tries this door."""
    if expected not in ("NOTHING", "ASKED"):
        return "those let in"
    return "our own people who are turned away" if person.column in ("petra", "adam", "audrey") else "outsiders"


@pytest.mark.timeout(600)  # thousands of requests, in one world
def test_nobody_crosses_over(app: Flask, runtime: Runtime, world: World, count: Count) -> None:
    cast, every, knocks = persons(world), list(doors(app, world)), Knocks()
    tokens = {name: csrf_of(browser) for name, browser in world.people.items()}
    before = dump.rows(runtime.database)
    for turn, may_change in MAY_CHANGE.items():
        for door, person in itertools.product(every, cast.values()):
            expected = expected_of(person, door, world)
            if turn_of(person, expected) != turn or door.rule.endpoint in APART:
                continue
            answer = knock(world.people[person.name], door, tokens[person.name])
            knocks.judge(person, door, answer, expected)
        assert knocks.wrong == []
        if may_change is not None:
            changed = dump.changes(before, dump.rows(runtime.database))
            assert changed <= may_change, f"{turn} have changed something"
    assert knocks.count.total() >= LEAST, knocks.count
    count("requests of the matrix of routes and people", knocks.count.total())


def csrf_of(browser: FlaskClient) -> str:
    """A token that is good in this browser."""
    return builders.token_in(browser.get(f"/q/{UNKNOWN_TOKEN}"))


def knock(browser: FlaskClient, door: Door, csrf: str) -> TestResponse:
    """Try a door; a POST carries a good token."""
    return browser.open(door.url, method=door.method, data={"csrf_token": csrf} if door.method == "POST" else None)
