"""How moments, days and counts are written on pages, and what the macros call: installed by the factory."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask, request

from vendorrisk.web import edge, forms


def install(app: Flask) -> None:
    """Make filters and helpers known to all templates."""
    app.jinja_env.filters.update(moment=moment, day=day, relative=relative, count=count)
    app.jinja_env.globals.update(page_url=page_url, field_attributes=forms.attributes, problems_of=forms.problems)


def moment(value: datetime, zone: str | None = None) -> str:
    """ "Fri 11 Dec 2026, 17:00 London": always with the place whose clock is meant."""
    name = zone or edge.services().settings.zone
    local = value.astimezone(ZoneInfo(name))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {place(name)}"


def place(zone: str) -> str:
    """ "London" for Europe/London; UTC stays UTC."""
    return zone.rsplit("/", 1)[-1].replace("_", " ")


def day(value: date | datetime) -> str:
    """ "11 Dec 2026". A moment counts in the organisation's own zone."""
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(edge.services().settings.zone)).date()
    return f"{value.day} {value:%b %Y}"


def relative(value: datetime, now: datetime | None = None) -> str:
    """ "in 19 days", "3 hours ago", "now"."""
    seconds = (value - (now or edge.now())).total_seconds()
    size = abs(seconds)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if size >= length:
            words = count(int(size // length), unit)
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "now"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """ "1 question", "64 questions"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def page_url(number: int) -> str:
    """The address of another page of the list that is being shown, with the same filters."""
    # Not by url_for: names like _scheme or endpoint in somebody's query string mean something to it.
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "page"]
    return f"{request.path}?{urlencode([*kept, ('page', str(number))])}"
