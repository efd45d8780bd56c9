"""Flags and contradictions with the sentence why, and the top risks made of them; called by `compose`."""

from __future__ import annotations

from vendorrisk.domain.answers import UNANSWERED
from vendorrisk.domain.contradictions import Hit
from vendorrisk.domain.flags import Flag, FlagKind
from vendorrisk.domain.questionnaire import FlagLevel, Question
from vendorrisk.reports import view
from vendorrisk.reports.facts import Facts, SetAside

TOP = 3
_SETTLED = (FlagKind.ANSWER, FlagKind.CONTRADICTED, FlagKind.INCONSISTENT)
"""What somebody said comes before what nobody said."""
_CONTRADICTS = "The answers named count as the worst possible ones until one is changed or a reviewer sets this aside."
_INCONSISTENT = "An inconsistency: it sets a medium flag and changes no figure."
_ASSUMED = "the worst that an answer here, or to a question under it, could bring"


def flags(facts: Facts) -> tuple[view.Flag, ...]:
    """Every open flag, the worst first, then in the order of the questionnaires."""
    themes = {question.id: str(asked.title) for asked in facts.questionnaires for question in asked}
    ordered = sorted(facts.score.flags, key=lambda flag: -flag.level.severity)
    return tuple(_flag(facts, flag, themes[flag.question_id]) for flag in ordered)


def _flag(facts: Facts, flag: Flag, theme: str) -> view.Flag:
    question = facts.questions[flag.question_id]
    return view.Flag(
        flag.level.value, question.code, str(question.text), _said(facts, flag, question),
        _because(facts, flag, question), str(question.why), theme, is_assumed(flag),
    )  # fmt: skip


def is_assumed(flag: Flag) -> bool:
    """Whether nobody said what carries the flag."""
    return flag.kind not in _SETTLED


def _said(facts: Facts, flag: Flag, question: Question) -> str:
    option = question.option(flag.option) if flag.option is not None else None
    if option is not None:
        return str(option.label)
    if facts.answers.get(question.id, UNANSWERED).unknown:
        return "Do not know"
    said = {
        FlagKind.UNANSWERED: "Not answered",
        FlagKind.NOT_APPLICABLE: "“Not applicable”, not approved",
        FlagKind.CONTRADICTED: "Contradicted by other answers",
        FlagKind.INCONSISTENT: "Does not fit other answers",
    }
    return said.get(flag.kind, "Answered")


def _because(facts: Facts, flag: Flag, question: Question) -> str:
    """The sentence why, for one flag."""
    if flag.kind is FlagKind.CONTRADICTED:
        return f"Rule {_rules(facts, flag)} found a contradiction: {_ASSUMED} is assumed."
    if flag.kind is FlagKind.INCONSISTENT:
        return f"Rule {_rules(facts, flag)} found an inconsistency."
    if flag.kind is FlagKind.UNANSWERED:
        return f"Silence counts as {_ASSUMED}."
    if flag.kind is FlagKind.NOT_APPLICABLE:
        return f"Until a reviewer approves it, “not applicable” counts as {_ASSUMED}."
    option = question.option(flag.option or "")
    if option is not None and option.unknown and question.id in _gates(facts):
        return f"“Do not know” counts as {_ASSUMED}."
    lowered = " A compensating control lowered it by one level." if flag.lowered else ""
    return f"This answer carries a {flag.level.value} flag.{lowered}"


def _gates(facts: Facts) -> frozenset[str]:
    return frozenset(name for asked in facts.questionnaires for name in asked.children)


def _rules(facts: Facts, flag: Flag) -> str:
    contradicts = flag.kind is FlagKind.CONTRADICTED
    return ", ".join(
        hit.key for hit in facts.hits if flag.question_id in hit.affects and hit.contradicts is contradicts
    )


def contradictions(facts: Facts) -> tuple[view.Contradiction, ...]:
    """Every rule that fired: those that stand, then those set aside with the reviewer's reason."""
    standing = [_contradiction(facts, hit, None) for hit in facts.hits]
    return tuple(standing + [_contradiction(facts, aside.hit, aside) for aside in facts.set_aside])


def _contradiction(facts: Facts, hit: Hit, aside: SetAside | None) -> view.Contradiction:
    effect = _CONTRADICTS if hit.contradicts else _INCONSISTENT
    return view.Contradiction(
        key=hit.key, level=hit.severity.value, title=hit.title, message=hit.message,
        effect="Set aside by a reviewer: it changes nothing." if aside else effect,
        codes=tuple(facts.questions[name].code for name in hit.affects if name in facts.questions),
        set_aside=aside.reason if aside else "", set_aside_by=aside.by if aside else "",
    )  # fmt: skip


def top_risks(facts: Facts) -> tuple[view.Risk, ...]:
    """The three worst flags on different questions: answers before silence, heavy questions before light ones."""
    risks: dict[str, view.Risk] = {}
    for flag in sorted(facts.score.flags, key=lambda flag: _rank(facts, flag)):
        question = facts.questions[flag.question_id]
        said = _said(facts, flag, question)
        risks.setdefault(
            question.id, view.Risk(flag.level.value, question.code, str(question.text), said, str(question.why))
        )
    return tuple(risks.values())[:TOP]


def _rank(facts: Facts, flag: Flag) -> tuple[int, bool, int]:
    return -flag.level.severity, is_assumed(flag), -facts.questions[flag.question_id].weight


def count(facts: Facts, level: FlagLevel, questions: frozenset[str] | None = None) -> int:
    """How many flags of a level are open, in all or on the questions named."""
    return sum(
        flag.level is level and (questions is None or flag.question_id in questions) for flag in facts.score.flags
    )
