"""Frozen copies of questionnaires and rules: what was sent stays what it was, whatever the files become."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db.models import Copy
from vendorrisk.domain import rules_schema, schema
from vendorrisk.domain.contradictions import RuleSet
from vendorrisk.domain.errors import NotFound
from vendorrisk.domain.questionnaire import Question, Questionnaire

T = TypeVar("T")
_KEPT = 256
_questionnaires: dict[str, Questionnaire] = {}
_rules: dict[str, RuleSet] = {}
"""Parsed copies by digest. A digest never changes its meaning, so entries never go stale; sharing one object per digest
lets the compiled plans be shared too."""


def keep(session: Session, questionnaire: Questionnaire, *, now: datetime) -> str:
    """Store the questionnaire as it is now, once; returns its digest."""
    return _keep(session, schema.digest(questionnaire), "questionnaire", schema.to_plain(questionnaire), now)


def keep_rules(session: Session, rules: RuleSet, *, now: datetime) -> str:
    """Store the contradiction rules as they are now, once; returns their digest."""
    plain = rules_schema.rules_to_plain(rules)
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return _keep(session, digest, "rules", plain, now)


def _keep(session: Session, digest: str, kind: str, plain: dict[str, Any], now: datetime) -> str:
    if session.get(Copy, digest) is None:
        session.add(Copy(digest=digest, kind=kind, plain=plain, created_at=now))
        session.flush()
    return digest


def questionnaires(session: Session, digests: Sequence[str]) -> tuple[Questionnaire, ...]:
    """The questionnaires with these digests, in this order; at most one query."""
    found = {digest: known for digest in digests if (known := _questionnaires.get(digest)) is not None}
    for digest, plain in _load(session, [digest for digest in digests if digest not in found]).items():
        found[digest] = _remember(_questionnaires, digest, schema.parse(plain))
    return tuple(found[digest] for digest in digests)


@lru_cache(maxsize=_KEPT)
def questions_by_id(questionnaires: tuple[Questionnaire, ...]) -> Mapping[str, Question]:
    """All questions of a request by id."""
    return MappingProxyType({question.id: question for questionnaire in questionnaires for question in questionnaire})


def rules(session: Session, digest: str) -> RuleSet:
    """The rules with this digest."""
    known = _rules.get(digest)
    if known is None:
        known = _remember(_rules, digest, rules_schema.parse_rules(_load(session, [digest])[digest], None))
    return known


def _load(session: Session, digests: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not digests:
        return {}
    found = {copy.digest: copy.plain for copy in session.scalars(select(Copy).where(Copy.digest.in_(digests)))}
    if missing := set(digests) - found.keys():
        raise NotFound(f"no copy with digest {min(missing)}")
    return found


def _remember(cache: dict[str, T], digest: str, value: T) -> T:
    if len(cache) >= _KEPT:
        cache.clear()
    cache[digest] = value
    return value
