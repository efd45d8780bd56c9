"""Evidence files: the good are taken, the hostile are not."""

from __future__ import annotations

import io

import pikepdf
import pytest
import weasyprint
from pikepdf import ObjectStreamMode

from tests.domain.hostile_files import GOOD, HOSTILE, pdf
from tests.domain.hostile_pdfs import SCRIPTED
from vendorrisk.domain import filetypes
from vendorrisk.domain.errors import InvalidFile


@pytest.mark.parametrize("what", GOOD)
def test_a_good_file_is_taken_for_what_it_is(what: str) -> None:
    name, content = GOOD[what]
    assert filetypes.check(name, content) == what.split()[0].replace("jpeg", "jpg")


@pytest.mark.timeout(30)  # each takes milliseconds; a bomb that went off would take far longer
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused(what: str) -> None:
    name, content = HOSTILE[what]
    with pytest.raises(InvalidFile) as refused:
        filetypes.check(filetypes.clean_name(name), content)
    assert str(refused.value).endswith((".", "”."))


def test_there_are_enough_hostile_files() -> None:
    assert len(HOSTILE) >= 90


NOT_FOR_ALL_READERS = {
    "pdf with a script in a stream whose filter stands elsewhere", "pdf with a script in a stream that breaks off",
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(SCRIPTED.keys() - NOT_FOR_ALL_READERS))
def test_a_reader_does_find_the_script_in_a_scripted_file(what: str) -> None:
    with pikepdf.open(io.BytesIO(SCRIPTED[what])) as read:
        assert read.Root.OpenAction.S == "/JavaScript"


@pytest.fixture(scope="module")
def printed() -> bytes:
    """A page as our own reports are made."""
    made: bytes = weasyprint.HTML(string="<h1>Policy</h1><p><a href='https://a.example/launch'>a</a>").write_pdf()
    return made


@pytest.mark.parametrize("mode", ObjectStreamMode)
@pytest.mark.parametrize("linear", [False, True])
def test_what_honest_programs_write_is_taken(printed: bytes, mode: ObjectStreamMode, linear: bool) -> None:
    assert filetypes.check("a.pdf", printed) == "pdf"
    with pikepdf.open(io.BytesIO(printed)) as read:
        saved = io.BytesIO()
        read.save(saved, object_stream_mode=mode, linearize=linear)
    assert filetypes.check("a.pdf", saved.getvalue()) == "pdf"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("empty", "The file is empty."),
        ("too large", "The file must be smaller than 25 MB."),
        ("exe", "The file must be a PDF, PNG, JPG, DOCX, XLSX, CSV or TXT."),
        ("pdf with a password", "protected by a password"),
        ("docx with a password", "protected by a password"),
        ("docx with encrypted members", "protected by a password"),
        ("pdf that is a zip", "its content is not PDF"),
        ("pdf with a script", "Print it to a new PDF"),
        ("docx with macros", "Save it as PDF"),
        ("png of 10 gigapixels", "the most is 40 million"),
        ("xlsx in the old format", "Save it as .xlsx"),
        ("csv in latin-1", "must be in UTF-8"),
        ("docx bomb", "unpacks to more than 200 MB"),
        ("docx with two thousand parts", "more than 2,000 parts"),
    ],
)
def test_the_message_says_what_to_do(what: str, words: str) -> None:
    name, content = HOSTILE[what]
    with pytest.raises(InvalidFile, match=words.replace("(", r"\(")):
        filetypes.check(name, content)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("policy.pdf", "policy.pdf"),
        ("C:\\Users\\vic\\policy.pdf", "policy.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("a\r\nSet-Cookie: x.pdf", "a__Set-Cookie: x.pdf"),
        ("fi\u202egpj.exe", "fi_gpj.exe"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
        ("Ergebnis – größer.xlsx", "Ergebnis – größer.xlsx"),
    ],
)
def test_names_keep_nothing_that_could_mislead(sent: str, kept: str) -> None:
    assert filetypes.clean_name(sent) == kept


@pytest.mark.timeout(60)  # looking through it once takes half a second; once for each stream would take hours
def test_a_pdf_full_of_open_streams_is_read_only_once() -> None:
    assert filetypes.check("a.pdf", pdf(b"/ObjStm stream\n" * 1_500_000)) == "pdf"


@pytest.mark.timeout(60)  # read from every beginning to the end, it would take weeks
@pytest.mark.parametrize("many", [b" obj(", b" obj<</A[", b" obj%", b"/"])
def test_a_pdf_made_to_be_read_often_is_given_up(many: bytes) -> None:
    with pytest.raises(InvalidFile, match="damaged"):
        filetypes.check("a.pdf", pdf(b"1 0" + many * (8_000_000 // len(many))))
