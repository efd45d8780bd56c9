"""Realistic reports: shipped questionnaires, acceptance cases; for the report's tests and its benchmark."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from vendorrisk.domain import fingerprint, schema, scoring, submission
from vendorrisk.domain.answers import Answer, Table
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.scoring import Case
from vendorrisk.library import shipped
from vendorrisk.reports import compose, view
from vendorrisk.reports.facts import Facts, Heading, Told

GOLDEN = Path(__file__).parents[1] / "domain" / "score-golden.jsonl"
CLEARVIEW, LARKFIELD = "Clearview AI, truthful", "Larkfield, clean vendor"
NOTHING, ALL_NA = "nothing answered, tier 1", "everything that may be N/A is, approved"
SOURCE = "https://www.priv.gc.ca/en/opc-actions-and-decisions/investigations/2021/pipeda-2021-001/"
HEADING = Heading(
    reference="P-2026-7K3M2Q", asked_at="2026-11-23T05:26:00Z", asked_by="Petra Lang",
    organisation="Acme Police Authority",
    vendor="Clearview AI, Inc.", vendor_reference="V-7F3K2", service="Face recognition search for investigators",
    assessment="A-2026-0042", request="R-7F3K2M", sent_at="2026-11-02T09:00:00Z", submitted_at="2026-11-20T16:12:00Z",
    owner="Petra Lang",
)  # fmt: skip
HEAD = view.Head(position=1204, chain="9f2c41d0b5aa7e13" * 4, sealed_at="2026-11-23T05:25:59Z")
INCIDENT: dict[str, str | tuple[str, ...]] = {
    "title": "Client list obtained by a third party",
    "vendor_words": "Unauthorized access; our servers were never accessed",
    "discovered_on": "unknown", "customers_told_on": "2020-02-26", "action": ("hacking",), "actor": ("external",),
    "data_disclosure": "yes", "relationship_data": ("relationship", "account_count", "usage_count"),
}  # fmt: skip
DECISION = view.Decision(
    outcome="Approved with conditions",
    reason="The service is needed for one ongoing investigation. It may be used for that case only, by four named "
    "officers, until an alternative is in place.",
    by="Audrey Chen", at="2026-11-22T15:04:00Z", valid_until="2027-05-31",
    conditions=(
        view.Condition("No image of a person under 18 is searched", "Petra Lang", "2026-12-01"),
        view.Condition("The vendor names the cause of the breach in writing", "Victor Ames", "2027-01-15"),
        view.Condition("An exit plan is ready", "Li Wei", "2027-02-28"),
    ),
)  # fmt: skip


@lru_cache(maxsize=1)
def _golden() -> dict[str, Any]:
    lines = (json.loads(line, parse_float=Decimal) for line in GOLDEN.read_text("utf-8").splitlines())
    return {line["name"]: line["input"] for line in lines}


def case(name: str = CLEARVIEW) -> Case:
    """One of the acceptance cases, with the contradiction rules run over it."""
    library = shipped.load()
    read = submission.read(_golden()[name], library.questionnaires, today=date(2026, 6, 30))
    return submission.with_rules(read, library.rules)[0]


def with_incident(given: Case, rows: int = 1) -> Case:
    """The case with its incident register filled in."""
    table = Table(tuple({**INCIDENT, "title": f"{INCIDENT['title']} {n}"} for n in range(1, rows + 1)), complete=True)
    return replace(given, answers={**given.answers, "incident_register": Answer(value=table, answered_on=given.as_of)})


def contradictory() -> Case:
    """Data from the open web, and yet nothing was collected there: rule C-12."""
    given = case()
    return replace(given, answers={**given.answers, "bulk_collection": Answer(value="no", answered_on=given.as_of)})


def facts(given: Case, **changes: Any) -> Facts:
    """What a report of the case is composed from; `changes` replace fields of it."""
    library = shipped.load()
    given, hits = submission.with_rules(given, library.rules)
    made = Facts(
        heading=HEADING,
        questionnaires=given.questionnaires,
        digests={asked.id: schema.digest(asked) for asked in given.questionnaires},
        answers=given.answers,
        told={name: _told(name) for name in given.answers},
        score=scoring.score(given),
        inputs_hash=fingerprint.of(given),
        rules_version=library.rules.version,
        rules_digest="5" * 64,
        hits=hits,
        tier_reasons=("Tier 1 because the inherent score is 84.7 (70 or more).",),
        files=FILES,
        trail=trail(),
        head=HEAD,
    )
    return replace(made, **changes) if changes else made


def _told(name: str) -> Told:
    return Told(
        by="Petra Lang", origin=Origin.PUBLIC, on=date(2026, 6, 30), source=SOURCE,
        comment=f"From the joint finding of the four privacy commissioners, which deals with {name.replace('_', ' ')}."
        if len(name) % 2 else "",
    )  # fmt: skip


FILES = (
    view.File(
        name="Penetration test summary 2025.pdf", kind="pdf", size=1_240_551, sha256="9f2c" * 16,
        uploaded_at="2026-11-12T14:02:00Z", uploaded_by="Victor Ames",
        removed_at="", scan="not scanned", codes=("CL-19", "BH-17"),
    ),
    view.File(
        name="Letter to customers, 26 February 2020.docx", kind="docx", size=48_220, sha256="1ab3" * 16,
        uploaded_at="2026-11-13T09:40:00Z", uploaded_by="Victor Ames",
        removed_at="", scan="clean", codes=("BH-20",),
    ),
)  # fmt: skip


def trail(events: int = 40) -> view.Trail:
    """A trail of some events."""
    lines = tuple(
        view.Event(
            1000 + n,
            f"2026-11-{2 + n // 3:02d}T09:{n % 60:02d}:11Z",
            "answer saved",
            "Petra Lang (staff)",
            f"DS-{n:02d}",
        )
        for n in range(events)
    )
    return view.Trail(
        events + 61, lines, (("answer saved", events + 55), ("request sent", 1), ("score computed", 5)), "c3" * 32
    )


def report(name: str = CLEARVIEW, **changes: Any) -> view.Report:
    """A whole report of an acceptance case."""
    given = case(name)
    return compose.report(facts(with_incident(given) if name == CLEARVIEW else given, **changes))


COMMENT = (
    "We keep a written record of this and look at it every quarter; the last time was on 4 May 2026, with the head of "
    "security and the data protection officer, and nothing had to be changed. See section 4 of the policy."
)


def complete() -> view.Report:
    """A report with an answer and a comment to every question: the usual size."""
    made = facts(case(LARKFIELD))
    told = {name: replace(said, origin=Origin.VENDOR, source="", comment=COMMENT) for name, said in made.told.items()}
    return compose.report(replace(made, told=told, decision=DECISION))
