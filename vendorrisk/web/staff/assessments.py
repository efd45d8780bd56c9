"""Assessments: the list, and the page of one case from which everything else is reached."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.roles import Role
from vendorrisk.services.casework import assessments, cases
from vendorrisk.services.paging import number_from
from vendorrisk.services.sending import requests
from vendorrisk.web import access, edge, watch
from vendorrisk.web.staff import bp, words

DUE = {"overdue": "Overdue", "soon": "In the next 7 days"}


@bp.get("/assessments")
@access.open_to(Role.STAFF, Role.ADMIN)
def assessment_list() -> ResponseReturnValue:
    """All assessments, a page at a time; filters are in the address."""
    filters = _filters()
    with edge.reading() as session:
        page = assessments.page(session, filters, number_from(request.args.get("page")), now=edge.now())
    watch.listed({row.vendor_id for row in page.items})
    return render_template(
        "staff/assessments/list.html", page=page, filters=filters, due_filters=DUE, unrated=cases.UNRATED
    )


def _filters() -> assessments.Filters:
    args = request.args
    status, band, tier, due = (args.get(name, "") for name in ("status", "band", "tier", "due"))
    return assessments.Filters(
        status=AssessmentStatus(status) if status in {each.value for each in AssessmentStatus} else None,
        band=band if band in (*words.BANDS, cases.UNRATED) else "",
        tier=int(tier) if tier in {str(each) for each in words.TIERS} else None,
        due=due if due in DUE else "",
    )


@bp.get("/assessments/<reference>")
@access.open_to(Role.STAFF, Role.ADMIN)
def assessment(reference: str) -> ResponseReturnValue:
    """One case: where it stands, what comes next, its requests, and the way to its other pages."""
    with edge.reading() as session:
        case = assessments.show(session, reference, now=edge.now())
        sent = requests.of_case(session, case.row.id)
    return render_template("staff/assessments/show.html", case=case, requests=sent)
