"""`python -m vendorrisk score`: what it reads, and what the shell gets."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli import running
from tests.cli.scoring import BASE, outcome, with_answers
from vendorrisk.cli import score as command


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
    assert running.run({}, "score", str(path), "--json") == 2
    assert len(capsys.readouterr().out.splitlines()) == 2
