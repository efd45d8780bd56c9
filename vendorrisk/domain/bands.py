"""Risk bands and tiers: the thresholds of the method, in one place."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum


class RiskBand(StrEnum):
    """How a vendor is rated. A review priority, not a probability."""

    LOW = "Low"
    MODERATE = "Moderate"
    HIGH = "High"
    CRITICAL = "Critical"
    NOT_ASSESSED = "Not assessed"

    @property
    def rank(self) -> int:
        """0 (Low) to 3 (Critical) for comparing; "Not assessed" is -1: any floor is worse."""
        return _RANKS[self]


_RANKS = {
    RiskBand.NOT_ASSESSED: -1, RiskBand.LOW: 0, RiskBand.MODERATE: 1, RiskBand.HIGH: 2, RiskBand.CRITICAL: 3,
}  # fmt: skip

BAND_LIMITS = ((Decimal(15), RiskBand.LOW), (Decimal(35), RiskBand.MODERATE), (Decimal(60), RiskBand.HIGH))
"""Half-open: a residual below the limit is in the band; 60 and more is Critical."""

TIER_LIMITS = ((Decimal(70), 1), (Decimal(45), 2), (Decimal(20), 3))
"""An inherent score at or above the limit is in the tier; below 20 is tier 4."""


def band_of(residual: Decimal) -> RiskBand:
    """The band of an unrounded residual risk (0 to 100)."""
    return next((band for limit, band in BAND_LIMITS if residual < limit), RiskBand.CRITICAL)


def tier_of(inherent: Decimal) -> int:
    """The tier (1 most, 4 least) of an unrounded inherent score (0 to 100)."""
    return next((tier for limit, tier in TIER_LIMITS if inherent >= limit), 4)


def worse(one: RiskBand, other: RiskBand) -> RiskBand:
    """The worse of two bands."""
    return max(one, other, key=lambda band: band.rank)
