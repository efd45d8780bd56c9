"""The words for reviews, scores and decisions, said once for the pages of staff and of auditors."""

from __future__ import annotations

from typing import Any

from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import Origin, Outcome
from vendorrisk.domain.bands import RiskBand
from vendorrisk.domain.flags import FlagKind
from vendorrisk.domain.progress import AnswerState
from vendorrisk.services.reviewing.answer_sheets import Standing

EVIDENCE: dict[EvidenceLevel, tuple[str, str]] = {
    EvidenceLevel.CLAIMED: ("Claimed", "Somebody says so; nothing was looked at. Counts 70 %."),
    EvidenceLevel.EVIDENCED: ("Evidenced", "A file or source in date says so, and you have opened it. Counts 85 %."),
    EvidenceLevel.VERIFIED: (
        "Verified", "An independent report covers it, or we tested it ourselves. Counts in full.",
    ),
}  # fmt: skip

ORIGINS: dict[Origin, str] = {
    Origin.VENDOR: "The vendor",
    Origin.STAFF: "Staff, on the vendor’s behalf",
    Origin.PUBLIC: "Public facts",
}

OUTCOMES: dict[Outcome, str] = {
    Outcome.APPROVED: "Approved",
    Outcome.WITH_CONDITIONS: "Approved with conditions",
    Outcome.REJECTED: "Rejected",
}

FLAG_KINDS: dict[FlagKind, str] = {
    FlagKind.ANSWER: "Set off by the answer",
    FlagKind.UNANSWERED: "Not answered: the worst possible answer is assumed",
    FlagKind.CONTRADICTED: "Contradicted by another answer: the worst possible answer is assumed",
    FlagKind.NOT_APPLICABLE: "“Not applicable” is not approved: the worst possible answer is assumed",
    FlagKind.INCONSISTENT: "Does not fit another answer",
}

STATES: dict[AnswerState, str] = {
    AnswerState.ANSWERED: "Answered",
    AnswerState.UNANSWERED: "Not answered",
    AnswerState.NA_PENDING: "Not applicable, not approved",
    AnswerState.NA_APPROVED: "Not applicable, approved",
    AnswerState.UNKNOWN: "“Do not know”",
    AnswerState.HIDDEN: "Not asked",
}

ICONS: dict[Standing, str] = {
    Standing.TO_REVIEW: "todo",
    Standing.CHANGED: "changed",
    Standing.NA_TO_DECIDE: "ask",
    Standing.NA_APPROVED: "done",
    Standing.NA_REFUSED: "refused",
    Standing.REVIEWED: "done",
    Standing.UNANSWERED: "none",
}
"""The shape beside each standing (templates/review/parts.html draws it)."""

SHOW: dict[str, str] = {
    "all": "All",
    "review": "To review",
    "na": "N/A to decide",
    "flagged": "Flagged",
    "contradicted": "Contradicted",
    "unanswered": "Unanswered",
}

REACH: dict[RiskBand, str] = {
    RiskBand.LOW: "below 15",
    RiskBand.MODERATE: "15 to below 35",
    RiskBand.HIGH: "35 to below 60",
    RiskBand.CRITICAL: "60 and more",
    RiskBand.NOT_ASSESSED: "nothing to assess",
}

FOR_TEMPLATES: dict[str, Any] = {
    "EVIDENCE": EVIDENCE, "ORIGINS": ORIGINS, "OUTCOMES": OUTCOMES, "FLAG_KINDS": FLAG_KINDS, "STATES": STATES,
    "ICONS": ICONS, "SHOW": SHOW, "REACH": REACH,
}  # fmt: skip
"""What a blueprint's context processor hands to all its templates."""
