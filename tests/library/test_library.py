"""A folder of questionnaires is loaded as one library; what ships is in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.library.files import GATE, with_questions
from vendorrisk.domain import rules_schema, schema, schema_keys
from vendorrisk.domain.questionnaire import Purpose
from vendorrisk.library import json_schema, loader, rules
from vendorrisk.library.mistakes import BrokenFile, excerpt

SHIPPED = Path(__file__).parents[2] / "questionnaires"
EXAMPLES = SHIPPED / "examples"


def put(folder: Path, name: str, code: str = "AB-01", gate: str = "gate", extra: str = "") -> None:
    text = extra + with_questions(GATE.replace("AB-01", code).replace("gate", gate))
    (folder / f"{name}.yaml").write_text(text.replace("id: broken", f"id: {name}"))


def mistakes_in(folder: Path) -> list[str]:
    with pytest.raises(BrokenFile) as caught:
        loader.load_folder(folder)
    return [line.removeprefix(f"{folder}/") for line in caught.value.lines]


def test_all_shipped_questionnaires_load() -> None:
    library = loader.load_folder(SHIPPED)
    assert set(library.questionnaires) == {path.stem for path in SHIPPED.glob("*.yaml")} - {"contradictions"}
    for questionnaire in library.questionnaires.values():
        assert schema.parse(schema.to_plain(questionnaire)) == questionnaire


def test_all_shipped_rules_load_and_are_kept_whole() -> None:
    loaded = rules.load(SHIPPED, loader.load_folder(SHIPPED))
    assert loaded.rules
    assert rules_schema.parse_rules(rules_schema.rules_to_plain(loaded), None) == loaded


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_loads(path: Path) -> None:
    assert loader.load(path).questions


def test_a_folder_gives_its_questionnaires_by_id(tmp_path: Path) -> None:
    put(tmp_path, "one")
    put(tmp_path, "two", "CD-01", "door")
    (tmp_path / "contradictions.yaml").write_text("not read here: [")
    (tmp_path / "notes.txt").write_text("nor this: [")
    library = loader.load_folder(tmp_path)
    assert sorted(library.questionnaires) == ["one", "two"]
    assert library.question_ids == {"gate", "door"}


def test_questions_of_the_intake_are_not_for_rules_and_may_share_names(tmp_path: Path) -> None:
    put(tmp_path, "one")
    intake = with_questions(
        "- {id: gate, code: AB-01, type: text, text: T}\n- {id: own, code: AB-02, type: text, text: T}\n"
    )
    (tmp_path / "before.yaml").write_text("purpose: intake\n" + intake.replace("id: broken", "id: before"))
    library = loader.load_folder(tmp_path)
    assert library.questionnaires["before"].purpose is Purpose.INTAKE
    assert library.question_ids == {"gate"}


def test_a_file_must_be_named_after_its_questionnaire(tmp_path: Path) -> None:
    put(tmp_path, "one")
    (tmp_path / "one.yaml").rename(tmp_path / "other.yaml")
    assert mistakes_in(tmp_path) == ["other.yaml:1:5: the file must be named after its id: one.yaml"]


def test_questionnaires_that_are_sent_together_share_no_ids_and_codes(tmp_path: Path) -> None:
    put(tmp_path, "one")
    put(tmp_path, "two", "CD-01")
    put(tmp_path, "three", "AB-01", "door")
    assert mistakes_in(tmp_path) == [
        f"three.yaml:9:15: 'AB-01' is used in {tmp_path}/one.yaml too",
        f"two.yaml:8:13: 'gate' is used in {tmp_path}/one.yaml too",
    ]


def test_the_mistakes_of_all_files_are_said(tmp_path: Path) -> None:
    for name in ("one", "two"):
        put(tmp_path, name, "no code")
    assert [line.split(" is not")[0] for line in mistakes_in(tmp_path)] == [
        "one.yaml:9:15: 'no code'",
        "two.yaml:9:15: 'no code'",
    ]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match=r"missing\.yaml:1:1: the file cannot be read: No such file"):
        loader.load(tmp_path / "missing.yaml")


def test_an_excerpt_points_at_the_column() -> None:
    assert excerpt("a: 1\ntype: chioce\n", 2, 7) == "    2 | type: chioce\n      |       ^"
    assert excerpt("a: 1\n", 7, 1) == ""


def test_an_excerpt_of_a_long_line_keeps_the_caret_in_view() -> None:
    shown, caret = excerpt("x" * 500 + "HERE" + "x" * 500, 1, 501).splitlines()
    assert len(shown) < 120
    assert shown[caret.index("^") :].startswith("HERE")


# The schema for editors.


def test_the_schema_for_editors_is_current() -> None:
    shipped = SHIPPED / "questionnaire.schema.json"
    assert shipped.read_text() == json_schema.text(), "write it anew, see vendorrisk/library/json_schema.py"


@pytest.mark.parametrize(
    ("described", "read"),
    [
        (json_schema.QUESTIONNAIRE, schema_keys.QUESTIONNAIRE_KEYS),
        (json_schema.SECTION, schema_keys.SECTION_KEYS),
        (json_schema.QUESTION, schema_keys.QUESTION_KEYS),
        (json_schema.OPTION, schema_keys.OPTION_KEYS),
        (json_schema.COLUMN, schema_keys.COLUMN_KEYS),
        (json_schema.CELL_OPTION, schema_keys.CELL_OPTION_KEYS),
        (json_schema.FOLLOW_UP, schema_keys.FOLLOW_UP_KEYS),
        (json_schema.GRADING, schema_keys.GRADING_KEYS),
    ],
)
def test_the_schema_for_editors_knows_every_key(described: dict[str, object], read: tuple[str, ...]) -> None:
    assert set(described) == set(read)
