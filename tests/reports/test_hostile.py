"""Vendors' texts are text: nothing in them is fetched, read, run or linked, and no text prevents the next report."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest

from tests.reports import sample
from vendorrisk.reports import compose, engine, html, pdf, sandbox, view
from vendorrisk.reports.facts import Facts

CANARY = "canary-7f3k2m-must-not-be-seen"
FREE = frozenset(
    ("organisation", "vendor", "service", "owner", "asked_by", "reason", "by", "what", "question", "said", "matters",
     "title", "message", "set_aside", "set_aside_by", "label", "text", "comment", "source", "name", "uploaded_by",
     "about", "because")
)  # fmt: skip
"""Names of the fields whose text comes from people."""


def payloads(address: str, file: str) -> tuple[str, ...]:
    """Texts that would fetch, read or run something if they were ever taken for markup, styles or a template."""
    return (
        f'<img src="{address}/1">', f'<img src="{file}">', f'<img srcset="{address}/2 1x">',
        f'<link rel="stylesheet" href="{address}/3">', f'<link rel=attachment href="{file}">',
        f'<link rel="attachment" href="{address}/4">', f"<style>@import url({address}/5);</style>",
        f'<style>body{{background:url("{address}/6")}}</style>', f'</style><img src="{address}/7">',
        f"<p style=\"background:url('{address}/8')\">", f'<iframe src="{file}"></iframe>',
        f'<object data="{file}"></object>', f'<embed src="{address}/9">', f'<svg><use href="{address}/10#x"/></svg>',
        f'<svg><image xlink:href="{file}"/></svg>', f'<a href="{address}/11">click</a>',
        f'<a rel=attachment href="{file}">x</a>',
        f'<base href="{address}/">', f'<script>fetch("{address}/12")</script>',
        f"<?xml-stylesheet href='{address}/13'?>",
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "{file}">]>&e;', "{{7*7}} {% include '/etc/passwd' %} {{ config }}",
        f'<meta http-equiv="refresh" content="0;url={address}/14">', f'"><img src={address}/15 onerror=x>',
        f"content: url({address}/16); }} @font-face {{ src: url({file}) }}", "&lt;img src=x&gt; &amp;#60;b&#62;",
    )  # fmt: skip


def poisoned(plain: Any, texts: tuple[str, ...]) -> Any:
    """The snapshot with every free text replaced by all payloads."""
    if isinstance(plain, list):
        return [poisoned(part, texts) for part in plain]
    if isinstance(plain, dict):
        return {
            name: " ".join(texts) if name in FREE and isinstance(value, str) else poisoned(value, texts)
            for name, value in plain.items()
        }
    return plain


def small() -> view.Report:
    """A report with every kind of part, and few of each."""
    report = sample.report(decision=sample.DECISION)
    row = ((view.Cell("label", "text"),),)
    chapters = tuple(
        replace(
            chapter,
            sections=tuple(replace(s, answers=(replace(s.answers[0], rows=row),)) for s in chapter.sections[:1]),
        )
        for chapter in report.answers
    )
    themes = tuple(replace(theme, gains=theme.gains[:1]) for theme in report.themes)
    aside = view.Contradiction("C-03", "high", "t", "m", "e", ("BH-02",), "reason", "who")
    return replace(
        report, answers=chapters, themes=themes, flags=report.flags[:2], contradictions=(aside,), trail=sample.trail(2),
        changes=(view.Change("DS-01", "q", "0.5", "High"),),
    )  # fmt: skip


@pytest.fixture
def hits() -> Any:
    """A web server that counts who comes."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CANARY.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Silence."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def streams(made: bytes) -> bytes:
    """Every byte of a PDF, streams unpacked."""
    with pikepdf.open(io.BytesIO(made)) as opened:
        parts = [o.read_bytes() for o in opened.objects if isinstance(o, pikepdf.Stream)]
        buffer = io.BytesIO()
        opened.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return b"".join(parts) + buffer.getvalue()


def test_hostile_texts_in_every_field_fetch_nothing_and_stay_text(
    hits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, seen = hits
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    texts = payloads(address, secret.as_uri())
    assert len(texts) >= 24
    report = replace(view.from_plain(poisoned(view.to_plain(small()), texts)), method=small().method)
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
    check_harmless(made)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
    squeezed = "".join(text.split()).replace("\u200b", "")
    assert "{{7*7}}" in squeezed
    assert "<imgsrc=" in squeezed
    assert "&lt;imgsrc=x&gt;" in squeezed
    assert pdf.render(report) == made


def check_harmless(made: bytes) -> None:
    """Nothing attached, nothing that runs, and links that lead only to other pages."""
    with pikepdf.open(io.BytesIO(made)) as opened:
        assert "/EmbeddedFiles" not in opened.Root.get("/Names", pikepdf.Dictionary())
        assert not {"/OpenAction", "/AA", "/AcroForm"} & set(opened.Root.keys())
        notes = [note for page in opened.pages for note in page.get("/Annots", pikepdf.Array())]
        assert notes
        for note in notes:
            assert note.Subtype == "/Link"
            assert "/Dest" in note or note.A.S == "/GoTo"


def test_a_source_link_is_printed_and_not_a_link(clearview_pdf: bytes) -> None:
    text = "".join("".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(clearview_pdf)).pages)
    assert sample.SOURCE in text
    check_harmless(clearview_pdf)
    assert b"/URI" not in streams(clearview_pdf)


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
    started = time.monotonic()
    with pytest.raises(pdf.RenderFailed, match=r"not ready after 0\.5 seconds"):
        pdf.render(clearview, seconds=0.5)
    assert time.monotonic() - started < 5
    assert pdf.render(clearview) == clearview_pdf


def test_a_broken_snapshot_is_refused_without_a_word_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "to_plain", lambda _report: {"vendor": CANARY})
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
    started = time.monotonic()
    made = pdf.render(compose.report(_with_comments(text, 21)))
    assert time.monotonic() - started < pdf.WALL_SECONDS
    printed = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)
    assert "19,000 more characters are in the case" in " ".join(printed.split())


def test_one_long_comment_is_printed_whole() -> None:
    text = " ".join(f"word{number}" for number in range(2_000))
    made = pdf.render(compose.report(_with_comments(text, 1)))
    printed = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split()
    assert {f"word{number}" for number in range(2_000)} <= set(printed)


def test_a_register_of_200_rows_is_printed() -> None:
    made = pdf.render(compose.report(sample.facts(sample.with_incident(sample.case(), 200))))
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
