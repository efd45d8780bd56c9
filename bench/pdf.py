"""The report's cost as ratios: against the same text as plain paragraphs, and against making it again unchanged."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

from tests.reports import sample
from vendorrisk.reports import compose, engine, html, view

Result = tuple[str, float, float, float, float]
"""Name, our seconds, the floor's seconds, their ratio, and the ratio allowed."""
ROUNDS = 5
BUDGET, AGAIN = 2.3, 0.4
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


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _side_by_side(ours: Callable[[], object], floor: Callable[[], object]) -> tuple[float, float]:
    """The best CPU time of each, taken in turns: on a busy machine noise only adds, and it adds to both."""
    times = [(_seconds(floor), _seconds(ours)) for _ in range(ROUNDS)]
    return min(t[1] for t in times), min(t[0] for t in times)


def report_against_paragraphs() -> Result:
    """A report of the three shipped questionnaires, each question answered with a comment; tagged, in one process."""
    report = sample.complete()
    text = plain(html.page(report))
    engine.render(report)
    ours, floor = _side_by_side(lambda: engine.render(report), lambda: _untagged(text))
    return "PDF report, 103 questions, tagged ÷ the same text as plain paragraphs", ours, floor, ours / floor, BUDGET


def again_unchanged() -> Result:
    """Asking again when nothing changed: the snapshot is composed and hashed, and its hash finds the kept file."""
    made = sample.facts(sample.case(sample.LARKFIELD))
    first = _seconds(lambda: engine.render(compose.report(made)))
    again = statistics.median(_seconds(lambda: view.snapshot_hash(compose.report(made))) for _ in range(ROUNDS))
    return "PDF again, nothing changed ÷ the first", again, first, again / first, AGAIN


def main() -> list[Result]:
    """All ratios of the report."""
    return [report_against_paragraphs(), again_unchanged()]


if __name__ == "__main__":
    for name, ours, floor, ratio, budget in main():
        print(f"{name}: {ours * 1000:.0f} ms ÷ {floor * 1000:.0f} ms = {ratio:.2f} (budget {budget})")
