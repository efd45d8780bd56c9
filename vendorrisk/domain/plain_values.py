"""Reading texts, numbers and dates as people type them; `question_types`, forms and services use it."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from datetime import date
from decimal import Decimal, InvalidOperation

import re2

from vendorrisk.domain.answers import PartialDate
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.questionnaire import Limits, NumberKind

TEXT_LENGTH = 500
LONG_TEXT_LENGTH = 20_000
URL_LENGTH = 2_000

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), start=1)
    for name in names.split()
}  # fmt: skip
_ISO = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_WORDS = re.compile(r"(?:(\d{1,2})\s+)?([A-Za-z]+)\.?,?\s+(\d{4})")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def read_text(typed: str, *, max_length: int) -> str:
    """A text without spaces around it and with plain line ends. Refuses what could not be shown or stored again."""
    text = typed.replace("\r\n", "\n").replace("\r", "\n").strip()
    for character in text:
        category = unicodedata.category(character)
        # U+FFFD is what bytes that are no text, and halves of characters, have become on their way here.
        if category == "Cs" or character == "\ufffd" or (category == "Cc" and character not in "\n\t"):
            raise InvalidAnswer(f"The text holds a character that cannot be kept (U+{ord(character):04X}); remove it.")
    if len(text) > max_length:
        raise InvalidAnswer(f"The text has {len(text):,} characters; the most is {max_length:,}.")
    return text


def read_count(typed: str, default: int = 0) -> int:
    """A number that our own pages put into a form: a version, a row. `default` for whatever no page of ours holds."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else default


def check_pattern(text: str, limits: Limits) -> None:
    """Raise InvalidAnswer where the text does not match the author's pattern (linear-time RE2)."""
    if limits.pattern is not None and re2.fullmatch(limits.pattern, text) is None:
        hint = str(limits.pattern_hint) or f"it must match {limits.pattern}"
        raise InvalidAnswer(f"The text has not the form that is asked for: {hint}.")


def read_number(typed: str, limits: Limits) -> Decimal:
    """A number within its limits. "12.5", "1 200" and, for percents, "12 %" are understood."""
    text = re.sub(r"\s", "", typed)
    if limits.number is NumberKind.PERCENT:
        text = text.removesuffix("%")
    if "," in text:
        raise InvalidAnswer(
            f"Write {typed.strip()!r} without a comma: a point marks decimals, and thousands need no mark."
        )
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise InvalidAnswer(f"{typed.strip()!r} is not a number.") from None
    check_number(number, limits)
    return number


def check_number(number: Decimal, limits: Limits) -> None:
    """Raise InvalidAnswer for NaN, infinity, broken limits, and fractions where a whole number is asked for."""
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15 or not _is_short(number):
        raise InvalidAnswer("The number must be finite and of a usual size.")
    if limits.number is NumberKind.INTEGER and number != number.to_integral_value():
        raise InvalidAnswer("A whole number is asked for.")
    low, high = limits.minimum, limits.maximum
    if limits.number is NumberKind.PERCENT:
        low, high = low if low is not None else Decimal(0), high if high is not None else Decimal(100)
    if low is not None and number < low:
        raise InvalidAnswer(f"The number must be {low} or more.")
    if high is not None and number > high:
        raise InvalidAnswer(f"The number must be {high} or less.")


def _is_short(number: Decimal) -> bool:
    """Whether the number, written out, is short: 1e-999999999 is a few characters typed and a gigabyte printed."""
    _, digits, exponent = number.as_tuple()
    return len(digits) <= 25 and isinstance(exponent, int) and -25 <= exponent <= 15


def plain_number(number: Decimal) -> str:
    """A number as text, without an exponent and without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_date(typed: str) -> PartialDate:
    """A date to the day, month or year: "2024-05-17", "17 May 2024", "2024-05", "May 2024", "2024"."""
    text = " ".join(typed.split())
    found = _ISO.fullmatch(text)
    if found:
        year, month, day = (int(part) if part else None for part in found.groups())
    else:
        words = _WORDS.fullmatch(text)
        month = _MONTHS.get(words[2].lower()) if words else None
        if words is None or month is None:
            raise InvalidAnswer(
                f"{text!r} is not a date. Write 2024-05-17 or 17 May 2024; 2024-05 or 2024 if you know no more."
            )
        year, day = int(words[3]), int(words[1]) if words[1] else None
    assert year is not None
    return checked_date(year, month, day)


def checked_date(year: int, month: int | None, day: int | None) -> PartialDate:
    """A date that exists. Raises InvalidAnswer for the 30th of February and for years far off."""
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise InvalidAnswer(f"The year {year} is out of range.")
    if month is not None and not 1 <= month <= 12:
        raise InvalidAnswer(f"There is no month {month}.")
    if day is not None and (month is None or not 1 <= day <= monthrange(year, month)[1]):
        raise InvalidAnswer(f"There is no such day: {year}-{month:02d}-{day:02d}.")
    return PartialDate(year, month, day)


def earliest(value: PartialDate) -> date:
    """The first day that a date known only to the month or year can mean."""
    return date(value.year, value.month or 1, value.day or 1)


def latest(value: PartialDate) -> date:
    """The last day that a date known only to the month or year can mean."""
    month = value.month or 12
    return date(value.year, month, value.day or monthrange(value.year, month)[1])


def read_url(typed: str) -> str:
    """A web address with http or https."""
    text = read_text(typed, max_length=URL_LENGTH)
    if not re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(/\S*)?", text):
        raise InvalidAnswer(f"{text!r} is not a web address; it must start with https:// or http://.")
    return text
