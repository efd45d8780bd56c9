"""What our letters say: one function for each, called by services, which put the result into the outbox.

Every letter has a text part and an HTML part with the same facts, drawn from templates/mail/<letter>/. Texts that
people typed are made one line where a line is meant, and are never read as a template or as HTML.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

if TYPE_CHECKING:
    import css_inline

TEMPLATES = Path(__file__).parents[2] / "templates" / "mail"
_LONGEST_SUBJECT = 150
_TURNED = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Marks that turn the writing direction of what follows them, and so can make an address look like another."""


@dataclass(frozen=True, slots=True)
class Message:
    """One letter, ready for the outbox. `reply_to` is an address, or empty: then answers go to the service's own."""

    to: str
    to_name: str
    reply_to: str
    subject: str
    text: str
    html: str


def invitation(
    *,
    organisation: str,
    sender_name: str,
    sender_email: str,
    sender_phone: str,
    to: str,
    to_name: str,
    questionnaire_titles: Sequence[str],
    question_count: int,
    minutes: int,
    due: datetime,
    zone: str,
    closes: datetime,
    link: str,
    reference: str,
    note: str,
    service: str,
    code_required: bool = True,
) -> Message:
    """The letter that asks a vendor, with the link."""
    values = {
        "organisation": organisation, "sender_name": sender_name, "sender_email": sender_email,
        "sender_phone": sender_phone, "titles": [one_line(title) for title in questionnaire_titles],
        "question_count": question_count, "minutes": minutes, "due": _moment(due, zone), "due_day": _day(due, zone),
        "closes": _moment(closes, zone), "link": link, "reference": reference, "note": note, "service": service,
        "code_required": code_required,
    }  # fmt: skip
    return _compose("invitation", to, to_name, sender_email, values)


def access_code(*, to: str, code: str, minutes: int, reference: str) -> Message:
    """The code that proves that somebody reads the invited mailbox. It names nobody, and holds no link."""
    return _compose("access_code", to, "", "", {"code": code, "minutes": minutes, "reference": reference})


def receipt(
    *,
    to: str,
    to_name: str,
    organisation: str,
    reference: str,
    submitted_at: datetime,
    answered: int,
    not_applicable: int,
    files: int,
    digest: str,
    link: str,
    reply_to: str,
) -> Message:
    """The proof for the vendor that their answers have arrived."""
    values = {
        "organisation": organisation, "reference": reference, "submitted_at": _moment(submitted_at, "UTC"),
        "answered": answered, "not_applicable": not_applicable, "files": files, "digest": digest, "link": link,
    }  # fmt: skip
    return _compose("receipt", to, to_name, reply_to, values)


def answers_arrived(
    *, to: str, to_name: str, vendor: str, assessment_reference: str, answered: int, visible: int, link: str
) -> Message:
    """Tells staff that a vendor has submitted."""
    values = {
        "vendor": vendor, "reference": assessment_reference, "answered": answered, "visible": visible,
        "link": link,
    }  # fmt: skip
    return _compose("answers_arrived", to, to_name, "", values)


def sign_in_reset(*, to: str, to_name: str, link: str, hours: int) -> Message:
    """The link to a new password for a member of staff or an auditor."""
    return _compose("sign_in_reset", to, to_name, "", {"link": link, "hours": hours})


def trail_head(*, to: str, organisation: str, day: date, position: int, chain: str, sealed_at: datetime) -> Message:
    """How far the trail's chain had come: for who keeps it out of the service's reach. It names nobody."""
    values = {
        "organisation": organisation, "day": f"{day.day} {day:%B %Y}", "position": f"{position:,}", "chain": chain,
        "short": f"{position}:{chain[:16]}", "sealed_at": _moment(sealed_at, "UTC"),
    }  # fmt: skip
    return _compose("trail_head", to, "", "", values)


def sign_in_changed(*, to: str, to_name: str, what: str, at: datetime) -> Message:
    """Tells somebody that their password or second factor changed. Without a link: a false one would look like it."""
    return _compose("sign_in_changed", to, to_name, "", {"what": what, "at": _moment(at, "UTC")})


def many_vendors(*, to: str, to_name: str, who: str, email: str, count: int, at: datetime) -> Message:
    """Tells those who run the service that somebody has seen very many vendors. It names no vendor."""
    values = {"who": who, "email": email, "count": count, "at": _moment(at, "UTC")}
    return _compose("many_vendors", to, to_name, "", values)


LETTERS: dict[str, Callable[..., Message]] = {
    "invitation": invitation,
    "access_code": access_code,
    "receipt": receipt,
    "answers_arrived": answers_arrived,
    "sign_in_reset": sign_in_reset,
    "trail_head": trail_head,
    "sign_in_changed": sign_in_changed,
    "many_vendors": many_vendors,
}
"""Every letter by its kind, which is also the name of its folder of templates."""


def one_line(text: str) -> str:
    """The text on one line, without control characters: safe in a header, and no new line in a letter."""
    spaced = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text)
    return " ".join(_encodable(spaced.translate(_TURNED)).split())


def many_lines(text: str) -> str:
    """The text with its line breaks, and without other control characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(one_line(line) for line in lines).strip()


def _cleaned(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return many_lines(value) if name == "note" else one_line(value)


def _encodable(text: str) -> str:
    # Half of a surrogate pair cannot be sent; it is kept in the database and shown as a question mark in a letter.
    return text.encode("utf-8", "replace").decode("utf-8")


def _compose(letter: str, to: str, to_name: str, reply_to: str, values: dict[str, Any]) -> Message:
    values = {name: _cleaned(name, value) for name, value in {**values, "to_name": to_name}.items()}
    subject = one_line(_render(f"{letter}/subject.txt", values))
    html = _render(f"{letter}/body.html", values | {"subject": subject})
    return Message(
        to=one_line(to), to_name=one_line(to_name), reply_to=one_line(reply_to), subject=_shortened(subject),
        text=_render(f"{letter}/body.txt", values).strip() + "\n", html=_inliner().inline(html),
    )  # fmt: skip


def _shortened(subject: str) -> str:
    return subject if len(subject) <= _LONGEST_SUBJECT else subject[: _LONGEST_SUBJECT - 1].rstrip() + "…"


def _render(name: str, values: dict[str, Any]) -> str:
    return _environment().get_template(name).render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # Not Flask's: jobs and commands write letters too, and a missing value must fail loudly.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(["html"]), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["count"] = _count
    environment.filters["listed"] = _listed
    return environment


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    import css_inline

    # Rules for dark screens stay in the head: they cannot be inlined.
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _day(moment: datetime, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y}"


def _moment(moment: datetime, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%A} {_day(moment, zone)}, {local:%H:%M} {_place(zone)}"


def _place(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


TITLES: dict[str, str] = {
    "invitation": "Invitation",
    "access_code": "Access code",
    "receipt": "Receipt",
    "answers_arrived": "Answers arrived",
    "sign_in_reset": "Sign-in reset",
    "sign_in_changed": "Sign-in changed",
    "many_vendors": "Very many vendors seen",
    "trail_head": "Head of the trail",
}
"""Every letter by its kind, as people call it. A test names those that are missing."""
