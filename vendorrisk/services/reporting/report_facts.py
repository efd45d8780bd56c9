"""Gathers from the database everything that a report of one case says; called by `reports`."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Event, Evidence, EvidenceUse, Request, User
from vendorrisk.domain import contradictions
from vendorrisk.domain import inherent as inherent_score
from vendorrisk.domain.assessment import Outcome
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.questionnaire import Question
from vendorrisk.reports import figures, view
from vendorrisk.reports.facts import Facts, Heading, SetAside, Told
from vendorrisk.services import actors, audit, copies
from vendorrisk.services.answering import answer_rows, answers
from vendorrisk.services.answering.answers import StoredAnswer
from vendorrisk.services.auditing import sealing
from vendorrisk.services.auditing import trail as events
from vendorrisk.services.casework import intake
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.services.reviewing import decisions, score_sheets
from vendorrisk.services.reviewing.decisions import DecisionView
from vendorrisk.services.reviewing.score_sheets import ScoreSheet

MOST_EVENTS = 40
OUTCOMES = {
    Outcome.APPROVED: "Approved",
    Outcome.WITH_CONDITIONS: "Approved with conditions",
    Outcome.REJECTED: "Rejected",
}
_NOT_PRINTED = frozenset(
    {
        EventKind.REPORT_ASKED, EventKind.REPORT_MADE, EventKind.REPORT_FAILED, EventKind.REPORT_READ,
        EventKind.ANSWERS_READ, EventKind.EVIDENCE_READ,
    }
)  # fmt: skip
"""Reports and readings would change the report that they are about: asking twice would never give the same."""
_TOLD = ("question", "request", "state", "origin", "version", "rule", "band", "outcome", "sha256")
"""The details of an event that are printed: no reviewer's note, no address."""


def gather(session: Session, dossier: Dossier, reference: str, *, organisation: str, by: Actor, now: datetime) -> Facts:
    """Everything that the report says. Raises WrongState before sending and before the intake is complete."""
    request = dossier.sent
    sheet = score_sheets.open_score(session, dossier, now=now)
    stored = answer_rows.load(session, request, sheet.questions)
    return Facts(
        heading=_heading(session, dossier, reference, organisation, by, now),
        questionnaires=sheet.questionnaires,
        digests={q.id: digest for q, digest in zip(sheet.questionnaires, sheet.digests, strict=True)},
        answers=answers.as_domain(stored, contradictions.contradicted(sheet.working.hits)),
        told={name: _told(answer) for name, answer in stored.items()},
        score=sheet.score,
        inputs_hash=sheet.inputs_hash,
        rules_version=copies.rules(session, request.rules_copy).version,
        rules_digest=request.rules_copy,
        hits=sheet.working.hits,
        set_aside=tuple(SetAside(aside.hit, aside.reason, aside.by) for aside in sheet.asides),
        tier_reasons=_tier_reasons(session, dossier),
        decision=_decision(sheet.decision) if sheet.decision else None,
        files=_files(session, request, sheet),
        trail=_trail(session, dossier),
        head=_head(session),
    )


def decision_id(session: Session, dossier: Dossier) -> UUID | None:
    """The decision that the report tells of, where there is one."""
    decision = decisions.of(session, dossier)
    return decision.id if decision else None


def _heading(
    session: Session, dossier: Dossier, reference: str, organisation: str, by: Actor, now: datetime
) -> Heading:
    case, vendor, request = dossier.case, dossier.vendor, dossier.sent
    owner = session.get(User, case.owner_id) if case.owner_id else None
    return Heading(
        reference=reference, asked_at=figures.moment(now), asked_by=by.name, organisation=organisation,
        vendor=vault.open_text(session, vendor.name, context="vendor.name"), vendor_reference=vendor.reference,
        service=vault.open_text(session, case.service, context="assessment.service"), assessment=case.reference,
        request=request.reference, sent_at=figures.moment(request.sent_at),
        submitted_at=figures.moment(request.submitted_at) if request.submitted_at else "",
        owner=actors.name(owner),
    )  # fmt: skip


def _told(stored: StoredAnswer) -> Told:
    return Told(stored.by, stored.origin, stored.answered_on, stored.said.comment, stored.said.source)


