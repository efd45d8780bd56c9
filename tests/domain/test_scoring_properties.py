"""What must hold for every score, on shipped and random questionnaires (docs/reference/scoring.md, Properties)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests import strategies as made
from tests.domain.answer_strategies import cases, inherents, value
from vendorrisk.domain import fingerprint, flags
from vendorrisk.domain.answers import Answer, EvidenceLevel
from vendorrisk.domain.bands import RiskBand, band_of
from vendorrisk.domain.conditions import depends_on, visible
from vendorrisk.domain.marks import Mark
from vendorrisk.domain.progress import has_value
from vendorrisk.domain.questionnaire import FlagLevel, Option, Question, Questionnaire, QuestionType
from vendorrisk.domain.scoring import Case, Pair, Score, residual_risk, score
from vendorrisk.library import shipped

TOLERANCE = Decimal("1e-9")
THEMES = tuple(q for q in shipped.load().questionnaires.values() if q.id != "intake")

shipped_cases = cases(THEMES)
random_cases = made.questionnaires().flatmap(lambda made_up: cases([made_up]))
any_case = st.one_of(shipped_cases, random_cases)
lean = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def figures(result: Score) -> dict[str, Decimal]:
    """Assured theme scores by questionnaire."""
    return {t.questionnaire_id: t.score.assured for t in result.themes if t.score is not None}


def assert_not_better(worse: Score, than: Score, *, band: bool = True) -> None:
    """No theme, no control effectiveness and no band of `worse` is better than that of `than`."""
    before, after = figures(than), figures(worse)
    for name in before.keys() & after.keys():
        assert after[name] <= before[name] + TOLERANCE, name
    if worse.effectiveness and than.effectiveness:
        assert worse.effectiveness.assured <= than.effectiveness.assured + TOLERANCE
    if band:
        assert worse.band.rank >= than.band.rank


def with_answer(case: Case, question_id: str, answer: Answer) -> Case:
    return replace(case, answers={**case.answers, question_id: answer})


def questions(case: Case) -> Iterator[Question]:
    for questionnaire in case.questionnaires:
        yield from questionnaire


def pick(data: st.DataObject, case: Case, *, valued: bool = False) -> Question:
    """A visible question of the case, where asked for one that has a value."""
    shown = visible(case.questionnaires, case.answers)
    found = [
        q for q in questions(case) if q.id in shown and (not valued or has_value(case.answers.get(q.id, Answer())))
    ]
    # A `show_if` may rest on unscored questions only; such a one may hide a scored question, by the author's will.
    found = [q for q in found if not any(q.id in depends_on(other) for other in questions(case) if other.show_if)]
    assume(found)
    return data.draw(st.sampled_from(found))


def is_worse(one: Option, other: Option) -> bool:
    """Whether `one` is at least as bad as `other` in its range and its flag."""
    severity = [option.flag.severity if option.flag else 0 for option in (one, other)]
    bounds = [(option.low or Decimal(0), option.high or Decimal(0)) for option in (one, other)]
    return severity[0] >= severity[1] and all(a >= b for a, b in zip(*bounds, strict=True))


@lean
@given(any_case, st.data())
def test_a_worse_option_never_helps(case: Case, data: st.DataObject) -> None:
    question = pick(data, case, valued=True)
    answer = case.answers[question.id]
    assume(question.type is not QuestionType.CHOICES and isinstance(answer.value, str))
    now = question.option(str(answer.value))
    worse = [o for o in question.options if now and is_worse(o, now)]
    assume(worse)
    changed = with_answer(case, question.id, replace(answer, value=data.draw(st.sampled_from(worse)).code))
    # A follow-up that falls away takes its flags with it; the band is compared where none does.
    kept = visible(case.questionnaires, case.answers) <= visible(changed.questionnaires, changed.answers)
    assert_not_better(score(changed), score(case), band=kept)


@lean
@given(any_case, st.data())
def test_better_evidence_never_lowers_a_score(case: Case, data: st.DataObject) -> None:
    question = pick(data, case, valued=True)
    answer = case.answers[question.id]
    weak, strong = (
        score(with_answer(case, question.id, replace(answer, evidence=level)))
        for level in (EvidenceLevel.CLAIMED, EvidenceLevel.VERIFIED)
    )
    assert_not_better(weak, strong)


@lean
@given(any_case, st.data(), st.integers(0, 900))
def test_more_age_never_raises_a_score(case: Case, data: st.DataObject, days: int) -> None:
    question = pick(data, case, valued=True)
    answer = case.answers[question.id]
    older = replace(answer, answered_on=(answer.answered_on or case.as_of) - timedelta(days=days))
    assert_not_better(score(with_answer(case, question.id, older)), score(case))


@lean
@given(any_case, st.data())
def test_removing_an_answer_never_helps(case: Case, data: st.DataObject) -> None:
    question = pick(data, case, valued=True)
    assume(not any(q.grading and q.grading.row_for_each == question.id for q in questions(case)))
    assert_not_better(score(with_answer(case, question.id, Answer())), score(case))


@lean
@given(any_case, st.data())
def test_a_pending_not_applicable_never_helps(case: Case, data: st.DataObject) -> None:
    question = pick(data, case, valued=True)
    pending = Answer(not_applicable="not part of the service", approved=False)
    assert_not_better(score(with_answer(case, question.id, pending)), score(case))


@lean
@given(any_case, st.data())
def test_a_contradiction_never_helps_and_a_proven_lie_is_no_better_than_the_truth(
    case: Case, data: st.DataObject
) -> None:
    question = pick(data, case, valued=True)
    answer = case.answers[question.id]
    lie = with_answer(case, question.id, replace(answer, contradicted=True))
    assert_not_better(score(lie), score(case))
    truth = with_answer(
        case,
        question.id,
        Answer(value(question, data.draw(st.randoms(use_true_random=False))), answered_on=case.as_of),
    )
    # Only the question's own theme and its flags are at stake: follow-ups shown by the truth come on top of it.
    same = visible(lie.questionnaires, lie.answers) == visible(truth.questionnaires, truth.answers)
    assert_not_better(score(lie), score(truth), band=same)


@lean
@given(any_case)
def test_every_figure_keeps_its_bounds(case: Case) -> None:
    result = score(case)
    for theme in result.themes:
        if theme.score is not None:
            assert 0 <= theme.score.assured <= theme.score.declared + TOLERANCE <= 100 + TOLERANCE
    if result.effectiveness is not None and result.residual is not None:
        assert 0 <= result.effectiveness.assured <= 100 + TOLERANCE
        assert case.inherent / 10 - TOLERANCE <= result.residual.declared <= result.residual.assured + TOLERANCE
        assert result.residual.assured <= case.inherent + TOLERANCE


@lean
@given(any_case)
def test_follow_ups_keep_their_question_inside_its_range(case: Case) -> None:
    marks = [mark for theme in score(case).themes for mark in theme.marks if mark.position is not None]
    assert all(mark.low - TOLERANCE <= mark.raw <= mark.high + TOLERANCE for mark in marks)
    assert all(within_unit(mark) for mark in marks)


def within_unit(mark: Mark) -> bool:
    return 0 <= mark.credit <= 1 and mark.position is not None and 0 <= mark.position <= 1


@lean
@given(any_case)
def test_an_open_critical_flag_means_at_least_high(case: Case) -> None:
    result = score(case)
    if any(flag.level is FlagLevel.CRITICAL for flag in result.flags):
        assert result.band.rank >= (RiskBand.CRITICAL if result.tier <= 2 else RiskBand.HIGH).rank
    if any(flag.level is FlagLevel.HIGH for flag in result.flags):
        assert result.band.rank >= (RiskBand.HIGH if result.tier <= 2 else RiskBand.MODERATE).rank


@lean
@given(any_case, st.randoms(use_true_random=False))
def test_the_order_of_answers_and_questions_does_not_matter(case: Case, chance: random.Random) -> None:
    names = list(case.answers)
    chance.shuffle(names)
    shuffled = replace(
        case,
        answers={name: case.answers[name] for name in names},
        questionnaires=tuple(reordered(q, chance) for q in reversed(case.questionnaires)),
    )
    one, other = score(case), score(shuffled)
    for name, figure in figures(one).items():
        assert abs(figure - figures(other)[name]) <= TOLERANCE
    assert (one.band, one.answered, one.visible) == (other.band, other.answered, other.visible)
    assert set(one.flags) == set(other.flags)


def reordered(questionnaire: Questionnaire, chance: random.Random) -> Questionnaire:
    sections = []
    for section in questionnaire.sections:
        mixed = list(section.questions)
        chance.shuffle(mixed)
        sections.append(replace(section, questions=tuple(mixed)))
    return replace(questionnaire, sections=tuple(sections))


@lean
@given(any_case)
def test_the_same_inputs_have_the_same_hash_and_score(case: Case) -> None:
    again = replace(case, answers=dict(reversed(list(case.answers.items()))))
    assert fingerprint.of(case) == fingerprint.of(again)
    assert score(case) == score(again)


@lean
@given(any_case, st.data())
def test_another_answer_has_another_hash(case: Case, data: st.DataObject) -> None:
    question = pick(data, case)
    other = Answer(not_applicable="a reason that stands nowhere else", answered_on=case.as_of)
    assert fingerprint.of(case) != fingerprint.of(with_answer(case, question.id, other))


@given(inherents, inherents, st.integers(0, 100), st.integers(0, 100))
def test_residual_rises_with_inherent_and_falls_with_effectiveness(a: Decimal, b: Decimal, c: int, d: int) -> None:
    low, high = sorted([a, b])
    weak, strong = sorted([Decimal(c), Decimal(d)])

    def residual(inherent: Decimal, effectiveness: Decimal) -> Decimal:
        found = residual_risk(inherent, Pair(effectiveness, effectiveness))
        assert found is not None
        return found.assured

    assert residual(low, weak) <= residual(high, weak)
    assert residual(high, strong) <= residual(high, weak)
    assert band_of(residual(low, strong)).rank <= band_of(residual(high, weak)).rank


@lean
@given(any_case)
def test_lowering_a_flag_never_lowers_the_residual(case: Case) -> None:
    result = score(case)
    controls = tuple(
        flags.Control(f.question_id, f.option, "second system", "Li", case.as_of + timedelta(days=30), "a", "b")
        for f in result.flags
        if f.option is not None
    )
    lowered = score(replace(case, controls=controls))
    assert lowered.residual == result.residual
    assert sum(f.level.severity for f in lowered.flags) <= sum(f.level.severity for f in result.flags)
