"""What belongs together is all there: add a type of question and these tests name what is still missing."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from vendorrisk.cli import main as cli
from vendorrisk.domain import conditions, expressions, rules_schema, schema_keys
from vendorrisk.domain.bands import BAND_LIMITS, TIER_LIMITS
from vendorrisk.domain.flags import FlagKind
from vendorrisk.domain.incident_facts import IncidentFacts
from vendorrisk.domain.progress import AnswerState
from vendorrisk.domain.question_types import QUESTION_TYPES
from vendorrisk.domain.questionnaire import ColumnType, FlagLevel, NumberKind, QuestionType, Unit
from vendorrisk.library import loader, shipped

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
EXAMPLES = ROOT / "questionnaires" / "examples"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def headings(name: str) -> set[str]:
    return set(re.findall(r"^#{2,4} (.+)$", page(name), re.MULTILINE))


def test_every_type_of_question_can_be_read_and_said() -> None:
    assert set(QUESTION_TYPES) == set(QuestionType)


@pytest.mark.parametrize("kind", list(QuestionType))
def test_every_type_has_its_template(kind: QuestionType) -> None:
    assert (ROOT / "templates" / "questions" / f"{kind}.html").is_file()


@pytest.mark.parametrize("kind", list(QuestionType))
def test_every_type_has_an_example_that_loads_and_uses_it(kind: QuestionType) -> None:
    example = loader.load(EXAMPLES / f"{kind}.yaml")
    assert kind in {question.type for question in example}


@pytest.mark.parametrize("kind", list(QuestionType))
def test_every_type_has_its_own_heading_and_example_in_the_format_reference(kind: QuestionType) -> None:
    text = page("questionnaire-format.md")
    assert kind.value in headings("questionnaire-format.md")
    section = text.split(f"### {kind.value}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    assert f"type: {kind.value}" in section


KEYS = {
    *schema_keys.QUESTIONNAIRE_KEYS, *schema_keys.SECTION_KEYS, *schema_keys.QUESTION_KEYS, *schema_keys.OPTION_KEYS,
    *schema_keys.COLUMN_KEYS, *schema_keys.GRADING_KEYS, *schema_keys.FOLLOW_UP_KEYS,
}  # fmt: skip
WORDS = [w.value for kind in (ColumnType, NumberKind, Unit, FlagLevel) for w in kind]


@pytest.mark.parametrize("word", sorted(KEYS | set(WORDS) | set(expressions.FUNCTIONS)))
def test_every_key_word_and_function_of_the_format_is_explained(word: str) -> None:
    assert f"`{word}`" in page("questionnaire-format.md")


@pytest.mark.parametrize(
    "word", [*rules_schema.RULE_KEYS, *rules_schema.COMPUTED, *(fact.name for fact in fields(IncidentFacts))]
)
def test_every_key_and_variable_of_the_rules_is_explained(word: str) -> None:
    assert f"`{word}`" in page("contradictions.md")


def test_every_shipped_rule_stands_in_the_list_of_rules() -> None:
    rules = shipped.load().rules.rules
    listed = re.findall(r"^\| (C-[^ |]+) \|.*\| (medium|high|critical) \|$", page("contradictions.md"), re.MULTILINE)
    assert listed == [(rule.id, rule.severity.value) for rule in rules]


def test_the_method_names_every_kind_of_flag_threshold_and_state() -> None:
    text = page("scoring.md")
    for kind in FlagKind:
        assert f"`{kind}`" in text
    for limit, name in (*BAND_LIMITS, *TIER_LIMITS):
        assert str(limit) in text and (str(name) in text)
    for state in AnswerState:
        assert state.value.split(",")[0] in text.lower()


def test_every_example_is_named_in_the_format_reference() -> None:
    for example in EXAMPLES.glob("*.yaml"):
        assert f"examples/{example.name}" in page("questionnaire-format.md"), example.name


def yaml_blocks(name: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)


def test_every_question_shown_in_the_format_reference_loads() -> None:
    blocks = [block for block in yaml_blocks("questionnaire-format.md") if block.startswith("- id:")]
    assert len(blocks) >= len(QuestionType)
    for block in blocks:
        inside = "".join(f"      {line}\n" for line in block.splitlines())
        head = 'id: shown\nversion: "1.0"\ntitle: Shown\nsections:\n  - id: only\n    title: Only\n    questions:\n'
        loader.load_text(head + inside, "questionnaire-format.md")


def test_every_whole_questionnaire_shown_in_the_docs_loads() -> None:
    how_to = (ROOT / "docs" / "how-to" / "write-a-questionnaire.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", how_to, re.MULTILINE | re.DOTALL)
    whole = [block for block in blocks if block.startswith(("id:", "# yaml-language-server"))]
    assert whole
    for block in whole:
        assert conditions.in_order(loader.load_text(block, "write-a-questionnaire.md"))


def test_docs_point_only_at_what_is_there() -> None:
    for path in (*REFERENCE.glob("*.md"), *(ROOT / "docs" / "how-to").glob("write-*.md")):
        text = path.read_text(encoding="utf-8")
        assert "../shared" not in text and "/shared/" not in text, path
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            if not target.startswith("http"):
                assert (path.parent / target).exists(), f"{path}: {target}"


def _commands(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every command that does something, with its options."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for group in groups:
        for name, inner in group.choices.items():
            yield from _commands(inner, f"{before}{name} ")
    if before and not groups:
        options = {option for action in parser._actions for option in action.option_strings}
        yield before.strip(), {option for option in options if option.startswith("--")} - {"--help"}


def test_every_command_stands_in_the_reference_with_its_options() -> None:
    rows = dict(re.findall(r"^\| `([a-z -]+)` \| (.+) \|$", page("commands.md"), re.MULTILINE))
    there = dict(_commands(cli.parser()))
    assert set(rows) == set(there)
    for name, options in there.items():
        missing = {option for option in options if option not in rows[name]}
        assert not missing, f"{name}: {missing}"
