"""The master key on paper comes back the same, and every slip of the pen is found."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.db.vault import MasterKey
from vendorrisk.services.operating import escrow

KEY = MasterKey("0a1b2c3d", bytes(range(1, 33)))
PAPER = escrow.write(KEY, organisation="Zoë & Søn", on=date(2026, 6, 30))
LINES = [number for number, line in enumerate(PAPER.splitlines()) if line.strip().startswith("line ")]


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**32 - 1))
def test_any_key_comes_back_the_same(secret: bytes, number: int) -> None:
    key = MasterKey(f"{number:08x}", secret)
    assert escrow.read(escrow.write(key, organisation="Acme", on=date(2026, 6, 30))) == key


def test_the_paper_can_be_printed_anywhere_and_says_whose_it_is() -> None:
    assert PAPER.isascii() and max(map(len, PAPER.splitlines())) <= 90
    assert "Zo? & S?n" in PAPER and "2026-06-30" in PAPER and KEY.id in PAPER


def test_how_it_is_typed_does_not_matter() -> None:
    head, mark, letters = PAPER.partition("line 1")
    assert "0" in letters and "1" in letters
    typed = letters.lower().replace("-", " ").replace("0", "o").replace("1 ", "l ", 1)
    assert escrow.read(f"{head}{mark}{letters.lower()}\n\nThank you") == KEY
    assert escrow.read(f"{head}LINE 1:{typed}") == KEY


def test_every_wrong_letter_is_found_and_its_line_named() -> None:
    lines = PAPER.splitlines()
    for number, at in enumerate(LINES, start=1):
        start = lines[at].rindex("  ") + 2
        for place in range(start, len(lines[at])):
            if lines[at][place] == "-":
                continue
            other = "7" if lines[at][place] != "7" else "8"
            typed = [*lines[:at], lines[at][:place] + other + lines[at][place + 1 :], *lines[at + 1 :]]
            with pytest.raises(escrow.BadPaper, match=f"slip in line {number}"):
                escrow.read("\n".join(typed))


def test_two_neighbours_changed_over_are_found() -> None:
    lines = PAPER.splitlines()
    line = lines[LINES[1]]
    start = line.rindex("  ") + 2
    swaps = [place for place in range(start, len(line) - 1) if "-" not in line[place : place + 2]]
    for place in (place for place in swaps if line[place] != line[place + 1]):
        lines[LINES[1]] = line[:place] + line[place + 1] + line[place] + line[place + 2 :]
        with pytest.raises(escrow.BadPaper, match="line 2"):
            escrow.read("\n".join(lines))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("line 3", "lime 3", "Line 3 of the key is missing"),
        (f"key          {KEY.id}", "", "'key' and 'fingerprint' are missing"),
        (f"key          {KEY.id}", "key 0a1b2c3e", "not of this fingerprint"),
        ("  line 1       ", "  line 1       AAAA-", "Line 1 must have 16"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_said(old: str, new: str, says: str) -> None:
    assert old in PAPER
    with pytest.raises(escrow.BadPaper, match=says):
        escrow.read(PAPER.replace(old, new))


def test_lines_in_another_order_are_still_the_same_key() -> None:
    lines = PAPER.splitlines()
    lines[LINES[0]], lines[LINES[3]] = lines[LINES[3]], lines[LINES[0]]
    assert escrow.read("\n".join(lines)) == KEY
