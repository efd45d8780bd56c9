"""What the trail can say: who acted, and the kinds of event. `services/audit.py` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """Who can act."""

    STAFF = "staff"
    VENDOR = "vendor"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts. `id` is a user's id, a respondent session's id, or a job's name; `name` is for people."""

    kind: ActorKind
    id: str
    name: str


SYSTEM = Actor(ActorKind.SYSTEM, "system", "vendorrisk")


class EventKind(StrEnum):
    """Every kind of event; the value is what the database and exports say."""

    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    SIGNED_IN = "user.signed_in"
    SIGNED_OUT = "user.signed_out"
    SIGN_IN_FAILED = "user.sign_in_failed"
    PASSWORD_CHANGED = "user.password_changed"  # noqa: S105 - an event's name
    RESET_ASKED = "user.reset_asked"
    SIGN_IN_CONFIRMED = "user.sign_in_confirmed"
    FACTOR_ADDED = "user.factor_added"
    FACTOR_REMOVED = "user.factor_removed"
    RECOVERY_CODES_MADE = "user.recovery_codes_made"
    RECOVERY_CODE_USED = "user.recovery_code_used"
    FACTORS_RESET = "user.factors_reset"
    SIGN_INS_ENDED = "user.sign_ins_ended"
    LIMITS_CLEARED = "user.limits_cleared"
    SCOPE_SET = "user.scope_set"
    MANY_VENDORS_OPENED = "user.many_vendors_opened"
    VENDOR_ADDED = "vendor.added"
    VENDOR_CHANGED = "vendor.changed"
    VENDOR_ERASED = "vendor.erased"
    CONTACT_ADDED = "contact.added"
    CONTACT_CHANGED = "contact.changed"
    ASSESSMENT_OPENED = "assessment.opened"
    INTAKE_SAVED = "assessment.intake_saved"
    INTAKE_COMPLETED = "assessment.intake_completed"
    REQUEST_SENT = "request.sent"
    REQUEST_OPENED = "request.opened"
    REQUEST_WITHDRAWN = "request.withdrawn"
    INVITATION_ISSUED = "invitation.issued"
    CODE_SENT = "invitation.code_sent"
    CODE_REFUSED = "invitation.code_refused"
    RESPONDENT_STARTED = "respondent.started"
    ANSWER_SAVED = "answer.saved"
    EVIDENCE_ADDED = "evidence.added"
    EVIDENCE_REFUSED = "evidence.refused"
    EVIDENCE_REMOVED = "evidence.removed"
    EVIDENCE_READ = "evidence.read"
    ANSWERS_READ = "answers.read"
    REQUEST_SUBMITTED = "request.submitted"
    ANSWER_REVIEWED = "answer.reviewed"
    CONTRADICTION_DISMISSED = "contradiction.dismissed"
    SCORE_COMPUTED = "score.computed"
    DECISION_RECORDED = "decision.recorded"
    REPORT_ASKED = "report.asked"
    REPORT_MADE = "report.made"
    REPORT_FAILED = "report.failed"
    REPORT_READ = "report.read"
    LETTER_QUEUED = "letter.queued"
    LETTER_SENT = "letter.sent"
    LETTER_UNDELIVERED = "letter.undelivered"
    LETTER_RETRIED = "letter.retried"
    KEYS_ROTATED = "keys.rotated"
    KEYS_EXPORTED = "keys.exported"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    TRAIL_VERIFIED = "trail.verified"
    TRAIL_EXPORTED = "trail.exported"
    TRAIL_ACCEPTED = "trail.accepted"
