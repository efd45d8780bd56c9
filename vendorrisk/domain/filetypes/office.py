"""Whether a file is Word or Excel (OOXML: a zip of XML parts) and does nothing by itself; `filetypes` calls `check`."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from vendorrisk.domain.errors import InvalidFile
from vendorrisk.domain.filetypes import refusals

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
"""What reading a zip that a stranger made can raise."""
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAIN_PART = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_CHUNK = 1024 * 1024
_MACRO_NAMES = ("vbaproject", "vbadata", "/activex/", "oleobject", "/macrosheets/")
_MACRO_WORDS = (b"macroEnabled", b"vbaProject", b"ms-excel.macrosheet", b"ddeLink")
_REMOTE_TEMPLATE = re.compile(rb"attachedTemplate[^>]{0,2000}External|External[^>]{0,2000}attachedTemplate")
_DOCTYPES = tuple(
    word.encode(code) for word in ("<!DOCTYPE", "<!ENTITY") for code in ("ascii", "utf-16-le", "utf-16-be")
)


def check(kind: str, content: bytes) -> None:
    """Raise InvalidFile for a broken file and one with a password, macros, links or more parts than are usual."""
    if content.startswith(_OLD_OFFICE):
        raise _old_office(kind, content)
    if not content.startswith(b"PK\x03\x04"):
        raise refusals.not_what_it_says(kind)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(kind, archive.infolist())
            for member in archive.infolist():
                _check_part(archive, member)
    except _BROKEN as error:
        raise refusals.not_what_it_says(kind) from error


def _old_office(kind: str, content: bytes) -> InvalidFile:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return refusals.locked()
    return InvalidFile(f"The file is in an older Office format. Save it as .{kind} and upload that.")


def _check_members(kind: str, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(names) > MAX_MEMBERS:
        raise InvalidFile(f"The file has more than {MAX_MEMBERS:,} parts. Save it as PDF and upload that.")
    if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise InvalidFile(
            f"The file unpacks to more than {MAX_UNPACKED_BYTES // 1024 // 1024} MB. Upload a smaller one."
        )
    if any(member.flag_bits & 0x1 for member in members):
        raise refusals.locked()
    if len({name.lower() for name in names}) != len(names) or any(map(_leads_out, names)):
        raise refusals.not_what_it_says(kind)
    if "[Content_Types].xml" not in names or _MAIN_PART[kind] not in names:
        raise refusals.not_what_it_says(kind)
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
