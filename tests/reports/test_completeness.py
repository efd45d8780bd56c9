"""Laws of the report's room: each section has its template, nothing but the child imports the renderer."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.reports import sample
from vendorrisk.reports import engine, html, sections

ROOM = Path(sections.__file__).parent


@pytest.mark.parametrize("name", sections.SECTIONS)
def test_every_section_has_its_template(name: str) -> None:
    assert sections.SECTIONS[name].template == f"sections/{name}.html"
    assert (html.TEMPLATES / "sections" / f"{name}.html").is_file()


def test_every_template_is_a_section() -> None:
    there = {path.stem for path in (html.TEMPLATES / "sections").glob("*.html")}
    assert there == set(sections.SECTIONS)


def test_every_section_is_in_the_page_and_in_the_contents() -> None:
    page = html.page(sample.report())
    for name in sections.SECTIONS:
        assert f'id="{name}"' in page
        assert name == "summary" or f'href="#{name}"' in page


def test_only_the_engine_imports_the_renderer() -> None:
    importing = {
        path.relative_to(ROOM.parent).as_posix()
        for path in ROOM.parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if "weasyprint" in ast.dump(node) and isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert importing == {"reports/engine.py"}


def test_only_the_child_imports_the_engine() -> None:
    importing = {
        path.name for path in ROOM.parent.rglob("*.py") if re.search(r"import .*\bengine\b", path.read_text("utf-8"))
        and "vendorrisk.reports" in path.read_text("utf-8") and path.parent == ROOM
    }  # fmt: skip
    assert importing == {"child.py"}


def test_the_style_sheet_fetches_only_what_is_in_the_package() -> None:
    assert set(re.findall(r"url\((.*?)\)", html.css())) == set(engine.FONTS)


def test_nothing_that_slows_the_long_parts_is_used() -> None:
    css = re.sub(r"/\*.*?\*/", "", html.css(), flags=re.S)
    assert not re.search(r"display:\s*(flex|grid)|hyphens|leader\(", css)
    assert "table-layout: fixed" in css


def test_no_text_is_marked_as_safe_by_a_template() -> None:
    for path in html.TEMPLATES.rglob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape", path.read_text("utf-8")), path
