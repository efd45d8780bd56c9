"""A vendor with something in every table, to be erased: used by the tests of erasing, of backups and of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest

from tests import builders, review_side
from tests.domain.hostile_files import pdf
from vendorrisk.db.models import User, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.reports import pdf as printing
from vendorrisk.services.casework import vendors
from vendorrisk.services.reporting import reports
from vendorrisk.services.runtime import Runtime

REASON = "The contract has ended, and they asked us to."
FILE = pdf(b"% our secret list of customers\n")


@dataclass(frozen=True)
class Full:
    """The references of one vendor's things. The decided case has a report, the open one a living link."""

    vendor: str
    decided: str
    open: str
    request: str
    open_request: str
    report: str
    link: str


def full_vendor(runtime: Runtime, by: User, monkeypatch: pytest.MonkeyPatch, *, now: datetime) -> Full:
    """Two cases of one vendor, with contacts, answers, files, reviews, a decision and a report."""
    monkeypatch.setattr(printing, "render_snapshot", lambda _snapshot: b"%PDF-1.7 a report")
    with runtime.database.writing() as session:
        case, request = review_side.under_review(session, owner=by)
        vendor = session.get_one(Vendor, case.vendor_id)
        change = vendors.NewVendor("Northwind Mail", "https://vendor.example", ("Windy",))
        vendors.change(session, vendor, change, expected=vendor.version, by=builders.actor(by), now=now)
        builders.add_answer(session, request, "remote_access", "own", comment="from home")
        question = builders.question_of(session, request, "remote_access")
        actor = builders.actor(by)
        builders.add_evidence(session, runtime.storage, request, question, "customers.pdf", FILE, by=actor, now=now)
        review_side.decide(session, case, by)
        other = builders.add_assessment(session, vendor, status=AssessmentStatus.READY, owner=by)
        open_request = builders.add_request(session, other, status=RequestStatus.OPEN, sender=by, note="Hello Dana")
        link = builders.add_link(session, open_request)
        builders.add_answer(session, open_request, "remote_access", "no")
        report = reports.ask(session, case.reference, organisation="Acme Ltd", by=builders.actor(by), now=now)
        found = Full(
            vendor.reference, case.reference, other.reference, request.reference, open_request.reference,
            report.reference, link,
        )  # fmt: skip
        report_id = report.id
    reports.make(runtime.database, runtime.storage, report_id, now=now)
    return found
