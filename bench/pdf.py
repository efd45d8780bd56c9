"""The report's cost as ratios: against the same text as plain paragraphs, and against making it again unchanged."""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

from bench.measure import Figure, Line, side_by_side
from tests.reports import sample
from vendorrisk.reports import compose, engine, html, pdf, snapshots, view

_PLAIN_CSS = """@font-face { font-family: Inter; src: url(asset:regular) }
@page { size: A4; margin: 20mm } body { font: 9pt/1.45 Inter } p { margin: 0 0 2mm }"""
_BLOCKS = {"p", "div", "section", "h1", "h2", "h3", "h4", "h5", "td", "th", "pre", "tr"}


class _Text(HTMLParser):
    """The text of a page, block by block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [""]

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        self.blocks[-1] += data


def plain(page: str) -> str:
    """The same text as a page of plain paragraphs."""
    text = _Text()
    text.feed(re.sub(r"<svg.*?</svg>|<head>.*?</head>", "", page, flags=re.S))
    blocks = [block for block in text.blocks if block.strip()]
    return '<html lang="en"><title>Plain</title><body>' + "".join(f"<p>{escape(b)}</p>" for b in blocks)


def _untagged(page: str) -> bytes:
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fetcher, fonts = engine.ClosedFetcher(), FontConfiguration()
    sheet = CSS(string=_PLAIN_CSS, url_fetcher=fetcher, font_config=fonts)
    made: bytes = HTML(string=page, url_fetcher=fetcher).write_pdf(stylesheets=[sheet], font_config=fonts)
    return made


def lines() -> list[Line | Figure]:
    """A full report and a sparse one against their text as plain paragraphs, a report asked for again, a long one."""
    return [
        _against_paragraphs("every question answered with a comment", sample.complete()),
        _against_paragraphs("Clearview, 39 answers", compose.report(sample.facts(sample.case(sample.CLEARVIEW)))),
        _again_unchanged(),
        _again_one_changed(),
        *_two_hundred(),
    ]


def _against_paragraphs(name: str, report: view.Report) -> Line:
    """Tagged, in one process."""
    text = plain(html.page(report))
    return side_by_side(
        f"PDF report, {name}", lambda: engine.render(report), "the same text as plain paragraphs",
        lambda: _untagged(text), budget=2.3, rounds=5,
    )  # fmt: skip


def _again_unchanged() -> Line:
    """Asking again when nothing changed: the snapshot is composed and hashed, and its hash finds the kept file."""
    made = sample.facts(sample.case(sample.LARKFIELD))
    return side_by_side(
        "PDF again, nothing changed", lambda: snapshots.digest(compose.report(made)), "the first time",
        lambda: engine.render(compose.report(made)), budget=0.4, rounds=3,
    )  # fmt: skip


def _again_one_changed() -> Line:
    """One answer's text is another: nothing of the first rendering can serve again (docs/decisions/0004)."""
    first = sample.complete()
    return side_by_side(
        "PDF again, one answer changed", lambda: engine.render(_changed(first)), "the first time",
        lambda: engine.render(first), budget=0.4, rounds=3,
    )  # fmt: skip


def _changed(report: view.Report) -> view.Report:
    chapter = report.answers[1]
    section = chapter.sections[0]
    answer = replace(section.answers[0], comment="Changed since.")
    section = replace(section, answers=(answer, *section.answers[1:]))
    chapter = replace(chapter, sections=(section, *chapter.sections[1:]))
    return replace(report, answers=(report.answers[0], chapter, *report.answers[2:]))


def _two_hundred() -> list[Figure]:
    """200 answers with a comment each, in the child process, as the service makes it."""
    report = sample.complete()
    answers = [answer for chapter in report.answers for section in chapter.sections for answer in section.answers]
    chapter, many = report.answers[0], tuple((answers * 3)[:200])
    sections = (replace(chapter.sections[0], answers=many),)
    report = replace(report, answers=(replace(chapter, sections=sections),))
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        made = pdf.render(report)
        times.append(time.perf_counter() - begun)
    return [
        Figure("PDF of 200 answers, process and all", statistics.median(times), "s", 1.5),
        Figure("PDF of 200 answers", len(made) / 1000, "KB", 300),
    ]
