"""Loads the contradiction rules from YAML; the factory and the command line call it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from vendorrisk.domain import rules_schema
from vendorrisk.domain.contradictions import RuleSet
from vendorrisk.library import loader, yaml_text
from vendorrisk.library.loader import Library


def load(folder: Path, library: Library) -> RuleSet:
    """The rules in a folder's `contradictions.yaml`; none where there is no such file.

    Raises BrokenFile with every mistake as file:line:column.
    """
    path = folder / loader.RULES_FILE
    if not path.exists():
        return RuleSet(version="0", rules=())
    return load_text(loader.read_file(path), str(path), library)


def load_text(text: str, name: str, library: Library) -> RuleSet:
    """The rules in a YAML text; they may name the questions of the library. Raises BrokenFile."""
    document = yaml_text.read(text, name)
    return loader.parsed(document, partial(rules_schema.parse_rules, known_ids=library.question_ids))
