"""Reports: asking for the PDF of a case, waiting for it, trying a failed one again, and downloading it."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain.assessment import WorkState
from vendorrisk.domain.roles import Role
from vendorrisk.services.casework import dossiers
from vendorrisk.services.reporting import reports as service
from vendorrisk.web import access, downloads, edge
from vendorrisk.web.staff import bp
from vendorrisk.web.staff.work import FROM_LIST

_WAITING = (WorkState.QUEUED, WorkState.RUNNING)
_SECONDS = "2"


@bp.get("/assessments/<reference>/reports")
@access.open_to(Role.STAFF, Role.ADMIN)
def reports(reference: str) -> ResponseReturnValue:
    """The reports of a case, and the button that asks for one."""
    with edge.reading() as session:
        head = dossiers.heading(session, dossiers.find(session, reference))
        made = service.of_case(session, reference)
    return render_template("staff/reports/list.html", head=head, reports=made)


@bp.post("/assessments/<reference>/reports")
@access.open_to(Role.STAFF, Role.ADMIN)
def ask_for_report(reference: str) -> ResponseReturnValue:
    """Ask for the report as the case stands; where nothing has changed it is the one that is there."""
    with edge.writing() as session:
        asked = service.ask(
            session, reference, organisation=edge.services().settings.organisation, by=access.current_actor(),
            now=edge.now(),
        )  # fmt: skip
    return redirect(url_for("staff.report", reference=asked.reference), 303)


@bp.get("/reports/<reference>")
@access.open_to(Role.STAFF, Role.ADMIN)
def report(reference: str) -> ResponseReturnValue:
    """How far a report is. While it is being made, the page asks again by itself."""
    with edge.reading() as session:
        shown = service.show(session, reference)
    response = make_response(render_template("staff/reports/show.html", report=shown))
    if shown.state in _WAITING:
        # A header, for the pages' policy allows no script here, and <meta> would be the same.
        response.headers["Refresh"] = _SECONDS
    return response


@bp.post("/reports/<reference>/retry")
@access.open_to(Role.STAFF, Role.ADMIN)
def retry_report(reference: str) -> ResponseReturnValue:
    """Try a failed report again."""
    with edge.writing() as session:
        service.retry(session, reference, by=access.current_actor(), now=edge.now())
    flash("The report waits to be made again.")
    if request.args.get("back") == FROM_LIST:
        return redirect(url_for("staff.work"), 303)
    return redirect(url_for("staff.report", reference=reference), 303)


@bp.get("/reports/<reference>.pdf")
@access.open_to(Role.STAFF, Role.ADMIN)
def download_report(reference: str) -> ResponseReturnValue:
    """The PDF, to be saved."""
    with edge.writing() as session:
        shown = service.note_reading(session, reference, by=access.current_actor(), now=edge.now())
    # The event is committed before the first byte leaves.
    with edge.reading() as session:
        chunks = service.open_pdf(session, edge.services().storage, reference)
    size = shown.size or 0
    return downloads.attachment(shown.file_name, "pdf", size, chunks, is_head=request.method == "HEAD")
