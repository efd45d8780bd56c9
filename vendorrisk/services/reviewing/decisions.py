"""Decisions: approving, approving with conditions or rejecting a service; a decision freezes the case.

Called by the staff's decision page and by whatever shows a decided case. The list of them stands in `decided`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Decision, Score, User
from vendorrisk.domain import assessment as states
from vendorrisk.domain import plain_values
from vendorrisk.domain.assessment import AssessmentStatus, Outcome, RequestStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import InvalidAnswer, WrongState
from vendorrisk.services import actors, audit
from vendorrisk.services.answering import scores
from vendorrisk.services.answering.scores import Scored, StoredScore
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.services.reviewing import reviews
from vendorrisk.services.reviewing.reviews import Overtaken

LONGEST_YEARS = 3
MOST_CONDITIONS = 20
CONDITION_LENGTH = 1_000
OWNER_LENGTH = 200
_REASON, _CONDITIONS = "decision.reason", "decision.conditions"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that has to be done, by whom, by when."""

    what: str
    owner: str
    due: date


@dataclass(frozen=True, slots=True)
class NewDecision:
    """What somebody decides. `accepts_provisional` says that they know what is still open."""

    outcome: Outcome
    reason: str
    valid_until: date
    conditions: tuple[Condition, ...] = ()
    accepts_provisional: bool = False


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision, opened."""

    id: UUID
    outcome: Outcome
    reason: str
    conditions: tuple[Condition, ...]
    valid_until: date
    decided_by: str
    decided_at: datetime
    score: StoredScore


def default_validity(today: date) -> date:
    """A year from today."""
    return years_after(today, 1)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; 28 February for the 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def decide(
    session: Session, reference: str, new: NewDecision, *, by: Actor, now: datetime, seen: str | None = None
) -> Decision:
    """Record the decision and freeze the case with its last score.

    `seen` is the inputs hash of the score that stood on the page: reviews.Overtaken where it is another by now.
    Raises InvalidAnswer for what cannot be decided like that, WrongState where the answers are not in, where
    something is decided already, or where a provisional score was not accepted.
    """
    dossier = dossiers.find(session, reference, for_update=True)
    check_open(dossier)
    new = checked(new, today=now.date())
    scored = scores.compute(session, dossier.sent, by=by, now=now)
    if seen not in (None, scored.inputs_hash):
        raise Overtaken("The score has changed while you were deciding. This is how it stands now.")
    if scored.score.provisional and not new.accepts_provisional:
        raise WrongState("The score is provisional: say that you decide although something is still open.")
    states.check_assessment_move(dossier.case.status, AssessmentStatus.DECIDED)
    row = Decision(
        assessment_id=dossier.case.id, score_id=_kept_score(session, dossier, scored, now=now), outcome=new.outcome,
        reason=vault.seal_text(session, dossier.key_id, new.reason, context=_REASON),
        conditions=_sealed_conditions(session, dossier, new.conditions), valid_until=new.valid_until,
        decided_by=actors.user_id(by), decided_at=now,
    )  # fmt: skip
    session.add(row)
    dossier.case.status, dossier.case.decided_at, dossier.case.active_at = AssessmentStatus.DECIDED, now, now
    session.flush()
    _record(session, dossier, new, scored, by=by, now=now)
    return row


def check_open(dossier: Dossier) -> None:
    """Raise WrongState unless the case can be decided now."""
    if dossier.case.status is AssessmentStatus.DECIDED:
        raise WrongState("This assessment has been decided already. A decision is never changed.")
    if not dossier.can_review or dossier.sent.status is not RequestStatus.SUBMITTED:
        raise WrongState("It cannot be decided yet: the answers are not in.")


def checked(new: NewDecision, *, today: date) -> NewDecision:
    """The decision, trimmed. Raises InvalidAnswer where something is missing or out of bounds."""
    reason = reviews.reason_from(new.reason)
    if not today < new.valid_until <= years_after(today, LONGEST_YEARS):
        raise InvalidAnswer(f"The decision must hold beyond today, and {LONGEST_YEARS} years at most.")
    if new.outcome is not Outcome.WITH_CONDITIONS:
        if new.conditions:
            raise InvalidAnswer("Conditions belong to an approval with conditions only.")
        return NewDecision(new.outcome, reason, new.valid_until, (), new.accepts_provisional)
    if not 1 <= len(new.conditions) <= MOST_CONDITIONS:
        raise InvalidAnswer(f"An approval with conditions has 1 to {MOST_CONDITIONS} conditions.")
    conditions = tuple(checked_condition(condition, today=today) for condition in new.conditions)
    return NewDecision(new.outcome, reason, new.valid_until, conditions, new.accepts_provisional)


def checked_condition(condition: Condition, *, today: date) -> Condition:
    """A condition, trimmed. Raises InvalidAnswer."""
    what = plain_values.read_text(condition.what, max_length=CONDITION_LENGTH)
    owner = plain_values.read_text(condition.owner, max_length=OWNER_LENGTH)
    if not what or not owner:
        raise InvalidAnswer("A condition says what is to be done and who sees to it.")
    if condition.due < today:
        raise InvalidAnswer("A condition's due date must not lie in the past.")
    return Condition(what, owner, condition.due)


def _sealed_conditions(session: Session, dossier: Dossier, conditions: tuple[Condition, ...]) -> bytes | None:
    if not conditions:
        return None
    plain = [{"what": each.what, "owner": each.owner, "due": each.due.isoformat()} for each in conditions]
    return vault.seal_json(session, dossier.key_id, plain, context=_CONDITIONS)


def _kept_score(session: Session, dossier: Dossier, scored: Scored, *, now: datetime) -> UUID:
    # By its inputs, not as "the latest": two scores of one moment with the same inputs are the same score.
    same = select(Score.id).where(
        Score.assessment_id == dossier.case.id, Score.inputs_hash == scored.inputs_hash, Score.computed_at == now
    )
    return session.scalars(same.limit(1)).one()


def _record(session: Session, dossier: Dossier, new: NewDecision, scored: Scored, *, by: Actor, now: datetime) -> None:
    details = {
        "outcome": new.outcome.value, "reason": new.reason, "valid_until": new.valid_until.isoformat(),
        "conditions": len(new.conditions), "band": scored.score.band.value,
        "provisional": scored.score.provisional,
        "inputs": scored.inputs_hash,
    }  # fmt: skip
    audit.record(
        session, EventKind.DECISION_RECORDED, object_kind="assessment", object_id=dossier.case.id,
        key_id=dossier.key_id, by=by, now=now, details=details,
    )  # fmt: skip


def of(session: Session, dossier: Dossier) -> DecisionView | None:
    """The decision of a case with the score that was frozen, or None."""
    query = (
        select(Decision, Score, User)
        .join(Score, Score.id == Decision.score_id)
        .outerjoin(User, User.id == Decision.decided_by)
        .where(Decision.assessment_id == dossier.case.id)
        .order_by(Decision.decided_at.desc(), Decision.id)
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    row, score, user = found
    return DecisionView(
        id=row.id, outcome=row.outcome, reason=vault.open_text(session, row.reason, context=_REASON),
        conditions=_opened_conditions(session, row), valid_until=row.valid_until, decided_by=actors.name(user),
        decided_at=row.decided_at, score=scores.opened(session, score),
    )  # fmt: skip


def _opened_conditions(session: Session, row: Decision) -> tuple[Condition, ...]:
    plain = vault.open_json(session, row.conditions, context=_CONDITIONS) if row.conditions else []
    return tuple(Condition(each["what"], each["owner"], date.fromisoformat(each["due"])) for each in plain)
