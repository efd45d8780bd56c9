"""Every table. Import rows from here: `from vendorrisk.db.models import Vendor`."""

from vendorrisk.db.models.assessments import (
    AccessCode,
    Answer,
    Assessment,
    Attempt,
    Copy,
    Invitation,
    Request,
    RespondentSession,
)
from vendorrisk.db.models.evidence import Evidence, EvidenceUse
from vendorrisk.db.models.files import StoredFile
from vendorrisk.db.models.letters import Letter
from vendorrisk.db.models.people import AuditorScope, AuditorScopeVendor, Passkey, RecoveryCode, Role, SignIn, User
from vendorrisk.db.models.reviews import Decision, Dismissal, Report, Review, Score
from vendorrisk.db.models.trail import Event, Link, MailedHead
from vendorrisk.db.models.vendors import Contact, DataKey, IndexTerm, Vendor

__all__ = [
    "AccessCode",
    "Answer",
    "Assessment",
    "Attempt",
    "AuditorScope",
    "AuditorScopeVendor",
    "Contact",
    "Copy",
    "DataKey",
    "Decision",
    "Dismissal",
    "Event",
    "Evidence",
    "EvidenceUse",
    "IndexTerm",
    "Invitation",
    "Letter",
    "Link",
    "MailedHead",
    "Passkey",
    "RecoveryCode",
    "Report",
    "Request",
    "RespondentSession",
    "Review",
    "Role",
    "Score",
    "SignIn",
    "StoredFile",
    "User",
    "Vendor",
]
