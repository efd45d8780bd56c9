"""How names, web and e-mail addresses are read and compared; `vendors`, `contacts` and `vendor_search` index by it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from email_validator import EmailNotValidError, validate_email

from vendorrisk.domain import plain_values
from vendorrisk.domain.errors import InvalidAnswer

NAME_LENGTH = 200
SHORTEST_PREFIX = 3
LONGEST_PREFIX = 20

_LEGAL = frozenset(
    [
        "ab",
        "ag",
        "aps",
        "as",
        "asa",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "cv",
        "eurl",
        "gmbh",
        "inc",
        "incorporated",
        "kft",
        "kg",
        "kgaa",
        "limited",
        "llc",
        "llp",
        "lp",
        "ltd",
        "nv",
        "oy",
        "oyj",
        "plc",
        "pte",
        "pty",
        "pvt",
        "sa",
        "sarl",
        "sas",
        "se",
        "sl",
        "spa",
        "spzoo",
        "srl",
        "sro",
        "ug",
    ]
)
_ABBREVIATION = re.compile(r"\b(?:\w\.){2,}\w?\b\.?")
_WORD = re.compile(r"[^\W_]+")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_COMBINING = frozenset({"Mn", "Cf"})


def folded(text: str) -> str:
    """The text as it is compared: without case, accents and width; "&" reads "and", "S.p.A." reads "spa"."""
    apart = unicodedata.normalize("NFKD", text).casefold().replace("&", " and ")
    plain = "".join(c for c in apart if unicodedata.category(c) not in _COMBINING)
    return _ABBREVIATION.sub(lambda found: found[0].replace(".", ""), plain)


def words(text: str) -> list[str]:
    """The words that tell one company from another: legal forms (Ltd, GmbH) are dropped unless nothing else is left."""
    every = _WORD.findall(folded(text))
    return [word for word in every if word not in _LEGAL] or every


def same(text: str) -> str:
    """Two names are taken for the same company where this is equal."""
    return " ".join(words(text))


def prefixes(text: str) -> set[str]:
    """What finds a name as one types: each of its words whole, and their beginnings from three letters on."""
    found: set[str] = set()
    for word in _WORD.findall(folded(text)):
        found.add(word[:LONGEST_PREFIX])
        found.update(word[:end] for end in range(SHORTEST_PREFIX, min(len(word), LONGEST_PREFIX)))
    return found


def sought(query: str) -> list[str]:
    """The words of a search, cut as `prefixes` cuts them; the legal form need not be right."""
    return [word[:LONGEST_PREFIX] for word in words(query)]


def name(typed: str) -> str:
    """A name as typed, on one line. Raises InvalidAnswer where it cannot be kept."""
    return " ".join(plain_values.read_text(typed, max_length=NAME_LENGTH).split())


def website(typed: str) -> str:
    """A web address as it will be shown; "https://" is added where it is missing. Raises InvalidAnswer."""
    text = "".join(plain_values.read_text(typed, max_length=plain_values.URL_LENGTH).split())
    if not text:
        return ""
    scheme, mark, rest = text.rpartition("://")
    if mark and scheme.lower() not in ("http", "https"):
        raise InvalidAnswer(f"“{text}” is not a web address: write it like https://northwind.example.")
    host, slash, path = rest.partition("/")
    _domain_of(host, shown=text)
    return f"{scheme.lower() or 'https'}://{host.lower()}{slash + path if path else ''}"


def domain(address: str) -> str:
    """The domain of a web address, without "www."; empty for an empty address. Raises InvalidAnswer."""
    if not address:
        return ""
    return _domain_of(address.rpartition("://")[2].partition("/")[0], shown=address)


def _domain_of(host: str, *, shown: str) -> str:
    bare = host.rpartition("@")[2].partition(":")[0].lower().rstrip(".").removeprefix("www.")
    try:
        ascii_host = bare.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_host = ""
    labels = ascii_host.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or "@" in host:
        raise InvalidAnswer(f"“{shown}” is not a web address: write it like https://northwind.example.")
    return ascii_host


def email(typed: str) -> str:
    """An e-mail address as it will be written to. Raises InvalidAnswer with the reason."""
    text = plain_values.read_text(typed, max_length=254)
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidAnswer(f"“{text}” is not an e-mail address: {str(error)[:1].lower()}{str(error)[1:]}") from None


def terms(names: Iterable[str], address: str) -> set[tuple[str, str]]:
    """The index terms (kind, word) of a vendor with these names and this web address."""
    found: set[tuple[str, str]] = set()
    for each in names:
        found.add(("name", same(each)))
        found.update(("prefix", prefix) for prefix in prefixes(each))
    host = domain(address)
    return found | ({("domain", host)} if host else set())
