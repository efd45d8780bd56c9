"""Odd texts in the report: what its font has is printed as it is, and nothing keeps a report from being made."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pypdf

from tests import odd_strings
from tests.reports import sample
from vendorrisk.reports import compose, pdf, view

_AROUND_A_PAGE = re.compile(r"\n[^\n]+\nConfidential · [^\n]+$")
"""What stands above and below the text on each page; both come last when the text is taken out."""


def report_with(texts: list[str]) -> view.Report:
    """A report in which each text is the comment on an answer of its own; several where there are more than answers."""
    facts = sample.facts(sample.with_incident(sample.case()))
    told = dict(facts.told)
    names = list(told)
    comments = {name: "\n".join(f"[{text}]" for text in texts[at :: len(names)]) for at, name in enumerate(names)}
    return compose.report(
        replace(facts, told={name: replace(said, comment=comments[name]) for name, said in told.items()})
    )


def missing(made: pypdf.PdfReader, texts: list[str]) -> list[str]:
    """Those of the texts that do not stand in the report, apart from where lines and pages were broken."""
    whole = _squeezed("".join(_AROUND_A_PAGE.sub("", page.extract_text()) for page in made.pages))
    return [text for text in texts if _squeezed(f"[{text}]") not in whole]


def _squeezed(text: str) -> str:
    return "".join(text.split()).replace("\u200b", "").replace("\u00ad", "")


def test_odd_texts_are_printed_as_they_are() -> None:
    shown = [text for text in odd_strings.STRINGS if odd_strings.is_shown_by_fonts(text)]
    assert len(shown) >= 60
    made = pypdf.PdfReader(io.BytesIO(pdf.render(report_with(shown))))
    assert missing(made, shown) == []


def test_texts_that_no_font_has_do_not_keep_a_report_from_being_made() -> None:
    odd = [text[:400] for text in odd_strings.STRINGS if not odd_strings.is_shown_by_fonts(text)]
    made = pypdf.PdfReader(io.BytesIO(pdf.render(report_with(odd))))
    assert len(made.pages) > 5
