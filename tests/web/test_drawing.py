"""Questions are drawn once and kept with gaps: what comes out is what the templates draw, and nothing typed is kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import FunctionType, ModuleType
from uuid import UUID

import pytest
from flask import Flask
from markupsafe import Markup

from tests import builders
from tests.web import vendor_visits as visits
from vendorrisk.db.engine import Database
from vendorrisk.domain.questionnaire import Question, QuestionType, Text
from vendorrisk.library import loader, shipped
from vendorrisk.services.answering.evidence import FileView
from vendorrisk.web import drawing
from vendorrisk.web.question_forms import Clash, Control

REFERENCE = "R-7F3K2M"
ODD = (
    drawing._mark(drawing._COMMENT), "{{ 7 * 7 }}{% raw %}{# note #}", '<script>alert("x")</script>', "n6n",
    "' onfocus=x \" &amp; &#39;", "  spaces\n\nand lines\n", "😀 עברית e\u0301 \ud800", "\\1 \\g<0> %s {0}",
)  # fmt: skip
"""What somebody may type; even a mark, if they could guess it, would stay a text."""
FILE = FileView(
    UUID(int=7), '<i>"note"</i> {{ x }}.txt', "txt", 1234, "9f" * 32, None, datetime(2026, 1, 1, tzinfo=UTC),
    "Victor", (),
)  # fmt: skip


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    """In a request of the application, with nothing kept from before."""
    drawing._pieces.cache_clear()
    drawing._known.clear()
    with app.test_request_context("/"):
        yield


def asked(kind: QuestionType) -> Question:
    """A question of this type, from its example."""
    example = loader.load(shipped.FOLDER / "examples" / f"{kind}.yaml")
    return next(question for question in example if question.type is kind)


def fields(question: Question, text: str) -> list[dict[str, list[str]]]:
    """Nothing; `text` in every field; a code in every field; a table of two rows with both."""
    codes = [option.code for option in question.options] or ["none"]
    found: list[dict[str, list[str]]] = [{}, {"": [text], "name": [text], "role": ["role " + text]}]
    found += [{"": codes[:1], "code": codes[-1:]}, {"": codes}]
    cells: dict[str, list[str]] = {"rows": ["2"], "complete": ["1"], "code": ["none"]}
    for column in question.columns:
        offered = [option.code for option in (*column.options, *column.special)]
        cells |= {f"0-{column.id}": [text], f"1-{column.id}": offered or [text + text]}
    return [*found, cells] if question.columns else found


def controls(question: Question, text: str) -> list[Control]:
    """The question in every state that a page can show."""
    plain = [Control(question=question, fields=given, version=3, seen="5e3d") for given in fields(question, text)]
    first = plain[1]
    return [
        *plain,
        replace(first, comment=text), replace(first, na=True, na_reason=text), replace(first, unknown=True),
        replace(first, depth=2, condition="Answer if “<b>{{ 7 }}</b>”.", is_hidden=True), replace(first, files=(FILE,)),
        replace(first, comment=text, files=(FILE, FILE), version=12), replace(first, error=text, error_at="q-x"),
        replace(first, clash=Clash(text, "10:00", text, text)),
    ]  # fmt: skip


def afresh(control: Control) -> Markup:
    """The question straight from its template."""
    files = drawing.file_list(control.question, control.files, REFERENCE)
    return drawing._render(control, REFERENCE, files)


def test_a_kept_question_is_what_its_template_draws(inside: None) -> None:
    for question in map(asked, QuestionType):
        for text in ODD:
            for control in controls(question, text):
                drawn = [drawing.question(control, REFERENCE) for _ in range(2)]
                assert drawn == [afresh(control)] * 2
    assert drawing._pieces.cache_info().hits > drawing._pieces.cache_info().misses > len(QuestionType)


def test_the_texts_of_a_questionnaire_stay_texts(inside: None) -> None:
    question = asked(QuestionType.TEXT)
    question = replace(question, text=Text(ODD[1]), why=Text(ODD[2]), help=Text(ODD[4]), example=Text(ODD[7]))
    drawn = drawing.question(Control(question=question, fields={"": ["x"]}), REFERENCE)
    assert drawn == afresh(Control(question=question, fields={"": ["x"]}))
    assert "{{ 7 * 7 }}" in drawn
    assert "<script>alert" not in drawn


def held_by(thing: object) -> set[str]:
    """Every text that can be reached from `thing` through containers."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [thing]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, str):
            found.add(thing)
        elif id(thing) not in seen and not isinstance(thing, type | ModuleType | FunctionType):
            seen.add(id(thing))
            waiting += gc.get_referents(thing)
    return found


def test_nothing_that_somebody_typed_is_kept(inside: None) -> None:
    canary = "the canary sings"
    for kind in QuestionType:
        for control in controls(asked(kind), canary):
            drawing.question(control, REFERENCE)
    held = held_by(drawing._pieces)
    assert [text for text in held if 'data-question="' in text]
    assert [text for text in held if canary in text or REFERENCE in text] == []


def test_each_shape_is_rendered_once(inside: None) -> None:
    question = asked(QuestionType.LONG_TEXT)
    for text in ODD:
        drawing.question(Control(question=question, fields={"": [text]}, version=len(text)), REFERENCE)
    assert (drawing._pieces.cache_info().misses, drawing._pieces.cache_info().hits) == (1, len(ODD) - 1)


def test_two_requests_share_what_is_kept_and_nothing_else(app: Flask, database: Database) -> None:
    visitors = []
    for number in (1, 2):
        with database.writing() as session:
            request = builders.add_request(session)
            builders.add_answer(session, request, "remote_access", "no", comment=f"comment {number}")
            token = builders.add_link(session, request)
        visitors.append(visits.enter(app, database, token))
    pages = [visit.get("/sections/follow-up/remote_work").text for visit in (*visitors, *visitors)]
    for number, page in zip((1, 2, 1, 2), pages, strict=True):
        assert f"comment {number}" in page
        assert f"comment {3 - number}" not in page
        assert visitors[number - 1].reference in page
        assert visitors[2 - number].reference not in page


def test_previews_of_two_requests_name_their_own_request(app: Flask, database: Database) -> None:
    with database.writing() as session:
        tokens = [builders.add_link(session, builders.add_request(session)) for _ in range(2)]
    first, second = (visits.enter(app, database, token) for token in tokens)
    page, other = first.get("/preview").text, second.get("/preview").text
    assert page.replace(first.reference, second.reference) == other
    assert first.reference not in other
