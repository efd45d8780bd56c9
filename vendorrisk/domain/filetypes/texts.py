"""Whether a file is plain text, and looks like nothing else; `filetypes` calls `check`."""

from __future__ import annotations

import re

from vendorrisk.domain.errors import InvalidFile
from vendorrisk.domain.filetypes import refusals

_OTHER_CONTENT = re.compile(
    r"\s*(?:%PDF-|PK\x03\x04|#!|<\?(?:php|xml)|<!doctype|<(?:html|script|svg|head|body|iframe)\b)", re.I
)


def check(kind: str, content: bytes) -> None:
    """Raise InvalidFile for other encodings than UTF-8, control characters, markup and scripts."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidFile(f"The {kind.upper()} file must be in UTF-8. Save it as “{kind.upper()} UTF-8”.") from None
    if re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", text) or _OTHER_CONTENT.match(text):
        raise refusals.not_what_it_says(kind)
