"""A database with very many cases, written in bulk: what lists and Home read, as in a service of some years."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.orm import Session

from tests import builders
from vendorrisk.db import vault
from vendorrisk.db.base import Base
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus, WorkState
from vendorrisk.library import shipped
from vendorrisk.services import copies

CASES_A_VENDOR = 10
_KEYS = 40
_BATCH = 5_000
_S = AssessmentStatus
_STATES = [_S.DECIDED] * 80 + [_S.SENT] * 8 + [_S.REVIEW] * 6 + [_S.READY] * 3 + [_S.INTAKE] * 3
_BANDS = ("low", "moderate", "high", "critical")
_TABLES = ("vendors", "contacts", "assessments", "requests", "reviews", "letters")


class Filling:
    """Writes vendors with their cases, requests, reviews and letters, a batch at a time."""

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._session, self._now = session, now
        self._chance = random.Random(7)
        self._keys = [vault.add_key(session, "vendor", now=now) for _ in range(_KEYS)]
        self._sealed = {
            (key_id, what): vault.seal_text(session, key_id, f"A {what} of ordinary length", context=what)
            for key_id in self._keys
            for what in ("vendor.name", "vendor.website", "assessment.service", "contact.name", "letter.content")
        }
        self._intake = copies.keep(session, shipped.load().questionnaires["intake"], now=now)
        self._asked = copies.keep(session, builders.tiny(), now=now)
        self._rules = copies.keep_rules(session, shipped.load().rules, now=now)
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def write(self, cases: int) -> None:
        """So many assessments, ten to a vendor."""
        for number in range(cases // CASES_A_VENDOR):
            self._vendor(number)
            if number % (_BATCH // CASES_A_VENDOR) == 0:
                self._flush()
        self._flush()

    def _flush(self) -> None:
        for name in _TABLES:
            if self._rows[name]:
                self._session.connection().execute(insert(Base.metadata.tables[name]), self._rows.pop(name))

    def _ago(self, days: float) -> datetime:
        return self._now - timedelta(days=self._chance.random() * days)

    def _vendor(self, number: int) -> None:
        key_id, vendor_id, contact_id = self._keys[number % _KEYS], uuid4(), uuid4()
        self._rows["vendors"].append({
            "id": vendor_id, "reference": f"V-{number:05d}", "key_id": key_id, "active_at": self._ago(1500),
            "name": self._sealed[key_id, "vendor.name"], "website": self._sealed[key_id, "vendor.website"],
            "created_at": self._now, "version": 1,
        })  # fmt: skip
        self._rows["contacts"].append({
            "id": contact_id, "vendor_id": vendor_id, "name": self._sealed[key_id, "contact.name"],
            "email": self._sealed[key_id, "contact.name"], "is_primary": True, "created_at": self._now,
        })  # fmt: skip
        for each in range(CASES_A_VENDOR):
            self._case(number * CASES_A_VENDOR + each, key_id, vendor_id, contact_id)

    def _case(self, number: int, key_id: UUID, vendor_id: UUID, contact_id: UUID) -> None:
        status, at, rated = self._chance.choice(_STATES), self._ago(1500), self._chance.random() < 0.9
        case_id, decided = uuid4(), status is _S.DECIDED
        was_sent = status not in (_S.INTAKE, _S.READY)
        due = self._now + timedelta(days=self._chance.uniform(-20, 30)) if status is _S.SENT else at
        self._rows["assessments"].append({
            "id": case_id, "reference": f"A-2026-{number:06d}", "vendor_id": vendor_id, "status": status,
            "service": self._sealed[key_id, "assessment.service"], "intake_copy": self._intake,
            "tier": None if status is _S.INTAKE else self._chance.randint(1, 4),
            "band": self._chance.choice(_BANDS) if decided or (rated and status is _S.REVIEW) else None,
            "provisional": not decided and number % 3 == 0, "flags_critical": 0, "flags_high": 0, "flags_medium": 0,
            "due_at": due if was_sent else None,
            "decided_at": at if decided else None, "active_at": at, "created_at": at, "version": 1,
        })  # fmt: skip
        if was_sent:
            self._request(number, case_id, key_id, vendor_id, contact_id, status, at, due)

    def _request(
        self, number: int, case_id: UUID, key_id: UUID, vendor_id: UUID, contact_id: UUID, status: _S, at: datetime,
        due: datetime,
    ) -> None:  # fmt: skip
        request_id, is_live = uuid4(), status is _S.SENT
        self._rows["requests"].append({
            "id": request_id, "reference": f"R-{number:06d}", "assessment_id": case_id, "vendor_id": vendor_id,
            "contact_id": contact_id, "copies": [self._asked], "rules_copy": self._rules,
            "status": RequestStatus.OPEN if is_live else RequestStatus.SUBMITTED, "code_required": True, "due_at": due,
            "zone": "UTC", "closes_at": due + timedelta(days=14), "sent_at": at - timedelta(days=1), "answered": 1,
            "visible": 3, "submitted_at": None if is_live else at,
        })  # fmt: skip
        if status is _S.DECIDED or number % 2:
            self._rows["reviews"].append({
                "request_id": request_id, "question_id": "remote_access", "answer_version": 1, "at": at,
                "evidence": EvidenceLevel.CLAIMED,
            })  # fmt: skip
        came_back = is_live and self._chance.random() < 0.02
        self._rows["letters"].append({
            "id": uuid4(), "kind": "invitation", "request_id": request_id, "created_at": at,
            "content": self._sealed[key_id, "letter.content"], "attempts": 1,
            "state": WorkState.FAILED if came_back else WorkState.DONE,
            "not_before": at, "message_id": f"<{request_id}@bench.example>",
        })  # fmt: skip
