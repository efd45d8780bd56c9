"""Texts that break software: scripts, marks, controls, broken encodings, code of all kinds; each with a name.

`STRINGS` are texts (the last two of `_NONE` exist inside Python only); `RAW` are bytes as they arrive over HTTP.
"""

from __future__ import annotations

import unicodedata

_EMOJI = (
    "😀", "👩\u200d👩\u200d👧\u200d👦", "🏳\ufe0f\u200d🌈", "👍🏽", "🇬🇧", "🇺", "1\ufe0f\u20e3", "©\ufe0f", "☂\ufe0e",
    "🫠", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🧑🏻\u200d🤝\u200d🧑🏿", "❤\ufe0f\u200d🔥",
    "♾\ufe0f",
)  # fmt: skip
_SCRIPTS = (
    "שלום עולם", "مرحبا بالعالم", "Ελληνικά", "Кириллица", "日本語テキスト", "中文字元", "한국어 텍스트",
    "ह\u093fन\u094dद\u0940 प\u093eठ", "ไทยข\u0e49อความ", "தம\u0bbfழ\u0bcd", "ქართული", "Հայերեն", "አማርኛ", "ᚠᚢᚦᚨᚱᚲ",
    "ⵜⴰⵎⴰⵣⵉⵖⵜ", "Łódź Øresund Ærø ßtraße", "ﬁ ﬂ ﬀ ﬃ", "Ǆ ǅ ǆ", "ＦＵＬＬＷＩＤＴＨ", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "𠜎 𠜱 𠝹", "𓀀 𓁐",
    "İstanbul ı I i İ", "SS ß ẞ", "Σίσυφος ς σ", "ñ Ñ ñ", "Ångström Å Å", "١٢٣٤٥", "१२३", "²³¹ ½ Ⅷ", "𝟙𝟚𝟛",
)  # fmt: skip
_BIDI = (
    "abc\u202ecba\u202cdef", "\u200fright\u200eleft", "\u202aembed\u202c", "\u2066isolate\u2069", "\u2067rtl\u2069",
    "\u2068first\u2069", "\u061carabic", "file\u202efdp.exe", "שלום abc مرحبا 123", "\u202e" * 30,
)  # fmt: skip
_MARKS = (
    "Z\u0337\u0327\u031b\u035d\u0348\u0302\u0346a\u0336l\u0334g\u0335o\u0338", "a" + "\u0300" * 50, "\u0301lone",
    "e" + "\u0301\u0302\u0303\u0304" * 8, "\u0915\u094d" * 20, "\uac01", "\u1100\u1161\u11a8", "q\u0323\u0307",
    "q\u0307\u0323", "caf\u00e9", "cafe\u0301", "\u212b \u00c5 A\u030a", "\U000e0041\U000e0042tags",
    "variation\ufe00\ufe01", "object\ufffc", "\ufff9note\ufffax\ufffb",
)  # fmt: skip
_SPACES = (
    "a\u00a0b", "a\u2003b", "a\u200bb", "a\u200cb\u200dc", "a\u2060b", "a\u3000b", "a\u202fb", "  lead and trail  ",
    "a\tb", "a  b   c", "a\u00adb", "\u180emongol", "\u3164filler", "\u2800braille", "\u00a0", "\u2009thin", "\u1680",
)  # fmt: skip
_LINES = (
    "a\nb", "a\r\nb", "a\rb", "a\n\r\nb", "a\n\n\n\nb", "\n\na", "a\n\n", "a\x0bb", "a\x0cb", "a\x85b", "a\u2028b",
    "a\u2029b",
)  # fmt: skip
_CONTROLS = tuple(f"c{chr(number)}c" for number in (*range(0x20), 0x7F, 0x80, 0x81, 0x90, 0x9B, 0x9F))
_NONE = (
    "\ufffe", "\ufdd0", "\U0001fffe", "\U0010ffff", "\ue000", "\U000f0000", "\ufeffbom", "mid\ufeffbom", "\ufffd",
    "\u0378", "half \ud83d pair", "\udc00",
)  # fmt: skip
_LONG = (
    "x" * 200, "x" * 501, "ä" * 4_999, "word " * 4_000, "x" * 20_000, "😀" * 10_000, "é" * 19_999,
    "\n" * 5_000 + "end",
)  # fmt: skip
_FORMULAS = (
    "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "＝1+1", "＋1", "－1", "＠x",
    '=HYPERLINK("http://x","y")', "%0A=1",
)  # fmt: skip
_MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg/onload=alert(1)>', "</textarea><b>x</b>",
    "<!-- x -->", "&lt;b&gt; &amp;amp; &#60;", "&nbsp;&copy", "javascript:alert(1)", "<![CDATA[x]]>", "]]>",
    "<?php echo 1 ?>", "<%= 7*7 %>", "' autofocus onfocus='x", "`x`", "<a href=//evil.example>x</a>",
    "<title>x</title>", "\\u003cscript\\u003e",
)  # fmt: skip
_TEMPLATES = (
    "{{ 7*7 }}", "{% for x in y %}", "{# comment #}", "{{ config }}", "{{ ''.__class__.__mro__ }}", "${7*7}",
    "#{7*7}", "%(name)s", "%s %d %n", "{0} {name!r}", "{", "}", "{}", "%", "%%", "100 %", "$HOME", "$(id)", "`id`",
    "\\", "\\n", "\\x00", "\\u0000", "\\ud800",
)  # fmt: skip
_QUERIES = (
    "'; DROP TABLE vendors; --", "' OR '1'='1", "\" OR 1=1 --", "1); SELECT 1", "%' AND 1=1", "_ LIKE %",
    "Robert'); DROP TABLE Students;--", "x' UNION SELECT NULL --", "/* c */", "0x41", "NULL", "null", "None",
    "undefined", "true", "false", "NaN", "-Infinity", "1e999", "0/0", "gate == 'yes'", "has(x.y) ? 1 : 0",
    "size([1].map(i, i)) > 0", "number.x > 5 && true", "it in ['a']",
)  # fmt: skip
_PATHS = (
    "../../etc/passwd", "..\\..\\windows", "/etc/passwd", "file:///etc/passwd", "C:\\nul", "CON", "aux.txt", "~root",
    "a/../b", "%2e%2e%2f", "http://169.254.169.254/", "//evil.example", "\\\\server\\share", "a\\b",
)  # fmt: skip
_NUMBERS = (
    "0", "-0", "00", "1,000", "1.000,5", "٣", "1_000", "0b1", "1" * 400, "9" * 5_000, "-1", "3.5", "1e5",
    "२०२४-०५-१७", "2024-02-30", "²",
)  # fmt: skip
_HEADERS = (
    "a\r\nBcc: x@evil.example", "x\r\n\r\n<b>body</b>", "Subject: x", "=?utf-8?q?x?=", "a\r\nSet-Cookie: a=b",
    ".\r\nQUIT",
)  # fmt: skip
_QUOTES = (
    "'", '"', "''", "“x”", "O’Brien & O'Brien", "«x»", "a;b,c|d", "#", "a=b&c=d", "+", "%2B", "a+b c%20d", "?x=1#y",
    ":", "- x", "& *", "[]", "a: b",
)  # fmt: skip

