"""The checks of the send page: everything that would silently stop a request, said before it is sent.

Those about the service itself ask the rules of `health`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from vendorrisk.db.models import Assessment
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.services.casework.contacts import ContactView
from vendorrisk.services.operating import health
from vendorrisk.services.operating.health import State
from vendorrisk.services.sending import requests
from vendorrisk.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `page` is where to put it right: an endpoint of the staff pages and its reference, or nothing."""

    title: str
    state: State
    text: str
    page: str = ""
    reference: str = ""
    link_text: str = ""


def check(
    session: Session, case: Assessment, people: Sequence[ContactView], settings: Settings, *, available: int
) -> tuple[Check, ...]:
    """Every check for one case, in the order in which a person would put things right."""
    return (
        _intake(case),
        _no_open_request(session, case),
        _questionnaires(available),
        _contact(people),
        _mail(session, settings),
        _links(settings),
    )


def may_send(checks: Sequence[Check]) -> bool:
    """Whether nothing stands in the way."""
    return all(check.state is not State.STOP for check in checks)


def _intake(case: Assessment) -> Check:
    if case.status is AssessmentStatus.INTAKE:
        text = "It is not finished: the tier and what to ask depend on it."
        return Check("Intake", State.STOP, text, "staff.intake", case.reference, "Finish the intake")
    return Check("Intake", State.OK, f"Complete: tier {case.tier}.")


def _no_open_request(session: Session, case: Assessment) -> Check:
    reference = requests.open_request(session, case.id)
    if reference is not None:
        text = f"{reference} is still open. Wait for its answers, or withdraw it first."
        return Check("No open request", State.STOP, text, "staff.request_status", reference, f"Open {reference}")
    if case.status not in (AssessmentStatus.INTAKE, AssessmentStatus.READY):
        return Check("No open request", State.STOP, "The answers of this assessment have arrived already.")
    return Check("No open request", State.OK, "The vendor has no open request of this assessment.")


def _questionnaires(available: int) -> Check:
    if not available:
        return Check("Questionnaires", State.STOP, "None is loaded. Put a file into the folder questionnaires/.")
    return Check("Questionnaires", State.OK, f"{available} to choose from.")


def _contact(people: Sequence[ContactView]) -> Check:
    if not people:
        return Check("Contact", State.WARN, "The vendor has no contact yet: enter one on this page.")
    return Check("Contact", State.OK, "There is an address to write to.")


def _mail(session: Session, settings: Settings) -> Check:
    if settings.mail.startswith("file:"):
        text = "Letters are kept in a folder and mailed to nobody; after sending, pass the link on yourself."
        return Check("Mail", State.WARN, "Demo: letters go to the demo mailbox." if settings.demo else text)
    if stuck := health.letters_held_up(session):
        text = f"Earlier letters still wait for the mail server ({stuck} in all); this one may wait too."
        return Check("Mail", State.WARN, text, "staff.work", "", "See why they wait")
    return Check("Mail", State.OK, f"Letters go out through {urlsplit(settings.mail).hostname}.")


def _links(settings: Settings) -> Check:
    if health.links_lead_here_only(settings):
        text = f"It will start with {settings.base_url}, which opens on this machine only."
        return Check("Link", State.WARN, text)
    return Check("Link", State.OK, f"It will start with {settings.base_url}.")
