"""Small questionnaires and answers for domain tests, one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from vendorrisk.domain.answers import Answer, Answers, EvidenceLevel, Value
from vendorrisk.domain.question_types.parts import Get
from vendorrisk.domain.questionnaire import (
    NO_TEXT,
    FlagLevel,
    FollowUp,
    Option,
    Question,
    Questionnaire,
    QuestionType,
    Section,
    Text,
)
from vendorrisk.domain.scoring import Case
from vendorrisk.library import shipped

TODAY = date(2026, 6, 30)


def option(
    code: str,
    low: str | None = "0",
    high: str | None = None,
    flag: FlagLevel | None = None,
    *,
    unknown: bool = False,
) -> Option:
    """One option; without `high` its risk is one number."""
    lo = None if low is None else Decimal(low)
    return Option(code, Text(code), lo, lo if high is None else Decimal(high), flag, unknown=unknown)


def choice(
    name: str,
    *options: Option,
    weight: int = 1,
    of: str | None = None,
    when: Sequence[str] = (),
    evidence: bool = True,
) -> Question:
    """A single-choice question; a follow-up where `of` names its parent."""
    return Question(
        name, f"QQ-{abs(hash(name)) % 900 + 100}", QuestionType.CHOICE, Text(name), weight=weight, options=options,
        needs_evidence=evidence, follow_up=FollowUp(of, tuple(when)) if of else None,
    )  # fmt: skip


def questionnaire(*questions: Question, name: str = "theme") -> Questionnaire:
    """A questionnaire of one section."""
    return Questionnaire(name, "1", Text(name), (Section("only", Text("Only"), NO_TEXT, questions),))


def said(
    value: Value | None,
    evidence: EvidenceLevel = EvidenceLevel.CLAIMED,
    *,
    age: int = 0,
    contradicted: bool = False,
) -> Answer:
    """An answer given `age` days before TODAY."""
    return Answer(
        value,
        evidence=evidence,
        answered_on=date.fromordinal(TODAY.toordinal() - age),
        contradicted=contradicted,
    )


def case(asked: Questionnaire | Sequence[Questionnaire], answers: Answers, inherent: str = "64") -> Case:
    """A case on TODAY."""
    several = (asked,) if isinstance(asked, Questionnaire) else tuple(asked)
    return Case(several, answers, Decimal(inherent), TODAY)


def asked(name: str) -> Question:
    """A question of the shipped questionnaires, by its code or id."""
    found = [q for q in (each.find(name) for each in shipped.load().questionnaires.values()) if q is not None]
    return found[0]


def themes() -> tuple[Questionnaire, ...]:
    """The three shipped questionnaires that vendors are sent."""
    return tuple(each for name, each in shipped.load().questionnaires.items() if name != "intake")


def intake() -> Questionnaire:
    """The shipped intake."""
    return shipped.load().questionnaires["intake"]


def form(main: str | Sequence[str] = (), fields: Mapping[str, str | Sequence[str]] | None = None) -> Get:
    """What was typed: the main field, and others by suffix."""
    typed = {"": main, **(fields or {})}
    return lambda suffix: [found] if isinstance(found := typed.get(suffix, ()), str) else list(found)


def by_code(plain: Mapping[str, object]) -> dict[str, Answer]:
    """Answers by question id, given by code: option codes, lists of codes, and other values as they are."""
    return {
        asked(code).id: Answer(tuple(value) if isinstance(value, list) else value, answered_on=TODAY)  # type: ignore[arg-type]
        for code, value in plain.items()
    }
