"""The questionnaires and rules in the project's own `questionnaires/` folder; factory and commands load them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vendorrisk.domain.contradictions import RuleSet
from vendorrisk.library import loader, rules
from vendorrisk.library.loader import Library

FIRST = ("data-sourcing", "breach-history", "customer-list-protection")
"""The order in which the themes are shown and sent; any other questionnaire comes after them, by its id."""

FOLDER = Path(__file__).resolve().parents[2] / "questionnaires"


@dataclass(frozen=True)
class Shipped(Library):
    """The library with its contradiction rules."""

    rules: RuleSet


@lru_cache(maxsize=1)
def load() -> Shipped:
    """Everything shipped, parsed once per process. Raises BrokenFile with every mistake of all files."""
    library = loader.load_folder(FOLDER)
    order = [*(name for name in FIRST if name in library.questionnaires), *sorted(library.questionnaires)]
    questionnaires = {name: library.questionnaires[name] for name in dict.fromkeys(order)}
    return Shipped(questionnaires, rules.load(FOLDER, library))
