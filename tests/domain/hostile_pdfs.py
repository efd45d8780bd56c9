"""PDFs whose table leads a reader to a script, each hidden in another way from who only searches the bytes."""

from __future__ import annotations

import binascii
import zlib

SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
_CATALOG = b"<</Type/Catalog/Pages 2 0 R/OpenAction 4 0 R>>"
_PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"


def _parts(more: bytes) -> tuple[bytes, dict[int, int]]:
    """The first three objects and `more`, and where each object begins."""
    made, begins = b"%PDF-1.7\n", {}
    for number, each in enumerate((_CATALOG, _PAGES, _PAGE), start=1):
        begins[number] = len(made)
        made += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    begins[4] = len(made) + more.index(b"4 0") if b"4 0" in more else 0
    begins[5] = len(made) + more.index(b"5 0 obj") if b"5 0 obj" in more else 0
    return made + more, begins


def with_table(more: bytes) -> bytes:
    """A PDF whose fourth object, which is run when it is opened, is the first "4 0" in `more`."""
    made, begins = _parts(more)
    rows = b"".join(b"%010d 00000 n \n" % begins[number] for number in range(1, 5))
    table = b"xref\n0 5\n0000000000 65535 f \n" + rows
    return made + table + b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(made)


def with_object_stream(
    words: bytes, packed: bytes, *, before: bytes = b"/Type/ObjStm", behind: bytes = b">>\nstream\n"
) -> bytes:
    """A PDF whose fourth object lies in an object stream with these words in its dictionary."""
    dictionary = b"5 0 obj\n<<" + before + b"/N 1/First 4/Length %d" % len(packed) + words
    made, begins = _parts(dictionary + behind + packed + b"\nendstream\nendobj\n")
    rows = [(0, 0, 65535), *((1, begins[number], 0) for number in (1, 2, 3)), (2, 5, 0), (1, begins[5], 0)]
    rows.append((1, len(made), 0))
    table = b"".join(bytes([kind]) + at.to_bytes(4, "big") + last.to_bytes(2, "big") for kind, at, last in rows)
    head = b"6 0 obj\n<</Type/XRef/Size 7/W[1 4 2]/Root 1 0 R/Length %d>>\nstream\n" % len(table)
    return made + head + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(made)


def _predicted(plain: bytes) -> bytes:
    """Every line of four bytes as its difference to the one before (PNG's "up")."""
    lines = [plain[at : at + 4].ljust(4) for at in range(0, len(plain), 4)]
    before, made = bytes(4), b""
    for line in lines:
        made += b"\x02" + bytes((ours - theirs) & 255 for ours, theirs in zip(line, before, strict=True))
        before = line
    return zlib.compress(made)


def _with_a_false_end(plain: bytes) -> bytes:
    """Packed without being made smaller: "endstream" stands in the packed bytes as it is."""
    packer = zlib.compressobj(0)
    return packer.compress(plain[:6] + b"/A(\nendstream\n)" + plain[6:]) + packer.flush()


def _lzw(plain: bytes) -> bytes:
    """LZW that learns nothing: every byte as its nine bits, forgetting all before each."""
    bits = "".join(f"{256:09b}{byte:09b}" for byte in plain) + f"{257:09b}"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


_INNER = b"4 0 " + SCRIPT
_FLATE = b"/Filter/FlateDecode"
_NOTHING = b"4 0 obj\nnull\nendobj\n"
_FORM = b"<</AcroForm<</XFA 9 0 R>>>>"