def _tier_reasons(session: Session, dossier: Dossier) -> tuple[str, ...]:
    """Why this tier; nothing where the intake does not give the figure that the score was computed with."""
    asked = intake.questionnaire(session, dossier.case)
    given = intake.answers(session, dossier.case, asked)
    found = inherent_score.inherent(asked, given)
    if dossier.case.inherent is None or abs(found.value - dossier.case.inherent) >= Decimal("0.0001"):
        return ()
    return inherent_score.reasons(found, asked, given)


def _decision(decision: DecisionView) -> view.Decision:
    return view.Decision(
        outcome=OUTCOMES[decision.outcome], reason=decision.reason, by=decision.decided_by,
        at=figures.moment(decision.decided_at), valid_until=figures.day(decision.valid_until),
        conditions=tuple(view.Condition(c.what, c.owner, figures.day(c.due)) for c in decision.conditions),
    )  # fmt: skip


def _files(session: Session, request: Request, sheet: ScoreSheet) -> tuple[view.File, ...]:
    """The register of evidence, removed files too: the trail names them."""
    uses: dict[UUID, list[str]] = {}
    used = select(EvidenceUse.evidence_id, EvidenceUse.question_id).where(EvidenceUse.request_id == request.id)
    for evidence_id, question_id in session.execute(used.order_by(EvidenceUse.question_id)):
        uses.setdefault(evidence_id, []).append(_code(sheet.questions.get(question_id), question_id))
    rows = select(Evidence).where(Evidence.request_id == request.id).order_by(Evidence.uploaded_at, Evidence.id)
    return tuple(_file(session, row, uses.get(row.id, [])) for row in session.scalars(rows))


def _code(question: Question | None, question_id: str) -> str:
    return question.code if question else question_id


def _file(session: Session, row: Evidence, codes: list[str]) -> view.File:
    return view.File(
        name=vault.open_text(session, row.name, context="evidence.name"), kind=row.kind, size=row.size,
        sha256=vault.open_optional(session, row.sha256, context="evidence.sha256"),
        uploaded_at=figures.moment(row.uploaded_at),
        uploaded_by=vault.open_text(session, row.uploaded_by, context="evidence.uploaded_by"),
        removed_at=figures.moment(row.removed_at) if row.removed_at else "",
        scan=f"no virus found on {figures.day(row.scanned_at.date())}" if row.scanned_at else "not scanned",
        codes=tuple(codes),
    )  # fmt: skip


def _trail(session: Session, dossier: Dossier) -> view.Trail:
    """The last events of the case in words, and how many there are of each kind."""
    mine = (
        Event.object_kind == "assessment", Event.object_id == dossier.case.id,
        Event.kind.not_in([kind.value for kind in _NOT_PRINTED]),
    )  # fmt: skip
    counted = session.execute(select(Event.kind, func.count()).where(*mine).group_by(Event.kind))
    kinds = Counter({_did(kind): number for kind, number in counted})
    rows = session.scalars(select(Event).where(*mine).order_by(Event.number.desc()).limit(MOST_EVENTS)).all()
    return view.Trail(
        total=kinds.total(), events=tuple(_event(session, row) for row in reversed(rows)),
        counts=tuple(sorted(kinds.items())), head=rows[0].mac.hex() if rows else "",
    )  # fmt: skip


def _head(session: Session) -> view.Head | None:
    """The end of the whole trail's chain at this moment; none while nothing is sealed yet."""
    last = sealing.head(session)
    return view.Head(last.position, last.chain.hex(), figures.moment(last.sealed_at)) if last else None


def _did(kind: str) -> str:
    return {known.value: words for known, words in events.DID.items()}.get(kind, kind)


def _event(session: Session, row: Event) -> view.Event:
    body = vault.open_json(session, row.details, context=audit.CONTEXT)
    about = [f"{events.label(key)} {events.said(body[key])}" for key in _TOLD if body.get(key)]
    actor = f"{body['by']} ({events.ACTORS.get(row.actor_kind, row.actor_kind)})"
    return view.Event(row.number, figures.moment(row.at), _did(row.kind), actor, ", ".join(about))
