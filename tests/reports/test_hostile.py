"""Vendors' texts are text: nothing in them is fetched, read, run or linked, and no text prevents the next report."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest
import weasyprint

from tests.reports import canary, poison, sample
from tests.reports.canary import CANARY
from tests.reports.poison import acting_parts, payloads, poisoned, small, streams
from vendorrisk.reports import compose, engine, html, pdf, sandbox, snapshots, view
from vendorrisk.reports.facts import Facts

PATIENCE = 110.0
"""How long a rendering may take on a busy machine; that one within limits ends in time is bench/faults/pdf.py's."""


@pytest.fixture
def hits() -> Iterator[tuple[str, list[str]]]:
    """A web server that nobody must come to: its address, and who came."""
    with canary.listening() as server:
        yield server


def test_the_hostile_sample_holds_every_text_that_a_report_can_hold() -> None:
    base, fields = small(), poison.text_fields()
    assert {"Report.vendor", "Answer.comment", "Cell.text", "File.name", "Trail.counts"} <= fields
    untouched = [name for name in fields if poisoned(base, lambda: "poison", frozenset({name})) == base]
    assert untouched == [], "put one of each into tests/reports/poison.py::small"


def test_hostile_texts_in_all_fields_fetch_nothing_and_stay_text(
    hits: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, seen = hits
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    texts = payloads(address, secret.as_uri())
    assert len(texts) >= 24
    # One in each field, in turn; `make faults ARGS=pdf` puts each into all of them.
    turn = itertools.cycle(texts)
    report = poisoned(small(), lambda: next(turn), poison.text_fields() - poison.OWN_WORDS)
    # In this process, where the network is there and the fetcher alone stands in the way.
    fetched: list[str] = []
    closed = engine.ClosedFetcher.fetch

    def watched(self: engine.ClosedFetcher, url: str, headers: dict[str, str] | None = None) -> Any:
        fetched.append(url)
        return closed(self, url, headers)

    monkeypatch.setattr(engine.ClosedFetcher, "fetch", watched)
    made = engine.render(report)
    assert seen == []
    assert set(fetched) == set(engine.FONTS)
    assert CANARY.encode() not in streams(made)
    assert acting_parts(made) == []
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
    squeezed = "".join(text.split()).replace("\u200b", "")
    assert "{{7*7}}" in squeezed
    assert "<imgsrc=" in squeezed
    assert "&lt;imgsrc=x&gt;" in squeezed
    assert pdf.render(report, seconds=PATIENCE) == made


def test_a_source_link_is_printed_and_not_a_link(clearview_pdf: bytes) -> None:
    text = "".join("".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(clearview_pdf)).pages)
    assert sample.SOURCE in text
    assert acting_parts(clearview_pdf) == []
    assert b"/URI" not in streams(clearview_pdf)


def test_what_acts_in_a_pdf_is_found(tmp_path: Path) -> None:
    """The look-out itself: a page as WeasyPrint would make it if a text ever became markup."""
    attached = tmp_path / "secret.txt"
    attached.write_text("x")
    page = f'<html lang="en"><title>x</title><link rel=attachment href="{attached.as_uri()}"><a href="http://x/">x</a>'
    found = acting_parts(weasyprint.HTML(string=page).write_pdf())
    assert {"/EmbeddedFiles", "/EmbeddedFile", "/Filespec", "/URI"} <= set(found)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://example.org/x",
        "file:///etc/passwd",
        "data:text/css,a",
        "asset:nothing",
        "ftp://x/",
    ],
)
def test_the_fetcher_refuses_everything_but_the_fonts(url: str) -> None:
    from weasyprint.urls import FatalURLFetchingError

    with pytest.raises(FatalURLFetchingError):
        engine.ClosedFetcher().fetch(url)


def test_a_page_that_fetches_ends_the_rendering() -> None:
    from weasyprint.urls import FatalURLFetchingError

    with pytest.raises(FatalURLFetchingError):
        engine.render_html('<html lang="en"><title>x</title><img alt="" src="file:///etc/passwd">', "", b"0" * 16)


