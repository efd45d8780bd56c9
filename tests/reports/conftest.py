"""One rendering for all tests that look at the same report."""

from __future__ import annotations

import io

import pypdf
import pytest

from tests.reports import sample
from vendorrisk.reports import pdf, view


@pytest.fixture(scope="session")
def clearview() -> view.Report:
    """The founding case, decided."""
    return sample.report(decision=sample.DECISION)


@pytest.fixture(scope="session")
def clearview_pdf(clearview: view.Report) -> bytes:
    """Its PDF, from a child process."""
    return pdf.render(clearview, seconds=110)


@pytest.fixture(scope="session")
def reader(clearview_pdf: bytes) -> pypdf.PdfReader:
    """The same, opened."""
    return pypdf.PdfReader(io.BytesIO(clearview_pdf))
