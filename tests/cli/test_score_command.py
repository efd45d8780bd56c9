"""`python -m vendorrisk score`: what is scored, what is refused and in which words, and what the shell gets."""

from __future__ import annotations

import argparse
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vendorrisk.cli import main as command_line
from vendorrisk.cli import score as command
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.library import loader, shipped

ON = date(2026, 6, 30)
BASE: dict[str, Any] = {"questionnaires": ["data-sourcing"], "inherent": 50, "as_of": "2026-06-30"}


def outcome(plain: object, *, rules: bool = False) -> dict[str, Any]:
    library = shipped.load()
    return command.score_one(plain, library.questionnaires, library.rules if rules else None, today=ON)


def with_answers(**answers: Any) -> dict[str, Any]:
    return {**BASE, "answers": {code.replace("_", "-"): given for code, given in answers.items()}}


def error(plain: object) -> str:
    found = outcome(plain)
    assert set(found) == {"error"}, found
    return str(found["error"])


# What comes out.


def test_the_output_has_the_documented_keys() -> None:
    found = outcome(with_answers(DS_04={"value": "no"}))
    assert list(found) == [
        "themes", "control_effectiveness", "inherent", "tier", "residual", "number_band", "floor", "band", "answered",
        "visible", "provisional", "flags",
    ]  # fmt: skip
    assert (found["inherent"], found["tier"], found["answered"], found["provisional"]) == (50, 2, 1, True)
    assert set(found["themes"]["data-sourcing"]) == {"assured", "declared"}
    assert found["flags"][0] == {"question": "DS-01", "option": None, "level": "critical", "kind": "unanswered"}


def test_one_flag_for_each_ticked_option_that_has_one_in_the_order_of_the_question() -> None:
    found = outcome(with_answers(DS_01={"value": ["social", "web", "lic"]}))
    assert [(f["option"], f["level"]) for f in found["flags"] if f["question"] == "DS-01"] == [
        ("web", "high"), ("social", "high"),
    ]  # fmt: skip


def test_figures_are_not_rounded_and_exact_decimals_stay_exact() -> None:
    # 0.1 + 0.2 of binary floats would tip 70.0 to 69.99…; Decimal does not.
    text = '{"questionnaires": ["data-sourcing"], "inherent": 70.0, "as_of": "2026-06-30"}'
    ((_, plain),) = command.submissions(text)
    assert isinstance(plain, dict) and isinstance(plain["inherent"], Decimal)
    assert outcome(plain)["tier"] == 1
    ((_, below),) = command.submissions(text.replace("70.0", "69.9999999999999999999"))
    assert outcome(below)["tier"] == 2  # a float would have made 70 of it


def test_a_figure_at_the_edge_of_its_band_is_read_exactly() -> None:
    ((_, plain),) = command.submissions(
        json.dumps(with_answers(DS_03={"value": 0})).replace('"value": 0', '"value": 98.99999999999999999999')
    )
    below = outcome(plain)
    assert below == outcome(with_answers(DS_03={"value": Decimal("98.9")}))
    assert below != outcome(with_answers(DS_03={"value": 99}))


def test_a_question_may_be_named_by_id() -> None:
    by_id = {**BASE, "answers": {"bulk_collection": {"value": "no"}}}
    assert outcome(by_id) == outcome(with_answers(DS_04={"value": "no"}))


def test_real_values_are_banded_and_codes_are_taken() -> None:
    breach = {**BASE, "questionnaires": ["breach-history"]}
    figures = {**breach, "answers": {"BH-26": {"value": 48}, "BH-29": {"value": "2025-09"}, "BH-30": {"value": "d"}}}
    coded = {**breach, "answers": {"BH-26": {"value": "b"}, "BH-29": {"value": "a"}, "BH-30": {"value": "d"}}}
    assert outcome(figures) == outcome(coded)
    assert "error" not in outcome(figures)


def test_a_table_and_a_file_take_a_grade_code() -> None:
    full = outcome(with_answers(DS_02={"value": "full"}, DS_31={"value": "ok"}))
    none = outcome(with_answers(DS_02={"value": "none"}, DS_31={"value": "none"}))
    assert full["answered"] == none["answered"] == 2
    assert full["themes"]["data-sourcing"]["assured"] > none["themes"]["data-sourcing"]["assured"]


@pytest.mark.parametrize("nothing", [{}, {"value": None}, {"value": ""}, {"value": []}, {"value": {"rows": [{}]}}])
def test_an_empty_value_is_no_answer(nothing: dict[str, Any]) -> None:
    assert outcome(with_answers(DS_02=nothing))["answered"] == 0