def test_the_child_has_no_environment_no_network_and_no_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDORRISK_SECRET", CANARY)
    probe = (
        "import os, sys; from vendorrisk.reports import sandbox; sandbox.enter();"
        "print(sorted(set(os.environ) - {'LC_CTYPE'}));"
        "import socket, subprocess\n"
        "for ask in (lambda: socket.create_connection(('127.0.0.1', 9), 1), lambda: subprocess.run(['true']),"
        "            lambda: os.fork(),\n"
        "            lambda: socket.getaddrinfo('example.org', 80)):\n"
        "    try: ask(); print('open')\n"
        "    except sandbox.ShutIn: print('closed')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        capture_output=True,
        text=True,
        env={},
        cwd=Path(pdf.__file__).parents[2],
        check=True,
    )
    assert done.stdout.split("\n")[:5] == ["[]", "closed", "closed", "closed", "closed"]


def test_the_probe_says_whether_the_network_can_be_cut_off() -> None:
    assert pdf.can_cut_network() in (True, False)


def test_memory_and_time_of_the_child_are_limited() -> None:
    probe = (
        "import resource; from vendorrisk.reports import sandbox; sandbox.limit();"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[1], resource.getrlimit(resource.RLIMIT_AS)[1])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=pdf._ROOT)
    assert done.stdout.split() == [str(sandbox.CPU_SECONDS), str(sandbox.MEMORY_BYTES)]
    assert sandbox.CPU_SECONDS < pdf.WALL_SECONDS <= 30


def test_a_rendering_that_does_not_end_is_ended_and_the_next_one_works(
    clearview_pdf: bytes, clearview: view.Report
) -> None:
    with pytest.raises(pdf.RenderFailed, match=r"not ready after 0\.5 seconds"):
        pdf.render(clearview, seconds=0.5)
    assert pdf.render(clearview, seconds=PATIENCE) == clearview_pdf


def test_a_broken_snapshot_is_refused_without_a_word_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "to_plain", lambda _report: {"vendor": CANARY})
    with pytest.raises(pdf.RenderFailed) as failed:
        pdf.render(sample.report())
    assert str(failed.value) == "The report could not be rendered (NotASnapshot)."


def _with_comments(text: str, number: int) -> Facts:
    made = sample.facts(sample.with_incident(sample.case()))
    names = list(made.told)[:number]
    return replace(made, told={**made.told, **{n: replace(made.told[n], comment=text) for n in names}})


@pytest.mark.parametrize(
    "text", ["x" * 20_000, "a\n" * 10_000, "word " * 4_000], ids=["no spaces", "short lines", "words"]
)
def test_the_longest_comments_do_not_prevent_a_report(text: str) -> None:
    made = pdf.render(compose.report(_with_comments(text, 21)), seconds=PATIENCE)
    printed = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
    assert "19,000 more characters are in the case" in " ".join(printed.split())


def test_one_long_comment_is_printed_whole() -> None:
    text = " ".join(f"word{number}" for number in range(2_000))
    made = pdf.render(compose.report(_with_comments(text, 1)), seconds=PATIENCE)
    printed = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split()
    assert {f"word{number}" for number in range(2_000)} <= set(printed)


def test_a_register_of_200_rows_is_printed() -> None:
    made = pdf.render(compose.report(sample.facts(sample.with_incident(sample.case(), 200))), seconds=PATIENCE)
    printed = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split())
    assert "Row 200 · Title: Client list obtained by a third party 200" in printed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\u00e9 cafe\u0301", "café"), ("Ελληνικά Кириллица Łódź", "Ελληνικά Кириллица Łódź"),
        ("before\x00after\x07", "before\ufffdafter\ufffd"), ("half \ud83d pair", "half \ufffd pair"),
        ("line one\r\nline two", "line one line two"), ("😀", "😀"), ("שלום", "שלום"),
    ],
)  # fmt: skip
def test_odd_text_is_printed_or_shown_as_unprintable(text: str, shown: str) -> None:
    page = html.page(replace(small(), service=text))
    assert page.encode("utf-8")
    assert shown in page.replace("\n", " ")
