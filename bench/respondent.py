"""A request with all three questionnaires and a respondent who has passed the code; for benchmarks and fault tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from tests import builders
from vendorrisk.db.models import Request
from vendorrisk.domain.questionnaire import Questionnaire
from vendorrisk.library import shipped
from vendorrisk.services.answering import sittings
from vendorrisk.services.sending import invitations


@dataclass(frozen=True, slots=True)
class Respondent:
    """Somebody who may answer: their request, and the cookie of their browser."""

    request: Request
    cookie: str

    @property
    def reference(self) -> str:
        """The request's reference, which stands in the addresses of their pages."""
        return self.request.reference


def themes() -> list[Questionnaire]:
    """The questionnaires that vendors are sent."""
    return [each for each in shipped.load().questionnaires.values() if each.id != "intake"]


def seat(session: Session, *, now: datetime) -> Respondent:
    """Send the questionnaires, pass the code, say who answers."""
    request = builders.add_request(session, questionnaires=themes(), now=now)
    link = invitations.find(session, builders.add_link(session, request, now=now), now=now)
    assert link is not None
    cookie = sittings.start(session, link, now=now)
    sitting = sittings.find(session, request.reference, cookie, now=now)
    sittings.introduce(session, sitting, "Victor Lang", "Head of security", now=now)
    return Respondent(request, cookie)
