"""What is wrong in a questionnaire file is said with its line and column, all at once."""

from __future__ import annotations

import pytest

from tests.counts import Count
from tests.library.files import GATE, HEAD, with_questions
from vendorrisk.library import loader
from vendorrisk.library.mistakes import BrokenFile


def mistakes_in(text: str) -> list[str]:
    """The mistakes as `line:column: message`."""
    with pytest.raises(BrokenFile) as caught:
        loader.load_text(text, "broken.yaml")
    assert str(caught.value) == "\n".join(caught.value.lines)
    return [line.removeprefix("broken.yaml:") for line in caught.value.lines]


def second(*lines: str) -> str:
    """The gate, and a second question that starts on line 14 with these lines (17 onwards) below its text."""
    start = ["- id: second", "  code: AB-02", "  text: And then?"]
    return with_questions(GATE, "\n".join([*start, *(f"  {line}" for line in lines)]) + "\n")


def first(line: str, instead: str) -> str:
    """The gate with one line of it replaced."""
    assert line in GATE
    return with_questions(GATE.replace(line, instead))


YES_NO = "options: [{code: yes, label: Yes, risk: 1}, {code: no, label: No, risk: 0}]"
TWO = "options: [{code: a, label: A, risk: 0}, {code: b, label: B, risk: 1}]"
GRADES = "options: [{code: f, label: F}, {code: p, label: P}, {code: n, label: N}]"
INTAKE = HEAD + "      - {id: size, code: IN-01, type: choice, text: How large?, "