def test_an_approved_not_applicable_leaves_the_sums_and_counts_as_answered() -> None:
    pending, approved = (
        outcome(with_answers(DS_24={"not_applicable": "No personal data", "approved": is_approved}))
        for is_approved in (False, True)
    )
    assert pending["answered"] == approved["answered"] == 1
    assert [f["kind"] for f in pending["flags"] if f["question"] == "DS-24"] == ["not_applicable"]
    assert not [f for f in approved["flags"] if f["question"] == "DS-24"]


def test_answers_to_hidden_questions_are_ignored() -> None:
    assert outcome(with_answers(DS_04={"value": "no"}, DS_06={"value": "cont"})) == outcome(
        with_answers(DS_04={"value": "no"})
    )


def test_a_theme_without_anything_to_assess_has_no_figures() -> None:
    library = {"choice": loader.load(shipped.FOLDER / "examples" / "choice.yaml")}
    gone = {"EX-02": {"not_applicable": "we hold nothing", "approved": True}}
    found = command.score_one({"questionnaires": ["choice"], "inherent": 50, "answers": gone}, library, None)
    assert found["themes"] == {"choice": {"assured": None, "declared": None}}
    assert (found["control_effectiveness"], found["residual"]) == (None, None)
    assert (found["number_band"], found["floor"], found["band"]) == ("Not assessed", "Low", "Not assessed")


def test_nothing_answered_scores_nothing_and_has_the_worst_floor() -> None:
    found = outcome(BASE)
    assert found["themes"]["data-sourcing"] == {"assured": 0, "declared": 0}
    assert (found["residual"]["assured"], found["floor"]) == (50, "Critical")


def test_the_day_of_scoring_is_today_unless_said() -> None:
    old = {"questionnaires": ["data-sourcing"], "inherent": 50,
           "answers": {"DS-04": {"value": "no", "answered_on": "2024-06-30"}}}  # fmt: skip
    today, earlier = outcome(old), outcome({**old, "as_of": "2024-06-30"})
    assert today["themes"]["data-sourcing"]["assured"] < earlier["themes"]["data-sourcing"]["assured"]


def test_the_intake_may_be_given_instead_of_the_inherent_score() -> None:
    found = outcome({"questionnaires": ["data-sourcing"], "intake": {"IN-02": ["none"], "IN-04": "none"}})
    assert (found["inherent"], found["tier"]) == (100, 1)  # all the rest is unanswered
    bare = {"questionnaires": ["data-sourcing"]}
    assert error({**bare, "intake": {"IN-02": "none"}}) == "IN-02: a list of option codes is needed"
    assert error({**bare, "intake": {"IN-04": "nope"}}).startswith("IN-04: there is no option 'nope'")
    assert error({**bare, "intake": {"IN-44": "none"}}).startswith("unknown question 'IN-44' (did you mean")


# What is refused, and in which words.


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ([], "the submission must be a JSON object"),
        ("text", "the submission must be a JSON object"),
        ({**BASE, "anwsers": {}}, "the submission: unknown key 'anwsers' (did you mean 'answers'?)"),
        ({**BASE, "questionnaires": ["data-sorcing"]},
         "unknown questionnaire 'data-sorcing' (did you mean 'data-sourcing'?)"),
        ({**BASE, "questionnaires": ["intake"]}, "unknown questionnaire 'intake'"),
        ({**BASE, "questionnaires": []}, "questionnaires: a list with at least one entry is needed"),
        ({**BASE, "questionnaires": "data-sourcing"}, "questionnaires: a list with at least one entry is needed"),
        ({**BASE, "questionnaires": ["data-sourcing"] * 2}, "questionnaires: an entry stands there twice"),
        ({**BASE, "questionnaires": [["x"]]}, "unknown questionnaire ['x']"),
        ({"questionnaires": ["data-sourcing"]}, "give either inherent (0 to 100) or intake (answers by code)"),
        ({**BASE, "intake": {}}, "give either inherent (0 to 100) or intake (answers by code)"),
        ({**BASE, "inherent": 101}, "inherent: 101 is not a number from 0 to 100"),
        ({**BASE, "inherent": -1}, "inherent: -1 is not a number from 0 to 100"),
        ({**BASE, "inherent": True}, "inherent: True is not a number from 0 to 100"),
        ({**BASE, "inherent": "50"}, "inherent: '50' is not a number from 0 to 100"),
        ({**BASE, "as_of": "soon"}, "as_of: 'soon' is not a date (2026-06-30)"),
        ({**BASE, "answers": []}, "answers must be a JSON object"),
        ({**BASE, "answers": {"DS-99": {}}}, "unknown question 'DS-99' (did you mean"),
        ({**BASE, "answers": {"BH-02": {"value": "no"}}}, "unknown question 'BH-02'"),
        ({**BASE, "answers": {"DS-04": {}, "bulk_collection": {}}}, "DS-04: answered twice, by code and by id"),
    ],
)  # fmt: skip
def test_a_submission_is_refused_with_the_reason(plain: object, message: str) -> None:
    assert error(plain).startswith(message)


