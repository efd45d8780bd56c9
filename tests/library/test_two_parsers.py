"""libyaml and ruamel.yaml: whatever the quick one reads, the careful one reads as the same, place by place."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from vendorrisk.library import shipped, yaml_text
from vendorrisk.library.mistakes import BrokenFile

FILES = sorted(shipped.FOLDER.rglob("*.yaml"))
PIECES = [
    *("\t", " ", "  ", "\n", "\r", ": ", ":", "- ", "-", "? ", "{", "}", "[", "]", ",", "#", " #", "'", '"', "|\n"),
    *(">-\n", "|2\n", "---", "...", "%YAML 1.1\n", "\x85", "\u2028", "\ufeff", "\xa0", "é", "a:b", "{a:1}", "~", ""),
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_of_ours_is_read_quickly_and_as_carefully(path: Path) -> None:
    text = path.read_text()
    assert yaml_text._quickly(text, "x.yaml") == yaml_text._carefully(text, "x.yaml")


def test_what_is_read_quickly_is_what_would_be_read_carefully() -> None:
    chance = random.Random(20261125)
    texts = [path.read_text() for path in FILES]
    compared = 0
    for _ in range(500):
        text = _damaged(chance, chance.choice(texts))
        quick = yaml_text._quickly(text, "x.yaml")
        try:
            careful = yaml_text._carefully(text, "x.yaml") if quick else None
        except BrokenFile:  # of the odd ways to write a block of text, libyaml takes a few more
            continue
        assert quick == careful, text
        compared += quick is not None
    assert compared > 60


def test_mistakes_have_the_careful_parsers_words_without_libyaml_too(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "id: x\ntitle: [1,\nb: c"
    with pytest.raises(BrokenFile) as with_it:
        yaml_text.read(text, "x.yaml")
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert yaml_text._quickly("id: x", "x.yaml") is None
    assert yaml_text.read("id: x", "x.yaml").plain == {"id": "x"}
    with pytest.raises(BrokenFile) as without:
        yaml_text.read(text, "x.yaml")
    assert str(with_it.value) == str(without.value)


def _damaged(chance: random.Random, text: str) -> str:
    start = text.rfind("\n", 0, chance.randrange(max(1, len(text) - 400))) + 1
    text = text[start : start + 400]
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(PIECES) + text[at + chance.choice((0, 0, 3)) :]
    return text
