"""The answers that the demonstration tells: read from the YAML files beside this module, dates counted from today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from vendorrisk.domain import question_types
from vendorrisk.domain.answers import Answer, EvidenceLevel, Value
from vendorrisk.domain.questionnaire import Question, Questionnaire

_FOLDER = Path(__file__).parent
_DAYS_AGO = re.compile(r"today-(\d+)d")


@dataclass(frozen=True, slots=True)
class Told:
    """One answer of the file. `source` is a link where the answer comes from public facts."""

    question: Question
    value: Value | None
    comment: str
    source: str
    files: tuple[str, ...]
    evidence: EvidenceLevel
    grade: str | None


@lru_cache(maxsize=4)
def _file(name: str) -> dict[str, Any]:
    from ruamel.yaml import YAML

    with (_FOLDER / f"{name}.yaml").open(encoding="utf-8") as file:
        plain: dict[str, Any] = YAML(typ="safe", pure=True).load(file)
    return plain


def facts(name: str) -> dict[str, Any]:
    """What the file says of the vendor itself: name, website, service, contact."""
    return {key: value for key, value in _file(name).items() if key in ("name", "website", "service", "contact")}


def intake(name: str, asked: Questionnaire) -> dict[str, Answer]:
    """The intake's answers by question id."""
    return coded(asked, _file(name)["intake"])


def coded(asked: Questionnaire, plain: Mapping[str, Any]) -> dict[str, Answer]:
    """Answers given as plain values by code, by question id."""
    return {
        asked.by_code[code].id: Answer(question_types.from_plain(asked.by_code[code], _text(value)))
        for code, value in plain.items()
    }


def changed(given: list[Told], plain: Mapping[str, Any], *, without: tuple[str, ...] = ()) -> list[Told]:
    """The answers with some said otherwise (by code) and some left out."""
    return [
        replace(one, value=question_types.from_plain(one.question, plain[one.question.code]), comment="")
        if one.question.code in plain
        else one
        for one in given
        if one.question.code not in without
    ]


def told(name: str, questionnaires: tuple[Questionnaire, ...], *, today: date) -> list[Told]:
    """The answers of the file to these questionnaires, in their order."""
    plain = _file(name)
    verified, sources = plain.get("verified", []), plain.get("sources", {})
    default = EvidenceLevel.EVIDENCED if "verified" in plain else EvidenceLevel.CLAIMED
    found = []
    for question in (question for questionnaire in questionnaires for question in questionnaire):
        if (entry := plain["answers"].get(question.code)) is None:
            continue
        value = entry.get("value")
        found.append(
            Told(
                question=question,
                value=None if value is None else question_types.from_plain(question, _dated(_text(value), today)),
                comment=entry.get("comment", ""),
                source=sources.get(entry.get("source", ""), ""),
                files=tuple(entry.get("files", ())),
                evidence=EvidenceLevel.VERIFIED if question.code in verified else default,
                grade=entry.get("grade"),
            )
        )
    return found


def _text(plain: Any) -> Any:
    """YAML's own reading of `yes`, numbers and dates undone: answers are texts."""
    if isinstance(plain, dict):
        return {key: value if key == "complete" else _text(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_text(entry) for entry in plain]
    return {True: "yes", False: "no"}[plain] if isinstance(plain, bool) else str(plain)


def _dated(plain: Any, today: date) -> Any:
    if isinstance(plain, dict):
        return {key: _dated(value, today) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_dated(entry, today) for entry in plain]
    if isinstance(plain, str) and (found := _DAYS_AGO.fullmatch(plain)):
        return (today - timedelta(days=int(found[1]))).isoformat()
    return plain
