"""All answers with evidence, origin and working; called by `compose`."""

from __future__ import annotations

from vendorrisk.domain import question_types
from vendorrisk.domain.answers import UNANSWERED, EvidenceLevel, Table
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.conditions import visible
from vendorrisk.domain.marks import Mark
from vendorrisk.domain.progress import AnswerState, state_of
from vendorrisk.domain.question_types import tables
from vendorrisk.domain.questionnaire import Question, Questionnaire
from vendorrisk.reports import figures, view
from vendorrisk.reports.facts import Facts, Told

ORIGINS = {
    Origin.VENDOR: "The vendor",
    Origin.STAFF: "Staff, on the vendor's behalf",
    Origin.PUBLIC: "Public facts, entered by staff",
}
EVIDENCE = {
    EvidenceLevel.CLAIMED: "claimed",
    EvidenceLevel.EVIDENCED: "evidenced",
    EvidenceLevel.VERIFIED: "verified",
}
NOT_NEEDED = "no evidence needed"


def chapters(facts: Facts) -> tuple[view.Chapter, ...]:
    """One chapter for each questionnaire: the questions that were asked, in order."""
    shown = visible(facts.questionnaires, facts.answers)
    return tuple(_chapter(facts, questionnaire, shown) for questionnaire in facts.questionnaires)


def _chapter(facts: Facts, questionnaire: Questionnaire, shown: frozenset[str]) -> view.Chapter:
    sections = []
    for section in questionnaire.sections:
        answers = tuple(_answer(facts, question, shown) for question in section.questions if question.id in shown)
        if answers:
            sections.append(view.Section(str(section.title), answers))
    not_asked = tuple(question.code for question in questionnaire if question.id not in shown)
    return view.Chapter(questionnaire.id, str(questionnaire.title), tuple(sections), not_asked)


def _answer(facts: Facts, question: Question, shown: frozenset[str]) -> view.Answer:
    given = facts.answers.get(question.id, UNANSWERED)
    state = state_of(question, given, shown)
    told = facts.told.get(question.id) if state is not AnswerState.UNANSWERED else None
    mark = facts.marks.get(question.id)
    is_table = isinstance(given.value, Table)
    text = given.not_applicable or ("" if is_table else question_types.words(question, given.value))
    return view.Answer(
        anchor=question.id, code=question.code, question=str(question.text),
        is_follow_up=question.follow_up is not None, state=state.name.lower(), text=text,
        rows=_rows(question, given.value) if isinstance(given.value, Table) else (),
        comment=told.comment if told else "", **_whence(told),
        evidence=_evidence(question, given.evidence, state),
        files=tuple(file.name for file in facts.of_question(question.code)),
        flags=tuple(flag.level.value for flag in facts.score.flags if flag.question_id == question.id),
        contradicted_by=tuple(hit.key for hit in facts.hits if question.id in hit.affects),
        working=_working(facts, mark) if mark else "Not scored.",
    )  # fmt: skip


def _whence(told: Told | None) -> dict[str, str]:
    if told is None:
        return {"origin": "", "by": "", "on": "", "source": ""}
    return {"origin": ORIGINS[told.origin], "by": told.by, "on": figures.day(told.on), "source": told.source}


def _evidence(question: Question, level: EvidenceLevel, state: AnswerState) -> str:
    if state is not AnswerState.ANSWERED:
        return ""
    return EVIDENCE[level] if question.needs_evidence or level is not EvidenceLevel.CLAIMED else NOT_NEEDED


def _rows(question: Question, table: Table) -> tuple[tuple[view.Cell, ...], ...]:
    return tuple(
        tuple(
            view.Cell(str(column.label), tables.cell_words(column, row[column.id]))
            for column in question.columns
            if row.get(column.id)
        )
        for row in table.rows
    )


def _working(facts: Facts, mark: Mark) -> str:
    """What one answer came to, figure by figure, so that it can be worked out again by hand."""
    weight = f"weight {mark.weight}"
    if mark.parent is not None:
        weight += f" within {facts.questions[mark.parent].code}"
    if mark.left_out:
        return f"{weight} · left out of the sums"
    points = f" = {figures.factor(mark.weight * mark.credit, 2)} of {mark.weight} points" if mark.parent is None else ""
    if mark.state is not AnswerState.ANSWERED or mark.contradicted:
        return f"{weight} · counts as the worst answer, risk 1 → credit 0{points}"
    steps = [weight, _risk(mark), _proof(facts.questions[mark.question_id], mark), _age(mark)]
    return f"{' · '.join(steps)} → credit {figures.factor(mark.credit)}{points}"


def _risk(mark: Mark) -> str:
    if mark.low == mark.high or mark.position is None:
        return f"risk {figures.factor(mark.raw)}"
    low, high, place, raw = (figures.factor(value) for value in (mark.low, mark.high, mark.position, mark.raw))
    return f"range {low} to {high}, place {place}: risk {raw}"


def _proof(question: Question, mark: Mark) -> str:
    level = EVIDENCE[mark.evidence] if question.needs_evidence else NOT_NEEDED
    return f"{level} × {figures.factor(mark.evidence_factor)}"


def _age(mark: Mark) -> str:
    return f"{figures.count(mark.age_days, 'day')} old × {figures.factor(mark.freshness)}"
