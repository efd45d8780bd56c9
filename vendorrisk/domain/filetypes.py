"""What a file of evidence may be: judged by extension and by structure; `services/answering/evidence.py` calls `check`.

Pure functions over bytes. Nothing is unpacked to disk and nothing is interpreted: a file that is not plainly what its
name says is refused with a sentence that says what to do instead.
"""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from vendorrisk.domain.errors import InvalidAnswer

MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_NAME_LENGTH = 150
ALLOWED = "PDF, PNG, JPG, DOCX, XLSX, CSV or TXT"

_EXTENSIONS = {"pdf": "pdf", "png": "png", "jpg": "jpg", "jpeg": "jpg", "docx": "docx", "xlsx": "xlsx",
               "csv": "csv", "txt": "txt"}  # fmt: skip
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class InvalidFile(InvalidAnswer):
    """A file that is not taken; the message says why and what to do instead."""


def clean_name(name: str) -> str:
    """The file's name without folders and without characters that cannot be seen, cut to a usual length."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join("_" if unicodedata.category(c) in _UNSEEN else c for c in last).strip(" .")
    stem, dot, extension = seen.rpartition(".")
    if not dot:
        return seen[:MAX_NAME_LENGTH]
    return stem[: MAX_NAME_LENGTH - len(extension[:10]) - 1] + dot + extension[:10]


def kind_of(name: str) -> str:
    """The kind that the extension of `name` claims. Raises InvalidFile where it is not one that we take."""
    extension = PurePosixPath(name.lower()).suffix.lstrip(".")
    if extension not in _EXTENSIONS:
        raise InvalidFile(f"The file must be a {ALLOWED}.")
    return _EXTENSIONS[extension]


def check(name: str, content: bytes) -> str:
    """The kind of the file ("pdf", "png", …). Raises InvalidFile where name, size or structure are not right."""
    kind = kind_of(name)
    if not content:
        raise InvalidFile("The file is empty.")
    if len(content) > MAX_FILE_BYTES:
        raise InvalidFile(f"The file must be smaller than {MAX_FILE_BYTES // 1024 // 1024} MB.")
    _CHECKS[kind](kind, content)
    return kind


def _not_what_it_says(kind: str) -> InvalidFile:
    return InvalidFile(f"The file is named .{kind}, but its content is not {kind.upper()}, or it is damaged.")


# PDF

_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|RichMedia|EmbeddedFiles?)(?![A-Za-z0-9])")
_PASSWORD = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
_MAX_OBJECT_STREAMS_BYTES = 50 * 1024 * 1024


def _check_pdf(kind: str, content: bytes) -> None:
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-2048:]:
        raise _not_what_it_says(kind)
    # Compressed picture data may hold any bytes by chance: names are looked for outside of streams,
    # and in the object streams, where newer files keep their objects.
    outside, object_streams = _split_at_streams(content)
    if _PASSWORD.search(_plain_names(outside)):
        raise InvalidFile("The file is protected by a password. Remove the password and upload it again.")
    if any(_ACTIVE.search(_plain_names(part)) for part in (outside, *_unpacked(object_streams))):
        raise InvalidFile("The PDF holds scripts, attachments or commands. Print it to a new PDF and upload that.")


def _plain_names(part: bytes) -> bytes:
    return _NAME_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), part)


def _split_at_streams(content: bytes) -> tuple[bytes, list[bytes]]:
    """What stands outside of streams, and the packed object streams; by plain searching, so in linear time."""
    outside, object_streams = [], []
    kept_to = at = 0
    while (start := content.find(b"stream", at)) >= 0:
        at = start + len(b"stream")
        if content[at : at + 1] not in (b"\r", b"\n"):
            continue
        end = content.find(b"endstream", at)
        if end < 0:
            break
        if b"/ObjStm" in content[max(kept_to, start - 2000) : start]:
            object_streams.append(content[at:end].lstrip(b"\r\n"))
        outside.append(content[kept_to:at])
        kept_to = at = end + len(b"endstream")
    return b" ".join([*outside, content[kept_to:]]), object_streams


def _unpacked(object_streams: list[bytes]) -> Iterator[bytes]:
    left = _MAX_OBJECT_STREAMS_BYTES
    for packed in object_streams:
        unpacker = zlib.decompressobj()
        try:
            unpacked = unpacker.decompress(packed, left)
        except zlib.error:
            continue
        left -= len(unpacked)
        if left <= 0:
            raise InvalidFile("The PDF unpacks to far more than its size. Print it to a new PDF and upload that.")
        yield unpacked


# Pictures

_PNG = b"\x89PNG\r\n\x1a\n"


def _check_pixels(width: int, height: int, kind: str) -> None:
    if not width or not height:
        raise _not_what_it_says(kind)
    if width * height > MAX_PIXELS:
        raise InvalidFile(f"The picture has {width:,} × {height:,} points; the most is {MAX_PIXELS // 10**6} million.")


def _check_png(kind: str, content: bytes) -> None:
    if not content.startswith(_PNG) or content[12:16] != b"IHDR":
        raise _not_what_it_says(kind)
    width, height = struct.unpack(">II", content[16:24].ljust(8, b"\0"))
    _check_pixels(width, height, kind)
    if _png_end(kind, content) != len(content):
        raise _not_what_it_says(kind)


def _png_end(kind: str, content: bytes) -> int:
    at, view = len(_PNG), memoryview(content)
    while at + 12 <= len(content):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 12 + length
        if end > len(content) or zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            break
        if bytes(view[at + 4 : at + 8]) == b"IEND":
            return end
        at = end
    raise _not_what_it_says(kind)


_JPG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def _check_jpg(kind: str, content: bytes) -> None:
    if not content.startswith(b"\xff\xd8\xff") or b"\xff\xd9" not in content[-1024:]:
        raise _not_what_it_says(kind)
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            break
        marker = content[at + 1]
        if marker == 0xFF or marker in _JPG_ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _JPG_FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            _check_pixels(width, height, kind)
            return
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2 or marker in (0xD9, 0xDA):
            break
        at += 2 + length
    raise _not_what_it_says(kind)


# Word and Excel (OOXML: a zip of XML parts)

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAIN_PART = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_CHUNK = 1024 * 1024
_MACRO_NAMES = ("vbaproject", "vbadata", "/activex/", "oleobject", "/macrosheets/")
_MACRO_WORDS = (b"macroEnabled", b"vbaProject", b"ms-excel.macrosheet", b"ddeLink")
_REMOTE_TEMPLATE = re.compile(rb"attachedTemplate[^>]{0,2000}External|External[^>]{0,2000}attachedTemplate")
_DOCTYPES = tuple(
    word.encode(code) for word in ("<!DOCTYPE", "<!ENTITY") for code in ("ascii", "utf-16-le", "utf-16-be")
)


def _check_ooxml(kind: str, content: bytes) -> None:
    if content.startswith(_OLD_OFFICE):
        raise InvalidFile(_old_office_message(kind, content))
    if not content.startswith(b"PK\x03\x04"):
        raise _not_what_it_says(kind)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(kind, archive.infolist())
            for member in archive.infolist():
                _check_part(archive, member)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
    ) as error:
        if isinstance(error, InvalidFile):
            raise
        raise _not_what_it_says(kind) from error


def _old_office_message(kind: str, content: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return "The file is protected by a password. Remove the password and upload it again."
    return f"The file is in an older Office format. Save it as .{kind} and upload that."


def _check_members(kind: str, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(names) > MAX_MEMBERS:
        raise InvalidFile(f"The file has more than {MAX_MEMBERS:,} parts. Save it as PDF and upload that.")
    if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise InvalidFile(
            f"The file unpacks to more than {MAX_UNPACKED_BYTES // 1024 // 1024} MB. Upload a smaller one."
        )
    if any(member.flag_bits & 0x1 for member in members):
        raise InvalidFile("The file is protected by a password. Remove the password and upload it again.")
    if len({name.lower() for name in names}) != len(names) or any(map(_leads_out, names)):
        raise _not_what_it_says(kind)
    if "[Content_Types].xml" not in names or _MAIN_PART[kind] not in names:
        raise _not_what_it_says(kind)
    if any(word in f"/{name.lower()}" for name in names for word in _MACRO_NAMES):
        raise _macros()


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")


def _macros() -> InvalidFile:
    return InvalidFile("The file holds macros, embedded objects or live links. Save it as PDF and upload that.")


def _check_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    # Reading to the end checks the declared size and the checksum; an XML part must not bring its own definitions.
    is_xml = member.filename.lower().endswith((".xml", ".rels"))
    before = b""
    with archive.open(member) as part:
        while chunk := part.read(_CHUNK):
            if is_xml:
                _check_xml(before + chunk)
                before = chunk[-4096:]


def _check_xml(text: bytes) -> None:
    if any(word in text for word in _DOCTYPES):
        raise InvalidFile("The file holds XML that Office does not write. Save it again and upload that.")
    if any(word in text for word in _MACRO_WORDS) or _REMOTE_TEMPLATE.search(text):
        raise _macros()


# Text

_OTHER_CONTENT = re.compile(
    r"\s*(?:%PDF-|PK\x03\x04|#!|<\?(?:php|xml)|<!doctype|<(?:html|script|svg|head|body|iframe)\b)", re.I
)


def _check_text(kind: str, content: bytes) -> None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidFile(f"The {kind.upper()} file must be in UTF-8. Save it as “{kind.upper()} UTF-8”.") from None
    if re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", text) or _OTHER_CONTENT.match(text):
        raise _not_what_it_says(kind)


_CHECKS: dict[str, Callable[[str, bytes], None]] = {
    "pdf": _check_pdf, "png": _check_png, "jpg": _check_jpg, "docx": _check_ooxml, "xlsx": _check_ooxml,
    "csv": _check_text, "txt": _check_text,
}  # fmt: skip
