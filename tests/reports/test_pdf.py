"""The PDF that an auditor holds: its facts, tags, outline, page numbers, and the same bytes twice."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from typing import Any

import pikepdf
import pypdf
import pytest

from tests.reports import sample
from vendorrisk.reports import pdf, sections, snapshots, view


def words(page: pypdf.PageObject) -> str:
    """A page's text with single spaces."""
    return " ".join(page.extract_text().split())


def test_page_1_says_what_the_snapshot_says(clearview: view.Report, reader: pypdf.PdfReader) -> None:
    page, counts = words(reader.pages[0]), clearview.result.counts
    assert clearview.result.residual is not None
    facts = [
        clearview.vendor, clearview.service, clearview.organisation, clearview.reference, clearview.assessment,
        clearview.result.band, clearview.result.because, f"{clearview.result.provisional}.",
        f"{clearview.result.residual.declared} – {clearview.result.residual.assured}",
        f"{counts.answered} of {counts.asked} answered", f"{counts.critical} critical", f"{counts.high} high",
        f"{counts.medium} medium", f"{counts.overridden} overridden", f"{clearview.result.inherent} inherent",
        "Decision: Approved with conditions", "Audrey Chen", "valid until 31 May 2027", "3 conditions",
        snapshots.digest(clearview), *(risk.said for risk in clearview.risks), *clearview.not_looked_at,
    ]  # fmt: skip
    assert [fact for fact in facts if fact not in page] == []


def test_the_summary_is_one_page_and_the_contents_are_page_2(reader: pypdf.PdfReader) -> None:
    assert "Contents" in words(reader.pages[1])
    assert "Snapshot." in words(reader.pages[1])


def test_every_answer_is_printed_with_its_working(clearview: view.Report, reader: pypdf.PdfReader) -> None:
    text = " ".join(words(page) for page in reader.pages)
    answers = [a for chapter in clearview.answers for section in chapter.sections for a in section.answers]
    assert len(answers) == 103
    missing = [a.code for a in answers if " ".join(a.question.split()) not in text]
    # A question may run over the foot of a page, where header and footer come between.
    assert len(missing) <= 3, missing
    assert text.count("→ credit") >= 100


def test_the_evidence_register_has_names_and_hashes(clearview: view.Report, reader: pypdf.PdfReader) -> None:
    text = " ".join(words(page) for page in reader.pages)
    for file in clearview.evidence:
        assert file.name in text
        assert file.sha256 in text


def test_the_head_of_the_trail_is_printed_with_the_command_that_checks_it(
    clearview: view.Report, reader: pypdf.PdfReader
) -> None:
    assert clearview.head is not None
    printed = "".join("".join(page.extract_text().split()) for page in reader.pages[-3:])
    assert clearview.head.chain in printed
    assert f"trailverify--head{clearview.head.short}" in printed
    assert "Position1,204,sealed23Nov2026,05:25UTC" in printed


def test_page_x_of_y_and_the_running_header_on_every_page(reader: pypdf.PdfReader) -> None:
    total = len(reader.pages)
    for number, page in enumerate(reader.pages, start=1):
        text = words(page)
        assert f"Page {number} of {total}" in text
        assert "Confidential · 23 Nov 2026, 05:26 UTC" in text
        assert "Clearview AI, Inc." in text
        assert "P-2026-7K3M2Q" in text


def test_the_contents_name_the_right_pages(reader: pypdf.PdfReader) -> None:
    contents = reader.pages[1].extract_text()
    for title in [s.title for name, s in sections.SECTIONS.items() if name != "summary"]:
        found = re.search(rf"{re.escape(title)}\s*(\d+)", contents)
        assert found, f"{title} is not in the contents"
        assert title in words(reader.pages[int(found[1]) - 1])


def _titles(outline: Any) -> list[str]:
    return [t for part in outline for t in (_titles(part) if isinstance(part, list) else [str(part.title)])]


def test_the_outline_leads_to_parts_and_questions(reader: pypdf.PdfReader) -> None:
    titles = _titles(reader.outline)
    assert titles[0] == "Summary"
    assert [t for t in titles if "All answers and their working" in t]
    assert {"DS-01", "BH-02", "CL-37"} <= set(titles)


def test_the_pdf_is_tagged_and_says_its_language_and_title(clearview_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(clearview_pdf)) as opened:
        root = opened.Root
        assert root.StructTreeRoot.K[0].S == "/Document"
        assert bool(root.MarkInfo.Marked) is True
        assert str(root.Lang) == "en"
        assert bool(root.ViewerPreferences.DisplayDocTitle) is True
        assert str(opened.docinfo.Title) == "Vendor risk report P-2026-7K3M2Q: Clearview AI, Inc."
        with opened.open_metadata() as metadata:
            assert metadata.get("pdfuaid:part") == "1"


def test_every_picture_has_words_for_those_who_cannot_see_it(clearview_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(clearview_pdf)) as opened:
        figures = [o for o in opened.objects if isinstance(o, pikepdf.Dictionary) and o.get("/S") == "/Figure"]
        assert len(figures) >= 6
        assert all(str(figure.get("/Alt", "")) for figure in figures)


def test_its_dates_are_those_of_the_snapshot(reader: pypdf.PdfReader) -> None:
    assert reader.metadata is not None
    assert str(reader.metadata["/CreationDate"]) == "D:20261123052600Z"


def test_all_fonts_are_embedded(clearview_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(clearview_pdf)) as opened:
        descriptors = [
            o for o in opened.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"
        ]
        assert descriptors
        assert all("/FontFile3" in font or "/FontFile2" in font for font in descriptors)
        assert all("Inter" in str(font.FontName) for font in descriptors)


def test_it_is_small_enough_for_a_letter(clearview_pdf: bytes) -> None:
    assert len(clearview_pdf) <= 300_000


def test_the_same_snapshot_gives_the_same_bytes_in_another_process(
    clearview: view.Report, clearview_pdf: bytes
) -> None:
    again = pdf.render(snapshots.from_plain(snapshots.to_plain(clearview)))
    assert hashlib.sha256(again).hexdigest() == hashlib.sha256(clearview_pdf).hexdigest()


@pytest.mark.parametrize("name", [sample.NOTHING, sample.ALL_NA])
def test_empty_cases_have_a_summary_too(name: str) -> None:
    empty = sample.report(name, files=(), told={}, trail=view.Trail(0, (), (), ""))
    text = " ".join(words(page) for page in pypdf.PdfReader(io.BytesIO(pdf.render(empty))).pages)
    assert "Decision: none yet" in text
    assert "No file was attached to any answer." in text
    assert "The trail has no event of this case." in text


def test_a_case_of_which_nothing_was_assessed_has_no_figure() -> None:
    report = sample.report(sample.ALL_NA)
    result = replace(report.result, band="Not assessed", residual=None, effectiveness=None)
    themes = tuple(replace(theme, score=None, gains=()) for theme in report.themes)
    made = pypdf.PdfReader(io.BytesIO(pdf.render(replace(report, result=result, themes=themes))))
    assert "Not assessed" in words(made.pages[0])
    assert "No figure" in words(made.pages[0])
