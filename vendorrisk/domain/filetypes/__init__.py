"""What a file of evidence may be: judged by extension and by structure; services/answering calls `check`.

Pure functions over bytes, a module for each family of files. Nothing is unpacked to disk and nothing is interpreted: a
file that is not plainly what its name says is refused with a sentence that says what to do instead.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import PurePosixPath

from vendorrisk.domain.errors import InvalidFile
from vendorrisk.domain.filetypes import office, pdf, pictures, texts

MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_NAME_LENGTH = 150
ALLOWED = "PDF, PNG, JPG, DOCX, XLSX, CSV or TXT"

_EXTENSIONS = {"pdf": "pdf", "png": "png", "jpg": "jpg", "jpeg": "jpg", "docx": "docx", "xlsx": "xlsx",
               "csv": "csv", "txt": "txt"}  # fmt: skip
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


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


_CHECKS: dict[str, Callable[[str, bytes], None]] = {
    "pdf": pdf.check, "png": pictures.check_png, "jpg": pictures.check_jpg, "docx": office.check, "xlsx": office.check,
    "csv": texts.check, "txt": texts.check,
}  # fmt: skip
