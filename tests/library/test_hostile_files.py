"""Files made to do harm are refused with a line, soon, or their texts stay plain texts."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counts import Count
from tests.library.files import GATE, HEAD, with_questions
from tests.library.test_broken_files import BROKEN, mistakes_in, second
from tests.library.test_rules import LIBRARY, RULES, WHEN
from vendorrisk.domain import expressions
from vendorrisk.library import loader, rules, yaml_text
from vendorrisk.library.mistakes import BrokenFile

LAUGHS = "a: &a [ha, ha]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a, *a]\n" for n in range(20))
HOSTILE: dict[str, tuple[str, str]] = {
    "aliases": ("title: &t Broken\nid: *t\n", "2:5: aliases (*t) are not allowed"),
    "anchors": ("title: &t Broken\nid: x\n", "1:8: anchors (&t) are not allowed"),
    "an anchored key": ("&k title: x\n", "1:1: anchors (&k) are not allowed"),
    "a billion laughs": (LAUGHS, "2:10: aliases (*a) are not allowed"),
    "a loop of aliases": ("a: &a [*a]\n", "1:8: aliases (*a) are not allowed"),
    "an alias of nothing": ("a: *b\n", "1:4: aliases (*b) are not allowed"),
    "a merge key": ("<<: {id: x}\n", "1:1: unknown key '<<'"),
    "a tag": ("id: !!str x\n", "1:5: tags (tag:yaml.org,2002:str) are not allowed"),
    "a Python tag": ("id: !!python/object/apply:os.system [ls]\n", "1:5: tags ("),
    "an own tag": ("!include x.yaml\n", "1:1: tags (!include) are not allowed"),
    "deep brackets": ("[" * 30 + "]" * 30, "1:21: nested more than 20 deep"),
    "deep braces": ("{a: " * 30 + "}" * 30, "1:81: nested more than 20 deep"),
    "deep blocks": ("\n".join(" " * n + "a:" for n in range(30)), "21:21: nested more than 20 deep"),
    "countless brackets": ("[" * 100_000, "1:21: nested more than 20 deep"),
    "countless dashes": ("- " * 100_000, "1:41: nested more than 20 deep"),
    "a huge file": ("a: " + "x" * yaml_text.MAX_BYTES, "1:1: the file is larger than 512 KiB"),
    "a key twice": ('id: x\nversion: "1"\nid: y\n', "3:1: the key 'id' is used twice"),
    "a key twice in braces": ("a: {b: 1, c: 2, b: 3}\n", "1:17: the key 'b' is used twice"),
    "two documents": ("id: x\n---\nid: y\n", "2:1: a second document; a file holds one"),
    "a key of keys": ("? {a: b}\n: c\n", "1:3: a key must be a word"),
    "a tab": ("a: 1\n\tb: 2\n", "2:1: not valid YAML: while scanning for the next token"),
    "a bracket left open": ("a: [1,\nb: c", "2:5: not valid YAML"),
    "a control character": ("id: x\nversion: \x01\n", "2:10: a character that YAML does not allow (U+0001)"),
    "a character that is none": ('id: "\\UFFFFFFFF"\n', "1:1: not valid YAML"),
    "a lone surrogate": ("id: \ud800\n", "1:5: a character that YAML does not allow (U+D800)"),
    "a template as an id": ("id: '{{ 7*7 }}'\n", "1:5: '{{ 7*7 }}' is not an id"),
    "a path as an id": ("id: ../../etc/passwd\n", "1:5: '../../etc/passwd' is not an id"),
    "an endless number": (
        with_questions(GATE).replace("weight: 3", "weight: 1e999999999"),
        "12:17: must be a number such as 5 or 0.5, not '1e999999999'",
    ),
    "a very long number": (
        with_questions(GATE).replace("weight: 3", f"weight: {'9' * 5_000}"),
        "12:17: must be a number such as 5 or 0.5, not '999",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_line(name: str, count: Count) -> None:
    text, expected = HOSTILE[name]
    found = mistakes_in(text)
    assert any(line.startswith(expected) for line in found), found
    count("bad questionnaire files", 1)


EVIL_PATTERNS = [
    *("(", ")", "[", "*", "a**", "(?=a)", "(?!a)", "(?<=a)b", r"(a)\1", "(?P<n>a)(?P=n)", "[z-a]"),
    *("a{1001}", "((a{100}){100}){100}", r"\p{Nothing}", "\\", "(?>a)", "x" * 501, "(?i-"),
]


@pytest.mark.parametrize("pattern", EVIL_PATTERNS)
def test_an_evil_pattern_is_refused_with_its_line(pattern: str, count: Count) -> None:
    found = mistakes_in(second("type: text", f"pattern: '{pattern}'"))
    assert len(found) == 1
    assert found[0].startswith("18:18: the pattern ")
    count("evil patterns", 1)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}", "([a-z]+)*!"])
def test_a_pattern_that_would_take_ages_elsewhere_is_taken_and_comes_to_an_end(pattern: str) -> None:
    import re2

    asked = loader.load_text(second("type: text", f"pattern: '{pattern}'"), "good.yaml")
    taken = asked.by_id["second"].limits.pattern
    assert re2.fullmatch(taken, "a" * 50_000 + "?") is None  # where it took ages, the test would run out of its time


EVIL_CONDITIONS = [
    *("(" * 250 + "gate" + ")" * 250, "[" * 490, "gate.all(a, gate.all(b, gate.all(c, gate.all(d, true))))"),
    *("import os", "__import__('os')", "gate.__class__ == ''; x", "{{ gate }}", "gate == 'yes", "\x00", "9" * 400),
    *("timestamp(gate) > now()", "unknown_name", "gate.exists(gate, true)", "duration('1h') > gate", "size("),
]


@pytest.mark.parametrize("condition", EVIL_CONDITIONS)
def test_an_evil_condition_is_refused(condition: str) -> None:
    assert list(expressions.problems(condition, {"gate"}))


INJECTIONS = (
    "{{ 7*7 }}", "{% raw %}", "{% include 'x' %}", "{{ config.items() }}", "{{ ''.__class__.__mro__[1] }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ self._TemplateReference__context }}", "{#- x -#}",
    "{{ request.application.__globals__ }}", "{% for x in range(9**9) %}", "{{ url_for('static') }}", "${7*7}",
    "#{7*7}", "<%= 7*7 %>", "*{7*7}", "@(7*7)", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "</textarea>", "=1+1", "+cmd|' /C calc'!A0", "%s%n", "%(gate)s", "{0.__class__}", "{gate!r}", "`id`", "$(id)",
    "$HOME", "gate == 'yes' || true", "size([1].map(i, i)) > 0", "{it.__class__}", "'; DROP TABLE x; --",
    "<!--#exec cmd=ls -->",
    "javascript:alert(1)", "[x](javascript:alert(1))", "\\x3cscript\\x3e",
)  # fmt: skip


PLAIN_CEL = ("gate == 'yes' || true", "size([1].map(i, i)) > 0")
"""Those that a condition may well say."""


def quoted(text: str) -> str:
    """The text as a YAML scalar in single quotes."""
    return "'" + text.replace("'", "''") + "'"


@pytest.mark.parametrize("text", INJECTIONS)
def test_text_that_looks_like_code_stays_text(text: str, count: Count) -> None:
    loaded = loader.load_text(with_questions(GATE.replace("Did it happen?", quoted(text))), "good.yaml")
    assert str(loaded.by_id["gate"].text) == text
    count("texts that look like code", 1)


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_rules_title_and_message_stay_text_or_are_refused(text: str) -> None:
    written = RULES.replace("The gate and the door", quoted(text))
    assert rules.load_text(written, "good.yaml", LIBRARY).rules[0].title == text
    written = RULES.replace("The gate does not fit {it}.", quoted(text))
    try:
        assert rules.load_text(written, "r.yaml", LIBRARY).rules[0].message == text
    except BrokenFile as error:
        # A message is filled in by {it} alone: other braces are a mistake, said with their place.
        assert "{" in text and str(error).startswith("r.yaml:10:14: ")


@pytest.mark.parametrize("text", INJECTIONS)
def test_code_in_a_condition_is_refused_with_its_place_or_is_plain_cel(text: str) -> None:
    loads: dict[str, Callable[[], object]] = {
        "q": lambda: loader.load_text(second("type: text", f"show_if: {quoted(text)}"), "q.yaml"),
        "r": lambda: rules.load_text(RULES.replace(f'"{WHEN}"', quoted(text)), "r.yaml", LIBRARY),
    }
    for name, load in loads.items():
        try:
            load()
        except BrokenFile as error:
            assert str(error).startswith({"q": "q.yaml:18:18: ", "r": "r.yaml:7:11: "}[name])
        else:
            assert text in PLAIN_CEL, name


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_rules_file_is_refused_with_a_line(name: str) -> None:
    text, _ = HOSTILE[name]
    with pytest.raises(BrokenFile) as caught:
        rules.load_text(text, "r.yaml", LIBRARY)
    assert all(re.match(r"r\.yaml:\d+:\d+: .", line) for line in caught.value.lines)


def test_there_are_as_many_of_each_as_were_promised() -> None:
    assert len(BROKEN) + len(HOSTILE) >= 40
    assert len(EVIL_PATTERNS) >= 15
    assert len(INJECTIONS) + len(EVIL_CONDITIONS) >= 30


def test_yes_no_and_their_kin_stay_text() -> None:
    words = ["yes", "no", "Yes", "NO", "on", "off", "y", "n"]
    assert yaml_text.read(f"[{', '.join(words)}]", "x").plain == words


@pytest.mark.parametrize(
    "text", ["0x1F", "0o17", "1_000", "12:30:45", "1e3", ".inf", "-.inf", ".nan", "007", "2024-05-01"]
)
def test_only_plain_decimal_numbers_are_numbers(text: str) -> None:
    assert yaml_text.read(f"a: {text}", "x").plain == {"a": text}


@given(st.integers(-(10**12), 10**12), st.integers(0, 9))
def test_numbers_are_exact(digits: int, places: int) -> None:
    exact = Decimal(digits).scaleb(-places)
    read = yaml_text.read(f"a: {exact:f}", "x").plain["a"]
    assert isinstance(read, int | Decimal)
    assert read == exact


def test_a_third_is_not_a_float() -> None:
    assert yaml_text.read("risk: 0.33", "x").plain == {"risk": Decimal("0.33")}


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    for content, expected in [
        (b"id: x\ntitle: caf\xe9\n", ":2:1: the file is not UTF-8 text"),
        ("id: x\n".encode("utf-16"), ":1:1: the file is not UTF-8 text"),
        (b"#" * 600_000, ":1:1: the file is larger than 512 KiB"),
        (b"\x00\x00", ":1:1: a character that YAML does not allow (U+0000)"),
    ]:
        path = tmp_path / "broken.yaml"
        path.write_bytes(content)
        with pytest.raises(BrokenFile, match=expected.replace("(", r"\(").replace("+", r"\+").replace(")", r"\)")):
            loader.load(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + with_questions(GATE).encode())
    assert loader.load(path).id == "broken"


def test_any_damage_to_a_file_is_refused_or_harmless() -> None:
    """Cut, doubled and changed pieces: nothing but BrokenFile ever comes out."""
    chance = random.Random(20261123)
    good = with_questions(GATE, GATE.replace("gate", "other").replace("AB-01", "AB-02"))
    for _ in range(400):
        text = good
        for _ in range(chance.randint(1, 4)):
            at, length = chance.randrange(len(text)), chance.randint(0, 6)
            text = (
                text[:at]
                + chance.choice(["", "{", "]", ": ", "\n", "- ", "&a ", "'", '"', "0", "é", "|"])
                + text[at + length :]
            )
        try:
            loader.load_text(text, "damaged.yaml")
        except BrokenFile as error:
            assert all(mistake.line >= 1 and mistake.column >= 1 for mistake in error.mistakes)


def test_a_large_file_of_mistakes_is_refused() -> None:
    codes = ", ".join(f"x{n}" for n in range(100))
    line = "      - {{id: q{0}, code: AB-{0:03}, type: text, text: T, follow_up: {{of: gate, when: [{1}]}}}}\n"
    text = HEAD + with_questions(GATE).removeprefix(HEAD) + "".join(line.format(n, codes) for n in range(400))
    assert len(mistakes_in(text)) == 100
