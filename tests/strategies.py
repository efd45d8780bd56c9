"""Random but valid questionnaires of every type, for the property tests of schema and scoring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from vendorrisk.domain.questionnaire import (
    NO_TEXT,
    Band,
    Column,
    ColumnType,
    Factor,
    FlagLevel,
    FollowUp,
    Grading,
    Limits,
    NumberKind,
    Option,
    Purpose,
    Question,
    Questionnaire,
    QuestionType,
    Section,
    Text,
    Unit,
)

_T = QuestionType
_FOLLOWABLE = (_T.YES_NO, _T.CHOICE, _T.CHOICES, _T.DECLARATION)
_UNITS = (Unit.PERCENT, Unit.HOURS, Unit.DAYS, Unit.MONTHS, Unit.RECORDS)

words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
risks = st.sampled_from([Decimal(n) / 20 for n in range(21)])

# Labels are drawn from a few, as drawing is what takes the time.
_LABELS = (Text("Yes"), Text("Ünïcode ☂"), Text("  a\n\tb "), Text("No", (("de", "Nein"), ("pt-BR", "Não"))))
labels = st.sampled_from(_LABELS)
texts = labels | words.map(Text)
optional_texts = st.sampled_from((NO_TEXT, *_LABELS))


@st.composite
def questionnaires(
    draw: st.DrawFn,
    *,
    prefix: str = "qq",
    purpose: Purpose = Purpose.VENDOR,
    max_questions: int = 8,
) -> Questionnaire:
    """A valid questionnaire. Those of other prefixes (2 to 4 letters) can be sent together with it."""
    questions: list[Question] = []
    for number in range(1, draw(st.integers(1, max_questions)) + 1):
        questions.append(draw(_question(f"{prefix}_{number}", f"{prefix.upper()}-{number:02}", purpose, questions)))
    cut = draw(st.integers(1, len(questions)))
    pages = [page for page in (questions[:cut], questions[cut:]) if page]
    return Questionnaire(
        id=f"theme-{prefix}",
        version=draw(st.sampled_from(["1.0", "2.1", "2026-05"])),
        title=draw(texts),
        about=draw(optional_texts),
        purpose=purpose,
        sections=tuple(
            Section(f"page_{n}", draw(texts), draw(optional_texts), tuple(page)) for n, page in enumerate(pages)
        ),
    )


@st.composite
def _question(draw: st.DrawFn, name: str, code: str, purpose: Purpose, earlier: Sequence[Question]) -> Question:
    kind = draw(st.sampled_from(list(_T)))
    counts = kind not in (_T.TEXT, _T.LONG_TEXT) and draw(st.booleans())
    is_vendor = purpose is Purpose.VENDOR
    weight = draw(st.integers(1, 20)) if counts and is_vendor else 0
    shape = draw(_SHAPES[kind](marks(counts, purpose), earlier))
    follow_up = draw(_follow_up(earlier))
    return Question(
        id=name,
        code=code,
        type=kind,
        text=draw(texts),
        why=draw(optional_texts),
        required=draw(st.booleans()),
        weight=weight,
        evidence=draw(optional_texts),
        needs_evidence=draw(st.booleans()),
        na_allowed=draw(st.booleans()),
        maps=tuple(draw(st.lists(words, max_size=2))),
        factor=draw(st.sampled_from(list(Factor))) if counts and not is_vendor else None,
        follow_up=follow_up,
        show_if=None if follow_up else draw(_show_if(earlier)),
        **shape,
    )


@st.composite
def _follow_up(draw: st.DrawFn, earlier: Sequence[Question]) -> FollowUp | None:
    parents = [question for question in earlier if question.type in _FOLLOWABLE]
    if not parents or not draw(st.booleans()):
        return None
    parent = draw(st.sampled_from(parents))
    codes = tuple(draw(st.lists(_codes(parent), min_size=1, max_size=2, unique=True)))
    return FollowUp(parent.id, when=codes) if draw(st.booleans()) else FollowUp(parent.id, unless=codes)


def _codes(question: Question) -> st.SearchStrategy[str]:
    return st.sampled_from([option.code for option in question.options])


@st.composite
def _show_if(draw: st.DrawFn, earlier: Sequence[Question]) -> str | None:
    # Only questions that depend on nothing: else a scored one could stand behind them.
    free = [q for q in earlier if not q.is_scored and q.follow_up is None and q.show_if is None]
    if not free or draw(st.integers(0, 3)):
        return None
    needed = draw(st.sampled_from(free))
    if needed.type is _T.CHOICES:
        return f"{needed.id} != null && '{draw(_codes(needed))}' in {needed.id}"
    if needed.type in (_T.CHOICE, _T.YES_NO):
        return f"{needed.id} == '{draw(_codes(needed))}'"
    return f"{needed.id} != null"


Marks = Callable[[str], st.SearchStrategy[Option]]
"""Makes an option of a code: with a risk, flags or points, as the question needs them."""


def marks(counts: bool, purpose: Purpose) -> Marks:
    """Options for a question that counts in the score, or not."""

    @st.composite
    def option(draw: st.DrawFn, code: str) -> Option:
        is_vendor = purpose is Purpose.VENDOR
        low, high = sorted((draw(risks), draw(risks))) if counts and is_vendor else (None, None)
        if low is not None and draw(st.booleans()):
            low = high
        flag = draw(st.none() | st.sampled_from(list(FlagLevel))) if is_vendor else None
        return Option(
            code=code,
            label=draw(labels),
            low=low,
            high=high,
            flag=flag,
            non_waivable=flag is not None and draw(st.booleans()),
            unknown=code == "unk",
            points=draw(st.integers(0, 4)) if counts and not is_vendor else None,
        )

    return option


Shape = st.SearchStrategy[dict[str, Any]]


@st.composite
def _yes_no(draw: st.DrawFn, option: Marks, _earlier: Sequence[Question]) -> dict[str, Any]:
    codes = ["yes", "no", "unk"] if draw(st.booleans()) else ["yes", "no"]
    return {"options": tuple(draw(option(code)) for code in codes)}


@st.composite
def _choice(draw: st.DrawFn, option: Marks, _earlier: Sequence[Question]) -> dict[str, Any]:
    codes = draw(st.lists(st.sampled_from(["a", "b", "c", "d", "1st", "unk"]), min_size=2, unique=True))
    return {"options": tuple(draw(option(code)) for code in codes)}


@st.composite
def _choices(draw: st.DrawFn, option: Marks, earlier: Sequence[Question]) -> dict[str, Any]:
    options = draw(_choice(option, earlier))["options"]
    return {"options": tuple(replace(one, exclusive=draw(st.integers(0, 3)) == 0) for one in options)}


@st.composite
def _text(draw: st.DrawFn, _option: Marks, _earlier: Sequence[Question]) -> dict[str, Any]:
    pattern = draw(st.none() | st.just("[A-Z]{2}[0-9]*"))
    hint = draw(optional_texts) if pattern else NO_TEXT
    length = draw(st.none() | st.integers(1, 500))
    return {"limits": Limits(max_length=length, pattern=pattern, pattern_hint=hint)}


@st.composite
def _number(draw: st.DrawFn, option: Marks, _earlier: Sequence[Question]) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(NumberKind)))
    low = draw(st.none() | st.just(Decimal(0)))
    unit = Unit.PERCENT if kind is NumberKind.PERCENT else draw(st.none() | st.sampled_from(_UNITS))
    places = 1 if kind is NumberKind.INTEGER else draw(st.sampled_from([1, 4]))
    return {
        "limits": Limits(number=kind, minimum=low, maximum=draw(st.none() | st.just(Decimal(100)))),
        "unit": unit,
        **draw(_bands(option, places)),
    }


@st.composite
def _date(draw: st.DrawFn, option: Marks, _earlier: Sequence[Question]) -> dict[str, Any]:
    unit = draw(st.sampled_from([Unit.DAYS_AGO, Unit.MONTHS_AGO]))
    return {"unit": unit, **draw(_bands(option, 1))}


@st.composite
def _bands(draw: st.DrawFn, option: Marks, places: int) -> dict[str, Any]:
    found = draw(st.lists(st.integers(1, 100 * places), min_size=1, max_size=4, unique=True))
    limits = [Decimal(limit) / places for limit in sorted(found)]
    bands = [Band(f"b{n}", "<=", limit) for n, limit in enumerate(limits)]
    bands.append(Band("over", ">", limits[-1]))
    special = draw(st.sampled_from([(), ("unk",), ("never", "unk"), ("over",)]))
    codes = dict.fromkeys([*(band.option for band in bands), *special])
    return {
        "bands": tuple(bands),
        "special": special,
        "options": tuple(draw(option(code)) for code in codes),
    }


@st.composite
def _table(draw: st.DrawFn, option: Marks, earlier: Sequence[Question]) -> dict[str, Any]:
    kinds = draw(st.lists(st.sampled_from(list(ColumnType)), min_size=1, max_size=4))
    columns = tuple(draw(_column(f"c{n}", kind)) for n, kind in enumerate(kinds))
    dates = tuple(column.id for column in columns if column.type is ColumnType.DATE)
    several = [question.id for question in earlier if question.type is _T.CHOICES]
    grading = Grading(
        *("full", "part", "none"),
        min_rows=draw(st.integers(1, 3)),
        row_for_each=draw(st.none() | st.sampled_from(several)) if several else None,
        in_order=dates if draw(st.booleans()) else (),
    )
    return {
        "columns": columns,
        "grading": grading,
        "options": tuple(draw(option(code)) for code in ("full", "part", "none")),
        "limits": Limits(max_rows=draw(st.none() | st.integers(5, 50))),
    }


@st.composite
def _column(draw: st.DrawFn, name: str, kind: ColumnType) -> Column:
    def codes(*names: str) -> tuple[Option, ...]:
        return tuple(Option(code, draw(labels)) for code in names)

    choice = kind in (ColumnType.CHOICE, ColumnType.CHOICES)
    special = kind in (ColumnType.DATE, ColumnType.NUMBER) and draw(st.booleans())
    return Column(
        id=name,
        label=draw(labels),
        type=kind,
        required=draw(st.booleans()),
        help=draw(optional_texts),
        options=codes("x", "y", "none") if choice else (),
        special=codes("unknown") if special else (),
    )


@st.composite
def _file(draw: st.DrawFn, option: Marks, _earlier: Sequence[Question]) -> dict[str, Any]:
    grading = Grading("full", "part", "none")
    return {"grading": grading, "options": tuple(draw(option(c)) for c in ("full", "part", "none"))}


@st.composite
def _declaration(draw: st.DrawFn, option: Marks, _earlier: Sequence[Question]) -> dict[str, Any]:
    return {"options": tuple(draw(option(code)) for code in ("yes", "no"))}


_SHAPES: dict[QuestionType, Callable[[Marks, Sequence[Question]], Shape]] = {
    _T.YES_NO: _yes_no,
    _T.CHOICE: _choice,
    _T.CHOICES: _choices,
    _T.TEXT: _text,
    _T.LONG_TEXT: _text,
    _T.NUMBER: _number,
    _T.DATE: _date,
    _T.TABLE: _table,
    _T.FILE: _file,
    _T.DECLARATION: _declaration,
}