@pytest.mark.parametrize(
    ("code", "answer", "message"),
    [
        ("DS-04", "no", "DS-04: the answer must be a JSON object"),
        ("DS-04", {"vlaue": "no"}, "DS-04: the answer: unknown key 'vlaue' (did you mean 'value'?)"),
        ("DS-04", {"value": "nope"}, "DS-04: there is no option 'nope' (did you mean 'no'?)"),
        ("DS-04", {"value": True}, "DS-04: not an answer to DS-04"),
        ("DS-04", {"value": ["no"]}, "DS-04: not an answer to DS-04"),
        ("DS-01", {"value": "web"}, "DS-01: a list of option codes is needed"),
        ("DS-01", {"value": [["web"]]}, "DS-01: a list of option codes is needed"),
        ("DS-01", {"value": [1, "web"]}, "DS-01: a list of option codes is needed"),
        ("DS-01", {"value": ["wbe"]}, "DS-01: 'wbe' is not one of the answers offered."),
        ("DS-01", {"value": ["unk", "web"]}, "DS-01: “Unknown” cannot be ticked together with other answers."),
        ("DS-02", {"value": "complete"}, "DS-02: there is no option 'complete'"),
        ("DS-02", {"value": {"rows": [{"nmae": "x"}]}}, "DS-02: Row 1: there is no column 'nmae'."),
        ("DS-03", {"value": "97"}, "DS-03: there is no option '97'"),
        ("DS-03", {"value": True}, "DS-03: True is not a number"),
        ("DS-03", {"value": 101}, "DS-03: The number must be 100 or less."),
        ("DS-03", {"value": Decimal("1e-999999999")}, "DS-03: The number must be finite and of a usual size."),
        ("CL-36", {"value": "2026-07-01"}, "CL-36: 2026-07-01 lies in the future of 2026-06-30"),
        ("CL-36", {"value": "2027"}, "CL-36: 2027 lies in the future of 2026-06-30"),
        ("CL-36", {"value": "July"}, "CL-36: 'July' is not a date."),
        ("DS-04", {"value": "no", "evidence": "claimd"},
         "DS-04: unknown evidence level 'claimd' (did you mean 'claimed'?)"),
        ("DS-04", {"value": "no", "answered_on": "2026-07-01"},
         "DS-04: answered on 2026-07-01, in the future of 2026-06-30"),
        ("DS-04", {"value": "no", "answered_on": 5}, "DS-04: answered_on: 5 is not a date (2026-06-30)"),
        ("DS-04", {"value": "no", "contradicted": "yes"}, "DS-04: contradicted must be true or false"),
        ("DS-24", {"value": "cur", "not_applicable": "x"},
         "DS-24: a value and not_applicable cannot stand together"),
        ("DS-24", {"not_applicable": " "}, "DS-24: not_applicable is the reason, in words"),
        ("DS-24", {"not_applicable": True}, "DS-24: not_applicable is the reason, in words"),
        ("DS-24", {"not_applicable": "x", "approved": 1}, "DS-24: approved must be true or false"),
        ("DS-24", {"value": "cur", "approved": True}, "DS-24: approved goes with not_applicable only"),
        ("DS-04", {"not_applicable": "we do not collect"}, "DS-04: 'not applicable' is not allowed here"),
    ],
)  # fmt: skip
def test_an_answer_is_refused_naming_the_question_and_the_reason(code: str, answer: object, message: str) -> None:
    themes = ["data-sourcing", "customer-list-protection"]
    assert error({**BASE, "questionnaires": themes, "answers": {code: answer}}).startswith(message)


# Reading files.


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_refused(constant: str) -> None:
    ((line, refused),) = command.submissions('{"inherent": ' + constant + "}")
    assert line == 1 and isinstance(refused, InvalidAnswer)
    assert str(refused) == f"{constant} is not a number that can be scored"


@pytest.mark.parametrize("number", ["1" * 5000, "1e99999999999999999999", "1e-99999999999999999999"])
def test_a_monstrous_number_is_refused_and_breaks_nothing(number: str) -> None:
    ((_, plain),) = command.submissions('{"questionnaires": ["data-sourcing"], "inherent": ' + number + "}")
    assert "error" in outcome(plain)


def test_deep_nesting_is_refused_and_breaks_nothing() -> None:
    ((_, plain),) = command.submissions("[" * 200_000)
    assert isinstance(plain, InvalidAnswer)


