"""The outcome in figures and sentences: band and why, counts, what was not looked at, themes; called by `compose`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vendorrisk.domain import sensitivity
from vendorrisk.domain.answers import UNANSWERED, EvidenceLevel
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.bands import BAND_LIMITS, RiskBand
from vendorrisk.domain.conditions import visible
from vendorrisk.domain.marks import FRESH_DAYS, HUNDRED
from vendorrisk.domain.progress import AnswerState, state_of
from vendorrisk.domain.questionnaire import FlagLevel, Questionnaire
from vendorrisk.domain.scoring import Pair, ThemeScore
from vendorrisk.domain.sensitivity import Gain
from vendorrisk.reports import figures, findings, view
from vendorrisk.reports.facts import Facts
from vendorrisk.reports.figures import count

MOST_GAINS = 5


def result(facts: Facts) -> view.Result:
    """Band, figures and counts."""
    score = facts.score
    counts = _counts(facts)
    return view.Result(
        band=score.band.value, number_band=score.number_band.value, floor=score.floor.value, because=_because(facts),
        residual=figures.pair(score.residual), effectiveness=figures.pair(score.effectiveness),
        inherent=figures.score(score.inherent), tier=score.tier, tier_reasons=facts.tier_reasons,
        provisional=_provisional(facts, counts), counts=counts, scale=_scale(),
    )  # fmt: skip


def _states(facts: Facts) -> Counter[AnswerState]:
    shown = visible(facts.questionnaires, facts.answers)
    return Counter(state_of(question, facts.answers.get(question.id), shown) for question in facts.questions.values())


def _counts(facts: Facts) -> view.Counts:
    states = _states(facts)
    return view.Counts(
        asked=facts.score.visible, answered=states[AnswerState.ANSWERED], unanswered=states[AnswerState.UNANSWERED],
        unknown=states[AnswerState.UNKNOWN], not_applicable=states[AnswerState.NA_APPROVED],
        not_applicable_pending=states[AnswerState.NA_PENDING], not_asked=states[AnswerState.HIDDEN],
        critical=findings.count(facts, FlagLevel.CRITICAL), high=findings.count(facts, FlagLevel.HIGH),
        medium=findings.count(facts, FlagLevel.MEDIUM),
        assumed=sum(findings.is_assumed(flag) for flag in facts.score.flags),
        overridden=len(facts.set_aside) + sum(flag.lowered for flag in facts.score.flags),
    )  # fmt: skip


def _because(facts: Facts) -> str:
    """Why this band: the figure, and the flags where they say more."""
    score = facts.score
    if score.residual is None:
        number = "No theme could be scored, so there is no figure."
    else:
        reach = reach_of(score.number_band)
        number = (
            f"The residual risk of {figures.score(score.residual.assured)} is {score.number_band} by number ({reach})."
        )
    worst = max((flag.level for flag in score.flags), key=lambda level: level.severity, default=FlagLevel.MEDIUM)
    if score.floor is RiskBand.LOW:
        return number
    open_flags = _open_flags(facts, worst)
    if score.floor.rank > score.number_band.rank:
        return f"{number} With {open_flags}, tier {score.tier} allows nothing better than {score.floor}."
    return f"{number} With {open_flags}, tier {score.tier} allows nothing better anyway."


def _open_flags(facts: Facts, level: FlagLevel) -> str:
    found = [flag for flag in facts.score.flags if flag.level is level]
    assumed = sum(findings.is_assumed(flag) for flag in found)
    share = "all" if assumed == len(found) else f"{assumed} of them"
    said = f", {share} from silence" if assumed else ""
    return count(len(found), f"open {level.value} flag") + said


def reach_of(band: RiskBand) -> str:
    """From where to where a band reaches: "15 to below 35"."""
    limits = [limit for limit, _ in BAND_LIMITS]
    if band.rank <= 0:
        return f"below {limits[0]}"
    return (
        f"{limits[band.rank - 1]} to below {limits[band.rank]}" if band.rank < len(limits) else f"{limits[-1]} or more"
    )


def _scale() -> tuple[view.Segment, ...]:
    limits = ["0", *(str(limit) for limit, _ in BAND_LIMITS), "100"]
    rated = [*(band.value for _, band in BAND_LIMITS), RiskBand.CRITICAL.value]
    return tuple(view.Segment(band, start, end) for band, start, end in zip(rated, limits, limits[1:], strict=False))


def _provisional(facts: Facts, counts: view.Counts) -> str:
    """Why the result is provisional; empty where it is not."""
    if not facts.score.provisional:
        return ""
    shown = visible(facts.questionnaires, facts.answers)
    contradicted = sum(answer.contradicted for name, answer in facts.answers.items() if name in shown)
    reasons = [
        (counts.unanswered, "question is not answered", "questions are not answered"),
        (counts.unknown, "answer is “do not know”", "answers are “do not know”"),
        (counts.not_applicable_pending, "“not applicable” is not approved", "“not applicable” are not approved"),
        (contradicted, "answer is contradicted", "answers are contradicted"),
    ]
    found = [f"{number} {one if number == 1 else many}" for number, one, many in reasons if number]
    return figures.listing(found) or "the vendor has not submitted the answers yet"


def not_looked_at(facts: Facts) -> tuple[str, ...]:
    """What the result does not rest on: silence, mere claims, old answers, files out of date."""
    return tuple(_gaps(facts, _counts(facts)))


def _gaps(facts: Facts, counts: view.Counts) -> Iterator[str]:
    if counts.unanswered:
        yield f"{counts.unanswered} of {count(counts.asked, 'question')} not answered: counted as the worst answer."
    if counts.unknown:
        yield f"{count(counts.unknown, 'answer')} “do not know”: counted as the worst answer."
    if counts.not_applicable_pending:
        yield f"{counts.not_applicable_pending} “not applicable” not approved: counted as the worst answer."
    if counts.not_applicable:
        yield f"{counts.not_applicable} “not applicable” approved by a reviewer: left out."
    claimed = _claimed(facts)
    if claimed:
        yield f"{count(claimed, 'answer')} claimed only: no evidence was looked at (credit × 0.7)."
    yield from _sources(facts)
    old = sum(mark.age_days > FRESH_DAYS for mark in facts.marks.values() if mark.state is AnswerState.ANSWERED)
    if old:
        yield f"{count(old, 'answer')} older than {FRESH_DAYS} days: worth less."
    if counts.not_asked:
        yield f"{count(counts.not_asked, 'question')} not asked, because of other answers."


def _claimed(facts: Facts) -> int:
    return sum(
        mark.state is AnswerState.ANSWERED
        and mark.evidence is EvidenceLevel.CLAIMED
        and facts.questions[mark.question_id].needs_evidence
        for mark in facts.marks.values()
    )


def _sources(facts: Facts) -> Iterator[str]:
    shown = visible(facts.questionnaires, facts.answers)
    origins = Counter(told.origin for name, told in facts.told.items() if name in shown)
    if origins[Origin.PUBLIC]:
        yield f"{count(origins[Origin.PUBLIC], 'answer')} from public facts: the vendor was not heard on them."
    if origins[Origin.STAFF]:
        yield f"{count(origins[Origin.STAFF], 'answer')} given by staff on the vendor's behalf."


def themes(facts: Facts) -> tuple[view.Theme, ...]:
    """The themes in the order of the questionnaires; the weakest is marked, for it rules."""
    gains = sensitivity.gains(facts.score)
    scores = {theme.questionnaire_id: theme for theme in facts.score.themes}
    lowest = facts.score.effectiveness.assured if facts.score.effectiveness else None
    return tuple(_theme(facts, asked, scores[asked.id], gains, lowest) for asked in facts.questionnaires)


def _theme(
    facts: Facts, asked: Questionnaire, theme: ThemeScore, gains: tuple[Gain, ...], lowest: object
) -> view.Theme:
    shown = visible(facts.questionnaires, facts.answers)
    ids = frozenset(question.id for question in asked)
    states = [state_of(q, facts.answers.get(q.id, UNANSWERED), shown) for q in asked if q.id in shown]
    return view.Theme(
        id=asked.id, title=str(asked.title), version=asked.version, digest=facts.digests.get(asked.id, ""),
        score=figures.pair(theme.score), weakest=theme.score is not None and theme.score.assured == lowest,
        answered=sum(state is AnswerState.ANSWERED for state in states), asked=len(states),
        working=_sum(theme, theme.score),
        critical=findings.count(facts, FlagLevel.CRITICAL, ids), high=findings.count(facts, FlagLevel.HIGH, ids),
        medium=findings.count(facts, FlagLevel.MEDIUM, ids),
        gains=tuple(_gain(facts, g) for g in gains if g.questionnaire_id == asked.id and g.points > 0)[:MOST_GAINS],
    )  # fmt: skip


def _gain(facts: Facts, gain: Gain) -> view.Gain:
    return view.Gain(gain.code, str(facts.questions[gain.question_id].text), figures.score(gain.points))


def _sum(theme: ThemeScore, score: Pair | None) -> str:
    if score is None:
        return "Every question is left out: not assessed."
    weight = sum(mark.weight for mark in theme.counted)
    points = score.assured * weight / HUNDRED
    told = score.declared * weight / HUNDRED
    return (
        f"100 × {figures.factor(points, 2)} / {weight} = {figures.score(score.assured)} assured; "
        f"100 × {figures.factor(told, 2)} / {weight} = {figures.score(score.declared)} declared"
    )


def changes(facts: Facts) -> tuple[view.Change, ...]:
    """Single changes of a weight by half that would change the band."""
    return tuple(
        view.Change(
            change.code, str(facts.questions[change.question_id].text), figures.factor(change.factor), change.band.value
        )
        for change in sensitivity.changes(facts.score)
    )
