"""The method in words and formulas, with the thresholds of the engine itself; called by `compose`."""

from __future__ import annotations

from vendorrisk.domain import bands, flags, marks
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.bands import RiskBand
from vendorrisk.domain.questionnaire import FlagLevel
from vendorrisk.reports import figures, results, view
from vendorrisk.reports.facts import Facts

_STEPS = (
    view.Step(
        "Inherent risk",
        "I = 25 · M · (0.5 + 0.5 · X)",
        "From our own intake, before the vendor is asked. M is the worst impact item (0 to 4 points), X the mean of "
        "the exposure items divided by 4. What nobody knows counts 4 points.",
    ),
    view.Step(
        "Raw risk of an answer",
        "r = lo + (hi − lo) · m",
        "Each answer has a range of risk from 0 (best) to 1 (worst). m is the weighted mean risk of its follow-ups: "
        "they place the answer inside its range and have no weight of their own. Without follow-ups r = hi.",
    ),
    view.Step(
        "Silence",
        "r = 1",
        "A question that is not answered, answered “do not know”, contradicted, or said to be not applicable without a "
        "reviewer's approval counts as the worst answer. With approval it leaves the sums.",
    ),
    view.Step(
        "Assured credit",
        "k = (1 − r) · e · f",
        "e is how well the answer is backed, f how fresh it is; both below. Weak or old evidence shrinks the credit "
        "only, never the risk. Declared figures take e = f = 1.",
    ),
    view.Step(
        "Theme score",
        "S = 100 · Σ(w · k) / Σw",
        "Over the questions of one questionnaire that were asked and are no follow-ups; w is the weight.",
    ),
    view.Step(
        "Control effectiveness",
        "CE = min(S)",
        "The weakest theme rules: a strong theme cannot make up for a weak one.",
    ),
    view.Step(
        "Residual risk",
        "R = I · (1 − 0.9 · CE / 100)",
        "Controls never remove more than 90 % of the inherent risk. Printed as a range: as declared, and as assured.",
    ),
    view.Step(
        "Band",
        "the worse of number and floor",
        "The band by number comes from the assured residual risk, compared unrounded. An open flag sets a floor under "
        "it, whatever the averages say.",
    ),
)


def method(facts: Facts) -> view.Method:
    """The method with its thresholds."""
    return view.Method(
        version=facts.score.method, inputs_hash=facts.inputs_hash, rules_version=facts.rules_version,
        rules_digest=facts.rules_digest, steps=_STEPS, bands=_bands(), tiers=_tiers(), evidence=_evidence(),
        freshness=_freshness(), floors=_floors(),
    )  # fmt: skip


def _bands() -> tuple[view.Threshold, ...]:
    rated = [band for band in RiskBand if band is not RiskBand.NOT_ASSESSED]
    return tuple(view.Threshold(band.value, f"residual risk {results.reach_of(band)}") for band in rated)


def _tiers() -> tuple[view.Threshold, ...]:
    limits = [limit for limit, _ in bands.TIER_LIMITS]
    lines = [view.Threshold(f"Tier {tier}", f"inherent score {limit} or more") for limit, tier in bands.TIER_LIMITS]
    return (*lines, view.Threshold(f"Tier {len(lines) + 1}", f"below {limits[-1]}"))


_MEANING = {
    EvidenceLevel.CLAIMED: "the vendor's word only",
    EvidenceLevel.EVIDENCED: "a file in date that a reviewer opened",
    EvidenceLevel.VERIFIED: "an independent report in scope, or our own test",
}


def _evidence() -> tuple[view.Threshold, ...]:
    return tuple(
        view.Threshold(f"{level.value.capitalize()}: e = {figures.factor(factor)}", _MEANING[level])
        for level, factor in marks.EVIDENCE_FACTORS.items()
    )


def _freshness() -> tuple[view.Threshold, ...]:
    fresh, stale = marks.FRESH_DAYS, marks.STALE_DAYS
    return (
        view.Threshold(f"Up to {fresh} days old", "f = 1"),
        view.Threshold(f"Up to {stale} days old", f"f = 1 − 0.5 · (days − {fresh}) / {fresh}"),
        view.Threshold("Older", "f = 0"),
    )


def _floors() -> tuple[view.Threshold, ...]:
    def at_least(level: FlagLevel, tier: int) -> str:
        flag = flags.Flag("", "", None, level, flags.FlagKind.ANSWER)
        return flags.floor([flag], tier).value

    return tuple(
        view.Threshold(
            f"Open {level.value} flag",
            f"at least {at_least(level, 1)} in tiers 1 and 2, at least {at_least(level, 4)} in tiers 3 and 4"
            if at_least(level, 1) != RiskBand.LOW.value else "sets no floor",
        )
        for level in sorted(FlagLevel, key=lambda level: -level.severity)
    )  # fmt: skip