STRINGS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *_EMOJI, *_SCRIPTS, *_BIDI, *_MARKS, *_SPACES, *_LINES, *_CONTROLS, *_NONE, *_LONG, *_FORMULAS, *_MARKUP,
            *_TEMPLATES, *_QUERIES, *_PATHS, *_NUMBERS, *_HEADERS, *_QUOTES,
        )
    )
)  # fmt: skip

HYDRA = (
    "Zoe\u0301 \u00e9 👩\u200d👧 שלום \u202eabc\u202c <b>&amp;\"' =1+1 {{7*7}} %s \\n ß\u200b İ \ufb01 \u2126 a\u00a0b "
    "'; DROP TABLE x; -- \ufeff../ ١"
)
"""A bit of everything, for fields that are tried once."""

RAW: tuple[bytes, ...] = (
    b"%ED%A0%80", b"%ED%BF%BF", b"%ED%A0%BD%ED%B8%80", b"%FF", b"%FE%FF", b"%C0%80", b"%C3", b"%C3%28", b"%E2%82",
    b"%F0%9F%98", b"%F5%80%80%80", b"%80", b"%80%BF", b"%00", b"a%00b", b"%EF%BB%BFbom", b"%", b"%G1", b"%1",
    b"\xff\xfe", b"\xe9", b"%u0041", b"+%2B+",
)  # fmt: skip


def sentence(text: str) -> str:
    """The text inside a sentence long enough for fields that ask for a reason."""
    return f"Because of {text} as it stands."


def is_shown_by_fonts(text: str) -> bool:
    """Whether the report's font has all of it: ASCII, and Latin, Greek and Cyrillic letters."""
    scripts = ("LATIN", "GREEK", "CYRILLIC")
    return all(
        c in "\n\t" or (c.isprintable() and (c.isascii() or unicodedata.name(c, "").startswith(scripts))) for c in text
    )
