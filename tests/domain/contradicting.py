"""Lets the shipped contradiction rules look at answers; for the tests of rules and hits."""

from __future__ import annotations

from collections.abc import Mapping

from tests.domain.make import TODAY, by_code, themes
from vendorrisk.domain import contradictions
from vendorrisk.domain.contradictions import Hit
from vendorrisk.library import shipped

RULES = shipped.load().rules
THEMES = themes()


def hits(plain: Mapping[str, object]) -> tuple[Hit, ...]:
    """What the rules find in answers given by code."""
    return contradictions.find(RULES, THEMES, by_code(plain), on=TODAY)


def keys(plain: Mapping[str, object]) -> set[str]:
    """The keys of what they find."""
    return {hit.key for hit in hits(plain)}