BROKEN: dict[str, tuple[str, str]] = {
    # The document itself.
    "empty": ("", "1:1: the file is empty"),
    "a list": ("- a\n- b\n", "1:1: must be a mapping of keys, not a list"),
    "no sections": ('id: x\nversion: "1"\ntitle: X\n', "1:1: 'sections' is missing"),
    "sections empty": ('id: x\nversion: "1"\ntitle: X\nsections: []\n', "4:11: has 0 entries; at least 1"),
    "unknown key": (HEAD.replace("title: Broken", "titel: Broken"), "3:1: unknown key 'titel' (did you mean"),
    "id with capitals": (first("id: gate", "id: Gate"), "8:13: 'Gate' is not an id"),
    "id with underscores": (with_questions(GATE).replace("id: broken", "id: b_r"), "1:5: 'b_r' is not an id"),
    "version unquoted": (with_questions(GATE).replace('"1.0"', "1.0"), "2:10: must be text, not the number 1.0;"),
    "language": ("language: English\n" + with_questions(GATE), "1:11: 'English' is not a language code"),
    "purpose": ("purpose: vendors\n" + with_questions(GATE), "1:10: unknown purpose 'vendors' (did you mean"),
    "title blank": (with_questions(GATE).replace("title: Broken", "title: ' '"), "3:8: must not be blank"),
    "no own language": (
        with_questions(GATE).replace("title: Broken", "title: {de: Kaputt}"),
        "3:8: has no text in 'en', the language of the questionnaire",
    ),
    "bad translation": (
        with_questions(GATE).replace("title: Broken", "title: {en: Broken, de: 1}"),
        "3:25: must be text, not the number 1; put it in quotes",
    ),
    "no such language": (
        with_questions(GATE).replace("title: Broken", "title: {en: Broken, deutsch: Kaputt}"),
        "3:21: 'deutsch' is not a language code such as en or pt-BR",
    ),
    "sections used twice": (
        with_questions(GATE) + "  - {id: only, title: T, questions: [{id: t, code: AB-09, type: text, text: T}]}\n",
        "14:10: 'only' is used twice",
    ),
    # One question.
    "type": (first("type: yes_no", "type: yesno"), "10:15: unknown type 'yesno' (did you mean 'yes_no'?)"),
    "type missing": (first("  type: yes_no\n", ""), "8:9: 'type' is missing"),
    "question a text": (with_questions(GATE, "- Why?\n"), "14:9: must be a mapping of keys, not 'Why?'"),
    "key misspelt": (first("weight:", "wieght:"), "12:9: unknown key 'wieght' (did you mean 'weight'?)"),
    "code": (first("AB-01", "A1"), "9:15: 'A1' is not a code such as DS-01"),
    "id used twice": (
        with_questions(GATE, GATE.replace("AB-01", "AB-02")),
        "14:13: 'gate' is used twice",
    ),
    "code used twice": (with_questions(GATE, GATE.replace("gate", "gate2")), "15:15: 'AB-01' is used twice"),
    "reserved id": (first("id: gate", "id: number"), "8:13: 'number' has a meaning in conditions"),
    "text too long": (first("Did it", "x" * 4_001), "11:15: has 4,009 characters; the most is 4,000"),
    "text a number": (first("Did it happen?", "2024"), "11:15: must be text, not the number 2024; put it in"),
    "text a NUL": (first("Did it happen?", r'"a\0b"'), "11:15: holds a character that cannot be kept (U+0000)"),
    "text a lone surrogate": (first("Did it happen?", r'"\ud800"'), "11:15: holds a character that cannot be"),
    "required": (first("weight: 3", "required: yes"), "12:19: must be true or false, not 'yes'"),
    "weight negative": (first("weight: 3", "weight: -1"), "12:17: must be a whole number from 0 to 100"),
    "weight a fraction": (first("weight: 3", "weight: 1.5"), "12:17: must be a whole number from 0 to 100"),
    "weight not a number": (first("weight: 3", "weight: .nan"), "12:17: must be a number such as 5 or 0.5"),
    "weight without risks": (second("type: text", "weight: 2"), "18:9: a question with a weight needs options"),
    # Options.
    "risk above 1": (first("risk: 0}", "risk: 1.01}"), "13:89: a risk lies between 0 and 1, not at 1.01"),
    "risk not a number": (first("risk: 0}", "risk: .NaN}"), "13:89: must be a number such as 5 or 0.5, not"),
    "risk upside down": (first("[0.25, 1]", "[1, 0.25]"), "13:49: the lower end 1 is above the upper end 0.25"),
    "risk of three": (first("[0.25, 1]", "[0, 0, 1]"), "13:49: has 3 entries; at most 2 are expected"),
    "risk missing": (first(", risk: 0}", "}"), "13:61: 'risk' is missing: either all options"),
    "option code": (first("code: no", "code: No way"), "13:68: 'No way' is not a code"),
    "option code true": (first("code: yes", "code: true"), "13:26: must be text, not true; put it in quotes"),
    "option twice": (first("code: no", "code: yes"), "13:68: 'yes' is used twice"),
    "flag": (first("risk: 0}", "risk: 0, flag: hi}"), "13:98: unknown flag 'hi' (did you mean 'high'?)"),
    "non_waivable": (first("risk: 0}", "risk: 0, non_waivable: true}"), "13:92: 'non_waivable' needs a flag"),
    "exclusive": (first("risk: 0}", "risk: 0, exclusive: true}"), "13:92: 'exclusive' has a meaning only where"),
    "points for a vendor": (first("risk: 0}", "risk: 0, points: 1}"), "13:92: 'points' is only for questionnaires"),
    "yes_no without no": (first("code: no", "code: never"), "13:18: type 'yes_no' needs an option 'no'"),
    "yes_no with more": (
        first("risk: 0}]", "risk: 0}, {code: maybe, label: M, risk: 1}]"),
        "13:100: type 'yes_no' has only the options yes and no; for more answers use type 'choice'",
    ),
    "choice of one": (
        second("type: choice", "options: [{code: a, label: A}]"),
        "18:18: type 'choice' needs at least two options",
    ),
    "choice without options": (second("type: choice"), "14:9: type 'choice' needs at least two options"),
    "options on a text": (second("type: text", TWO), "18:9: 'options' has no meaning for type 'text' (only for"),
    "columns on a choice": (
        second("type: choice", TWO, "columns: [{id: a, label: A, type: text}]"),
        "19:9: 'columns' has no meaning for type 'choice' (only for table)",
    ),
    "declaration": (second("type: declaration", TWO), "18:18: type 'declaration' needs an option 'yes'"),
    # Numbers, dates, texts.
    "band of no option": (
        second("type: number", TWO, "bands: [[a, '<', 5], [c, '>=', 5]]", "special: [b]"),
        "19:31: unknown option 'c'",
    ),
    "band operator": (second("type: number", TWO, "bands: [[a, '=<', 5], [b, '>', 5]]"), "19:21: '=<' is not one of"),
    "band of two": (second("type: number", TWO, "bands: [[a, 5]]"), "19:17: has 2 entries; at least 3"),
    "gap in bands": (
        second("type: number", "number: decimal", TWO, "bands: [[a, '<', 5], [b, '>', 5]]"),
        "20:16: no band covers 5",
    ),
    "option not reached": (
        second("type: number", TWO, "bands: [[a, '<', 5], [a, '>=', 5]]"),
        "18:49: no band and no 'special' leads to 'b'",
    ),
    "scored without bands": (
        second("type: number", "weight: 1", "special: [a, b]", TWO),
        "14:9: a scored question of type 'number' needs 'bands'",
    ),
    "special of no option": (second("type: date", TWO, "special: [a, b, c]"), "19:25: unknown option 'c'"),
    "bands on a choice": (second("type: choice", TWO, "bands: [[a, '<', 5]]"), "19:9: 'bands' has no meaning"),
    "unit of dates": (second("type: number", "unit: days ago"), "18:15: the unit 'days ago' is only for dates"),
    "unit of numbers": (second("type: date", "unit: months"), "18:15: the unit 'months' is only for numbers"),
    "least above greatest": (second("type: number", "min: 5", "max: 4"), "18:14: the least value 5 is above"),
    "percent": (second("type: number", "number: percent", "max: 101"), "19:14: a percent lies between 0 and 100"),
    "pattern": (second("type: text", "pattern: '(?=a)'"), "18:18: the pattern is not valid in RE2: invalid perl"),
    "hint without pattern": (second("type: text", "pattern_hint: Two"), "18:9: 'pattern_hint' needs 'pattern'"),
    "length 0": (second("type: text", "max_length: 0"), "18:21: must be a whole number from 1 to 20000"),
    "text long": (second("type: text", "max_length: 900"), "18:21: type 'text' takes at most 500"),
    # Tables and files.
    "table without columns": (second("type: table"), "14:9: type 'table' needs 'columns'"),
    "column type": (
        second("type: table", "columns: [{id: a, label: A, type: txt}]"),
        "18:43: unknown type of column 'txt' (did you mean 'text'?)",
    ),
    "column twice": (
        second("type: table", "columns: [{id: a, label: A, type: url}, {id: a, label: B, type: url}]"),
        "18:54: 'a' is used twice",
    ),
    "column without options": (
        second("type: table", "columns: [{id: a, label: A, type: choice}]"),
        "18:19: type 'choice' needs at least two options",
    ),
    "column with special": (
        second("type: table", "columns:", "  - id: a", "    label: A", "    type: url", "    special: [x]"),
        "22:13: 'special' has no meaning for type 'url' (only for date, number)",
    ),
    "ungraded table": (
        second("type: table", "weight: 1", "columns: [{id: a, label: A, type: url}]", TWO),
        "14:9: type 'table' with options needs 'grading'",
    ),
    "grading": (
        second("type: file", "grading: {full: f, part: p, none: x}", GRADES),
        "18:43: unknown option 'x'",
    ),
    "rows of a file": (
        second("type: file", "grading: {full: f, part: p, none: n, min_rows: 2}", GRADES),
        "18:46: 'min_rows' has a meaning only for tables",
    ),
    "row for each": (
        second(
            *("type: table", "columns: [{id: a, label: A, type: url}]", GRADES),
            *("grading:", "  {full: f, part: p, none: n, row_for_each: gate}"),
        ),
        "21:53: unknown question of type 'choices' 'gate'",
    ),
    "dates in order": (
        second(
            *("type: table", "columns: [{id: a, label: A, type: url}]", GRADES),
            *("grading:", "  {full: f, part: p, none: n, in_order: [a]}"),
        ),
        "21:50: unknown date column 'a'",
    ),
    # Visibility.
    "follow-up of nothing": (
        second("type: text", "follow_up: {of: gaet, when: [yes]}"),
        "18:25: unknown question 'gaet' (did you mean 'gate'?)",
    ),
    "follow-up of itself": (
        second("type: yes_no", YES_NO, "follow_up: {of: second, when: [yes]}"),
        "19:20: whether 'second' is shown depends on itself, in a circle",
    ),
    "follow-up of a text": (
        with_questions(
            "- {id: note, code: AB-01, type: text, text: Note?}\n",
            "- {id: more, code: AB-02, type: text, text: More?, follow_up: {of: note, when: [yes]}}\n",
        ),
        "9:74: 'note' is of type 'text': only a question with options to tick",
    ),
    "follow-up of no option": (
        second("type: text", "follow_up: {of: gate, when: [yes, maybe]}"),
        "18:43: unknown option of 'gate' 'maybe'",
    ),
    "follow-up without when": (second("type: text", "follow_up: {of: gate}"), "18:20: a follow-up needs either"),
    "follow-up with both": (
        second("type: text", "follow_up: {of: gate, when: [yes], unless: [no]}"),
        "18:20: a follow-up needs either 'when' or 'unless'",
    ),
    "follow-up with a text": (
        second("type: text", "follow_up: {of: gate, when: yes}"),
        "18:37: must be a list, not 'yes'",
    ),
    "condition not CEL": (
        second("type: text", 'show_if: "gate =="'),
        "18:18: the condition cannot be understood: mismatched input '<EOF>' (character 8)",
    ),
    "condition on nothing": (
        second("type: text", "show_if: \"gaet == 'yes'\""),
        "18:18: unknown name 'gaet' (did you mean 'gate'?) in the condition",
    ),
    "condition too long": (
        second("type: text", f"show_if: \"gate == '{'x' * 500}'\""),
        "18:18: the condition has 510 characters; the most is 500",
    ),
    "condition with a function": (
        second("type: text", 'show_if: "gate.matches(gate)"'),
        "18:18: unknown function 'matches' in the condition",
    ),
    "condition on itself": (
        second("type: yes_no", YES_NO.replace(", risk: 1", "").replace(", risk: 0", ""), 'show_if: "second == gate"'),
        "19:18: whether 'second' is shown depends on itself, in a circle",
    ),
    "scored behind scored": (
        second("type: yes_no", "weight: 1", YES_NO, "show_if: \"gate == 'yes'\""),
        "20:18: a scored question cannot be shown because of a scored one ('gate')",
    ),
    # The intake.
    "risk in the intake": ("purpose: intake\n" + with_questions(GATE), "14:43: 'risk' is only for questionnaires"),
    "factor for a vendor": (second("type: choice", "factor: impact", TWO), "18:9: 'factor' is only for"),
    "points of 5": (
        "purpose: intake\n"
        + INTAKE
        + "factor: impact, options: [{code: a, label: A, points: 5}, {code: b, label: B, points: 0}]}\n",
        "9:119: must be a whole number from 0 to 4",
    ),
    "points without factor": (
        "purpose: intake\n" + INTAKE + "options: [{code: a, label: A, points: 1}, {code: b, label: B}]}\n",
        "9:9: options have points, but 'factor' is missing",
    ),
    "factor without points": (
        "purpose: intake\n" + INTAKE + "factor: impact, options: [{code: a, label: A}, {code: b, label: B}]}\n",
        "9:65: a question with a factor needs options with points",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_said_with_its_line_and_column(name: str, count: Count) -> None:
    text, expected = BROKEN[name]
    found = mistakes_in(text)
    assert any(line.startswith(expected) for line in found), found
    count("bad questionnaire files", 1)


def test_the_good_parts_of_these_files_are_good() -> None:
    assert len(loader.load_text(with_questions(GATE), "good.yaml").questions) == 1
    assert len(loader.load_text(second("type: yes_no", "weight: 1", YES_NO), "good.yaml").questions) == 2


def test_all_mistakes_are_said_at_once() -> None:
    text = with_questions(
        GATE.replace("weight: 3", "wieght: 3").replace("risk: 0", "risk: 7"),
        """\
        - id: second
          code: AB-01
          type: chioce
          text: Then?
          follow_up: {of: gaet, when: [yes]}
        """,
    )
    assert mistakes_in(text) == [
        "12:9: unknown key 'wieght' (did you mean 'weight'?)",
        "13:89: a risk lies between 0 and 1, not at 7",
        "15:15: 'AB-01' is used twice",
        "16:15: unknown type 'chioce' (did you mean 'choice'?)",
        "18:25: unknown question 'gaet' (did you mean 'gate'?)",
    ]


def test_a_part_without_shape_brings_no_further_mistakes() -> None:
    assert mistakes_in(second("type: number", "bands: 7", "special: [c]", TWO.replace("code: a", "code: A"))) == [
        "18:16: must be a list, not the number 7",
        "20:26: 'A' is not a code: small letters, digits and underscores",
    ]


def test_a_circle_of_several_questions_is_found() -> None:
    link = '- {{id: {0}, code: AB-0{1}, type: text, text: T, show_if: "{2} != null"}}\n'
    text = with_questions(*(link.format(*link_of) for link_of in [("a", 1, "b"), ("b", 2, "c"), ("c", 3, "a")]))
    assert [line.split(": ")[1] for line in mistakes_in(text)] == [
        f"whether '{name}' is shown depends on itself, in a circle" for name in "abc"
    ]


def test_a_scored_question_cannot_stand_behind_a_scored_one_through_an_unscored_one() -> None:
    text = with_questions(
        GATE,
        "- {id: note, code: AB-02, type: text, text: Note?, follow_up: {of: gate, when: [yes]}}\n",
        GATE.replace("gate", "last").replace("AB-01", "AB-03") + '  show_if: "note != null"\n',
    )
    assert mistakes_in(text) == ["21:18: a scored question cannot be shown because of a scored one ('gate')"]


def test_a_file_with_countless_mistakes_says_a_hundred() -> None:
    assert len(mistakes_in(with_questions(*["- {idd: 1}\n"] * 300))) == 100