def test_a_key_that_stands_twice_is_refused() -> None:
    ((_, refused),) = command.submissions('{"answers": {"DS-04": {}, "DS-05": {}, "DS-04": {}}}')
    assert str(refused) == "the key 'DS-04' stands there twice"


def lines(text: str) -> list[tuple[int, bool]]:
    return [(line, isinstance(plain, dict)) for line, plain in command.submissions(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', [(1, True)]),
        ('{\n  "a": 1\n}\n', [(1, True)]),
        ('{"a": 1}\n{"b": 2}\n', [(1, True), (2, True)]),
        ('{"a": 1}\n\n  \n{"b": 2}', [(1, True), (4, True)]),
        ('{"a": 1}\r\n{"b": 2}\r\n', [(1, True), (2, True)]),
        ('{"a": 1}\noops\n{"b": 2}', [(1, True), (2, False), (3, True)]),
        ('oops\n{"b": 2}', [(1, False), (2, True)]),
        ('{"a": \n{"b": 2}', [(1, False), (2, True)]),
        ('{"a": NaN}\n{"b": 2, "b": 3}', [(1, False), (2, False)]),
        ('{\n  "a": 1,\n  "rows": [\n    {"x": 1},\n    {"y": 2}\n  ]\n', [(1, False)]),
        ("", [(1, False)]),
        ('{"a": "one\u2028two"}\n{"b": 2}', [(1, True), (2, True)]),
    ],
)  # fmt: skip
def test_objects_are_found_with_their_lines_and_a_broken_one_keeps_its_place(
    text: str, found: list[tuple[int, bool]]
) -> None:
    assert lines(text) == found


# The command.


def run(path: Path | str, *, rules: bool = False, as_json: bool = True) -> int:
    return command.run(argparse.Namespace(file=str(path), json=as_json, rules=rules))


def given_file(folder: Path, *objects: Any) -> Path:
    path = folder / "submissions.jsonl"
    path.write_text("\n".join(o if isinstance(o, str) else json.dumps(o) for o in objects), encoding="utf-8")
    return path


def test_all_scored_is_exit_0_and_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(given_file(tmp_path, BASE, {**BASE, "inherent": 10})) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["inherent"] for line in out.splitlines()] == [50, 10]
    assert err == ""


def test_a_refused_line_stands_in_its_place_and_the_exit_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {**BASE, "answers": {"DS-04": {"value": "nope"}}}
    path = given_file(tmp_path, BASE, wrong, "{broken}", {**BASE, "inherent": 10})
    assert run(path) == 2
    out, err = capsys.readouterr()
    first, second, third, fourth = (json.loads(line) for line in out.splitlines())
    assert first["inherent"] == 50 and fourth["inherent"] == 10
    assert second == {"line": 2, "error": "DS-04: there is no option 'nope' (did you mean 'no'?)"}
    assert third["line"] == 3 and third["error"].startswith("not JSON: ")
    assert f"{path}:2: DS-04: there is no option" in err


def test_a_file_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(tmp_path / "nowhere.json") == 2
    assert "nowhere.json: " in capsys.readouterr().err


def test_a_file_that_is_not_text_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "binary.json"
    path.write_bytes(b"\xff\xfe{}")
    assert run(path) == 2
    assert "binary.json: " in capsys.readouterr().err


def test_a_file_from_windows_may_begin_with_a_byte_order_mark(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "windows.json"
    path.write_text(json.dumps(BASE), encoding="utf-8-sig")
    assert run(path) == 0
    assert json.loads(capsys.readouterr().out)["inherent"] == 50


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(BASE)))
    assert run("-") == 0
    assert json.loads(capsys.readouterr().out)["tier"] == 2


def test_the_rules_are_run_only_where_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lie = with_answers(DS_01={"value": ["web"]}, DS_04={"value": "no"})
    path = given_file(tmp_path, lie)
    assert run(path) == run(path, rules=True) == 0
    without, judged = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "contradictions" not in without
    assert judged["contradictions"] == [
        {"rule": "C-12", "severity": "high", "affects": ["data_origins", "bulk_collection"]}
    ]
    assert judged["themes"]["data-sourcing"]["assured"] < without["themes"]["data-sourcing"]["assured"]
    kinds = {f["question"]: f["kind"] for f in judged["flags"]}
    assert kinds["DS-01"] == kinds["DS-04"] == "contradicted"


def test_rules_whose_inputs_are_not_given_stay_silent() -> None:
    assert outcome(with_answers(DS_01={"value": ["web"]}), rules=True)["contradictions"] == []


def test_the_whole_program_knows_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = given_file(tmp_path, BASE, {})

    def serve(*_: object) -> None:
        raise AssertionError("nothing is served")

    assert command_line.run(["score", str(path), "--json"], {}, serve) == 2
    assert len(capsys.readouterr().out.splitlines()) == 2