SCRIPTED: dict[str, bytes] = {
    "pdf with a script between comments": with_table(b"%stream\n4 0 obj\n" + SCRIPT + b"\nendobj\n%endstream\n"),
    "pdf with a script behind a comment in its object": with_table(
        b"4 0 obj\n%stream\n" + SCRIPT + b"\n%endstream\nendobj\n"
    ),
    "pdf with a script behind a comment in its head": with_table(b"4 0%stream\nobj\n" + SCRIPT + b"\nendobj\n"),
    "pdf with a script in a comment": with_table(b"% 4 0 obj" + SCRIPT + b"endobj\n"),
    "pdf with a script in a string": with_table(b"9 0 obj\n(4 0 obj" + SCRIPT + b"endobj)\nendobj\n"),
    "pdf with a script in another stream": with_table(
        b"9 0 obj\n<</Length 70>>\nstream\n4 0 obj\n" + SCRIPT + b"\nendobj\nendstream\nendobj\n"
    ),
    "pdf with a script behind a word in a dictionary": with_table(
        b"4 0 obj\n<</A stream\n/S/JavaScript/JS(app.alert\\(1\\))>>\nendobj\n% endstream\n"
    ),
    "pdf with a script in an escaped name behind a comment": with_table(
        b"4 0 obj\n<</S%x\n/Java#53cript%x\n/JS%/A\n(app.alert\\(1\\))>>\nendobj\n"
    ),
    "pdf with a script added later": with_table(_NOTHING)
    + b"\n4 0 obj" + SCRIPT + b"endobj\ntrailer<</Size 5/Root 1 0 R/Prev 9>>\nstartxref\n0\n%%EOF\n",
    "pdf with a script in a stream packed twice": with_object_stream(
        b"/Filter[/ASCIIHexDecode/FlateDecode]", binascii.hexlify(zlib.compress(_INNER)) + b">"
    ),
    "pdf with a script in a stream deflated twice": with_object_stream(
        b"/Filter[/FlateDecode/FlateDecode]", zlib.compress(zlib.compress(_INNER))
    ),
    "pdf with a script in LZW": with_object_stream(b"/Filter/LZWDecode", _lzw(_INNER)),
    "pdf with a script in hexadecimal": with_object_stream(b"/Filter/AHx", binascii.hexlify(_INNER) + b">"),
    "pdf with a script in a stream that is not packed": with_object_stream(b"", _INNER),
    "pdf with a script in a stream with an escaped type": with_object_stream(
        _FLATE, zlib.compress(_INNER), before=b"/Type/Obj#53tm"
    ),
    "pdf with a script in a stream with an escaped filter": with_object_stream(
        b"/Filt#65r[/ASCIIHexDecode/FlateDecode]", binascii.hexlify(zlib.compress(_INNER)) + b">"
    ),
    "pdf with a script in a stream without a type": with_object_stream(_FLATE, zlib.compress(_INNER), before=b""),
    "pdf with a script in a stream far from its type": with_object_stream(
        b" " * 5000 + _FLATE, zlib.compress(_INNER)
    ),
    "pdf with a script in a stream behind a comment": with_object_stream(
        _FLATE, zlib.compress(_INNER), behind=b">>%x\nstream\n"
    ),
    "pdf with a script in a stream with another's end": with_object_stream(
        b"/A endobj" + _FLATE, zlib.compress(_INNER)
    ),
    "pdf with a script in a stream with predicted bytes": with_object_stream(
        _FLATE + b"/DecodeParms<</Predictor 12/Columns 4>>", _predicted(_INNER)
    ),
    "pdf with a script in a stream whose filter stands elsewhere": with_object_stream(
        b"/Filter 9 0 R/A/FlateDecode", zlib.compress(zlib.compress(_INNER))
    ),
    "pdf with a script behind a false end": with_object_stream(_FLATE, _with_a_false_end(_INNER)),
    "pdf with a script in a stream that breaks off": with_object_stream(_FLATE, zlib.compress(_INNER)[:-6]),
    "pdf with a script in a string of a stream": with_object_stream(
        _FLATE, zlib.compress(b"4 1 (" + SCRIPT + b")")
    ),
}  # fmt: skip

OTHERS: dict[str, bytes] = {
    "pdf with a form of scripts": with_table(b"4 0 obj\n" + _FORM + b"\nendobj\n"),
    "pdf with a pinned file": with_table(b"4 0 obj\n<</Subtype/FileAttachment/FS<</EF<</F 9 0 R>>>>>>\nendobj\n"),
    "pdf with a password, escaped": with_table(_NOTHING).replace(b"/Size 5", b"/Size 5/Encr#79pt 9 0 R"),
    "pdf with a password in a second table": with_table(_NOTHING)
    + b"trailer<</Root 1 0 R/Encrypt<</Filter/Standard/V 1>>>>\n%%EOF\n",
}  # fmt: skip

HOSTILE_PDFS = {what: ("a.pdf", content) for what, content in (SCRIPTED | OTHERS).items()}
