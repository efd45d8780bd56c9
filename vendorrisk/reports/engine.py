"""Turns the report's HTML into PDF bytes with WeasyPrint; only the child process imports this module."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

import pydyf
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from vendorrisk.reports import html, snapshots, view

VARIANT = "pdf/ua-1"
FONTS = {
    "asset:regular": "Inter-Regular.otf",
    "asset:bold": "Inter-Bold.otf",
}
"""All that a report may fetch: bytes that lie in this package."""


class ClosedFetcher(URLFetcher):
    """Serves the embedded fonts and nothing else. Any other address ends the rendering."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("asset",), allow_redirects=False, fail_on_errors=True)

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
        """The font's bytes. Raises FatalURLFetchingError, which WeasyPrint does not swallow."""
        name = FONTS.get(url)
        if name is None:
            raise FatalURLFetchingError("a report fetches nothing")
        font = (files("vendorrisk.reports") / "assets" / name).read_bytes()
        return URLFetcherResponse(url, font, {"Content-Type": "font/otf"})


def render(report: view.Report) -> bytes:
    """The PDF of a report; the same report gives the same bytes."""
    return render_html(html.page(report), html.css(), _identifier(report))


def test_page() -> bytes:
    """One page in the style of a report, to try out the fonts and libraries."""
    return render_html(
        '<html lang="en"><title>Test</title><h1>Test page</h1><p>äßç €</p></html>', html.css(), bytes(16)
    )


def render_html(page: str, css: str, identifier: bytes) -> bytes:
    """The PDF of a page with a style sheet; benchmarks call this with pages of their own."""
    fetcher, fonts = ClosedFetcher(), FontConfiguration()
    sheet = CSS(string=css, url_fetcher=fetcher, font_config=fonts)
    document = HTML(string=page, url_fetcher=fetcher, base_url=None)
    made: bytes = document.write_pdf(
        stylesheets=[sheet], font_config=fonts, pdf_variant=VARIANT, pdf_identifier=identifier, finisher=_write_once
    )
    return made


class _Written(pydyf.Object):
    """An object of the PDF, as bytes."""

    def __init__(self, made: pydyf.Object) -> None:
        super().__init__()
        self.number, self.generation, self.free = made.number, made.generation, made.free
        self._data: bytes = made.data
        self._compressible: bool = made.compressible

    @property
    def data(self) -> bytes:
        """What the object was written as."""
        return self._data

    @property
    def compressible(self) -> bool:
        """Whether the object may go into the compressed stream of objects."""
        return self._compressible


def _write_once(_document: object, pdf: pydyf.PDF) -> None:
    # For the identifier, pydyf writes and compresses every object a second time: a tenth of a report's time.
    pdf.objects[:] = [made if made.free == "f" else _Written(made) for made in pdf.objects]


def _identifier(report: view.Report) -> bytes:
    plain = json.dumps(snapshots.to_plain(report), sort_keys=True)
    return hashlib.sha256(plain.encode()).digest()[:16]
