"""`python -m vendorrisk score`: what is refused, and in which words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.cli.scoring import BASE, error, outcome
from vendorrisk.cli import score as command
from vendorrisk.domain.errors import InvalidAnswer


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
