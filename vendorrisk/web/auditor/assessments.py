"""What auditors see: the decided assessments, one of them with its figures, and its trail."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.bands import RiskBand
from vendorrisk.domain.roles import Role
from vendorrisk.services.auditing import trail as events
from vendorrisk.services.casework import decided, dossiers
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.services.paging import number_from
from vendorrisk.services.people import scopes
from vendorrisk.services.reporting import reports
from vendorrisk.services.reviewing import score_sheets
from vendorrisk.web import access, case_words, downloads, edge, formats, forms, readings, watch
from vendorrisk.web.auditor import bp

TIERS = (1, 2, 3, 4)


@bp.context_processor
def _words() -> dict[str, Any]:
    return {**case_words.FOR_TEMPLATES, "scope_words": lambda scope: scopes.words(scope, formats.day)}


@bp.get("", endpoint="decided")
@access.open_to(Role.AUDITOR, Role.ADMIN)
def decided_list() -> ResponseReturnValue:
    """The decided assessments, a page at a time; filters are in the address."""
    filters = _filters()
    with edge.reading() as session:
        scope = access.scope_of_current(session)
        page = decided.page(session, filters, number_from(request.args.get("page")), scope)
        years = decided.years(session, scope)
    watch.listed({row.vendor_id for row in page.items})
    return render_template(
        "auditor/list.html", page=page, filters=filters, years=years, tiers=TIERS, scope=scope,
        bands=[band.value for band in RiskBand],
    )  # fmt: skip


def _filters() -> decided.Filters:
    args = request.args
    year, band, tier = (args.get(name, "") for name in ("year", "band", "tier"))
    return decided.Filters(
        search=forms.sought(args.get("search"), length=40),
        year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 and year > "1900" else None,
        band=band if band in {each.value for each in RiskBand} else "",
        tier=int(tier) if tier in {str(each) for each in TIERS} else None,
    )  # fmt: skip


def find_decided(session: Session, reference: str) -> Dossier:
    """The dossier of a case that whoever is signed in may see here. Raises NotFound for any other."""
    return decided.find(session, reference, access.scope_of_current(session))


@bp.get("/assessments/<reference>")
@access.open_to(Role.AUDITOR, Role.ADMIN)
@readings.shows_answers(find_decided)
def assessment(reference: str) -> ResponseReturnValue:
    """One decided assessment: the decision, the frozen figures, the reports."""
    with edge.reading() as session:
        dossier = find_decided(session, reference)
        head = dossiers.heading(session, dossier)
        if head.is_erased:
            row = decided.show(session, reference, access.scope_of_current(session))
            all_made = reports.of_case(session, reference)
            return render_template("auditor/erased.html", head=head, row=row, reports=all_made)
        sheet = score_sheets.open_score(session, dossier, now=edge.now())
        made = [report for report in reports.of_case(session, reference) if report.state is WorkState.DONE]
    return render_template("auditor/assessment.html", head=head, sheet=sheet, decision=sheet.decision, reports=made)


@bp.get("/reports/<reference>.pdf")
@access.open_to(Role.AUDITOR, Role.ADMIN)
def report(reference: str) -> ResponseReturnValue:
    """The PDF of a decided assessment, to be saved. That it was read is in the trail before its first byte leaves."""
    with edge.writing() as session:
        find_decided(session, reports.show(session, reference).assessment)
        shown = reports.note_reading(session, reference, by=access.current_actor(), now=edge.now())
    with edge.reading() as session:
        chunks = reports.open_pdf(session, edge.services().storage, reference)
    size = shown.size or 0
    return downloads.attachment(shown.file_name, "pdf", size, chunks, is_head=request.method == "HEAD")


@bp.get("/assessments/<reference>/trail")
@access.open_to(Role.AUDITOR, Role.ADMIN)
def trail(reference: str) -> ResponseReturnValue:
    """Everything that happened to one case, the latest first."""
    with edge.reading() as session:
        dossier = find_decided(session, reference)
        head = dossiers.heading(session, dossier)
        found = events.of_case(session, dossier, number_from(request.args.get("page")))
    return render_template("auditor/trail.html", head=head, trail=found)
