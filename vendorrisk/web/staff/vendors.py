"""Vendors: the list, one vendor, adding and changing one, its contacts, opening an assessment."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vendorrisk.domain import plain_values
from vendorrisk.domain.errors import WrongState
from vendorrisk.domain.roles import Role
from vendorrisk.services.casework import assessments, cases, contacts, vendor_search, vendors
from vendorrisk.services.operating import erasure
from vendorrisk.services.paging import number_from
from vendorrisk.web import access, edge, watch
from vendorrisk.web import forms as shared
from vendorrisk.web.staff import bp, words
from vendorrisk.web.staff.forms import AddVendorForm, ContactForm, ServiceForm, VendorForm, text_of


@bp.get("/vendors")
@access.open_to(Role.STAFF, Role.ADMIN)
def vendor_list() -> ResponseReturnValue:
    """All vendors, a page at a time; filters are in the address."""
    filters = _filters()
    with edge.reading() as session:
        page = vendor_search.page(session, filters, number_from(request.args.get("page")))
    watch.listed([row.id for row in page.items])
    return render_template("staff/vendors/list.html", page=page, filters=filters, unrated=cases.UNRATED)


def _filters() -> vendor_search.Filters:
    args = request.args
    tier, band, sort = args.get("tier", ""), args.get("band", ""), args.get("sort", "")
    return vendor_search.Filters(
        search=shared.sought(args.get("search"), length=200),
        tier=int(tier) if tier in {str(each) for each in words.TIERS} else None,
        band=band if band in (*words.BANDS, cases.UNRATED) else "",
        sort=sort if sort in ("activity", "reference", "tier") else "activity",
    )


@bp.route("/vendors/new", methods=["GET", "POST"])
@access.open_to(Role.STAFF, Role.ADMIN)
def add_vendor() -> ResponseReturnValue:
    """Add a vendor. One that looks like a known vendor is shown first; nothing typed is lost."""
    form = AddVendorForm()
    if request.method != "POST":
        return render_template("staff/vendors/new.html", form=form, doubles=())
    if not form.validate():
        return render_template("staff/vendors/new.html", form=form, doubles=(), errors=shared.problems(form)), 422
    new = form.new_vendor(form.contact())
    seen = set((form.anyway.data or "").split())
    with edge.writing() as session:
        doubles = vendor_search.doubles(session, new)
        if {double.reference for double in doubles} <= seen:
            added = vendors.add(session, new, by=access.current_actor(), now=edge.now())
            return redirect(url_for("staff.vendor", reference=added.reference), 303)
    form.anyway.data = " ".join(sorted(seen | {double.reference for double in doubles}))
    return render_template("staff/vendors/new.html", form=form, doubles=doubles), 409


@bp.get("/vendors/<reference>")
@access.open_to(Role.STAFF, Role.ADMIN)
def vendor(reference: str) -> ResponseReturnValue:
    """One vendor: what comes next, its assessments and its contacts."""
    with edge.reading() as session:
        row = vendors.get(session, reference)
        assessed = assessments.of_vendor(session, row.id, now=edge.now())
        erased = erasure.of_vendor(session, row)
        if erased is not None:
            return render_template("staff/vendors/erased.html", reference=row.reference, erased=erased, cases=assessed)
        shown = vendors.view(session, row)
        people = contacts.of_vendor(session, row.id)
    return render_template(
        "staff/vendors/show.html", vendor=shown, contacts=people, cases=assessed,
        may_erase=Role.ADMIN in access.roles_of_current(),
    )  # fmt: skip


@bp.route("/vendors/<reference>/edit", methods=["GET", "POST"])
@access.open_to(Role.STAFF, Role.ADMIN)
def edit_vendor(reference: str) -> ResponseReturnValue:
    """Change a vendor's names and website."""
    form = VendorForm()
    with edge.reading() as session:
        shown = vendors.view(session, vendors.get(session, reference))
    if request.method != "POST":
        aliases = "\n".join(shown.aliases)
        form = VendorForm(name=shown.name, website=shown.website, aliases=aliases, version=shown.version)
        return render_template("staff/vendors/edit.html", form=form, vendor=shown)
    if not form.validate():
        return render_template("staff/vendors/edit.html", form=form, vendor=shown, errors=shared.problems(form)), 422
    try:
        with edge.writing() as session:
            row = vendors.get(session, reference)
            expected = plain_values.read_count(form.version.data or "")
            vendors.change(
                session, row, form.new_vendor(), expected=expected, by=access.current_actor(), now=edge.now()
            )
    except WrongState as error:
        form.version.data = str(shown.version)
        return render_template("staff/vendors/edit.html", form=form, vendor=shown, conflict=str(error)), 409
    flash("The vendor was changed.")
    return redirect(url_for("staff.vendor", reference=reference), 303)


@bp.route("/vendors/<reference>/contacts/new", methods=["GET", "POST"])
@access.open_to(Role.STAFF, Role.ADMIN)
def add_contact(reference: str) -> ResponseReturnValue:
    """Add somebody who can be asked."""
    return _contact_page(reference, None)


@bp.route("/vendors/<reference>/contacts/<uuid:contact_id>", methods=["GET", "POST"])
@access.open_to(Role.STAFF, Role.ADMIN)
def edit_contact(reference: str, contact_id: UUID) -> ResponseReturnValue:
    """Change a contact."""
    return _contact_page(reference, contact_id)


def _contact_page(reference: str, contact_id: UUID | None) -> ResponseReturnValue:
    with edge.reading() as session:
        row = vendors.get(session, reference)
        shown = vendors.view(session, row)
        known = contacts.view(session, contacts.get(session, row, contact_id)) if contact_id else None
    form = ContactForm(obj=known)
    if request.method != "POST":
        return render_template("staff/vendors/contact.html", form=form, vendor=shown, contact=known)
    if not form.validate():
        return render_template(
            "staff/vendors/contact.html", form=form, vendor=shown, contact=known, errors=shared.problems(form)
        ), 422
    with edge.writing() as session:
        row = vendors.get(session, reference)
        if contact_id is None:
            contacts.add(session, row, form.new_contact(), by=access.current_actor(), now=edge.now())
        else:
            contacts.change(session, row, contact_id, form.new_contact(), by=access.current_actor(), now=edge.now())
    flash("The contact was saved.")
    return redirect(url_for("staff.vendor", reference=reference) + "#contacts", 303)


@bp.route("/vendors/<reference>/assessments/new", methods=["GET", "POST"])
@access.open_to(Role.STAFF, Role.ADMIN)
def open_assessment(reference: str) -> ResponseReturnValue:
    """Open an assessment of one service and go on to its intake."""
    form = ServiceForm()
    with edge.reading() as session:
        shown = vendors.view(session, vendors.get(session, reference))
    if request.method != "POST":
        return render_template("staff/assessments/new.html", form=form, vendor=shown)
    if not form.validate():
        return render_template("staff/assessments/new.html", form=form, vendor=shown, errors=shared.problems(form)), 422
    with edge.writing() as session:
        case = assessments.open_case(
            session, shown.id, text_of(form.service), intake=edge.services().library.questionnaires["intake"],
            by=access.current_actor(), now=edge.now(),
        )  # fmt: skip
    return redirect(url_for("staff.intake", reference=case.reference), 303)
