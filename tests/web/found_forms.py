"""The forms of the pages as a person meets them: every POST form with its fields, found by opening the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

TEXTS = ("text", "textarea", "email", "search", "tel", "url")


@dataclass
class Field:
    """One name in a form: its kinds of control, the values that it stands at, and those that it offers."""

    kinds: set[str] = field(default_factory=set)
    values: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)

    @property
    def is_text(self) -> bool:
        """Whether people type into it."""
        return bool(self.kinds & set(TEXTS))


@dataclass
class Form:
    """One form: the page it is on, where it leads, what it holds. Buttons with names are fields too."""

    page: str
    action: str
    endpoint: str = ""
    fields: dict[str, Field] = field(default_factory=dict)

    def data(self) -> MultiDict[str, str]:
        """What a browser would send if nothing were touched, and no button with a name pressed."""
        return MultiDict((name, value) for name, each in self.fields.items() for value in each.values)

    def texts(self) -> list[str]:
        """The names of the fields that people type into."""
        return [name for name, each in self.fields.items() if each.is_text]


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._page = page
        self._here: Form | None = None
        self._select = self._area = ""
        self._is_first = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._here = None
            if given.get("method", "").lower() == "post":
                self._here = Form(self._page, urljoin(self._page, given.get("action", "") or self._page))
                self.forms.append(self._here)
            return
        form, name = self._here, given.get("name", "")
        if form is None:
            return
        if tag == "option" and self._select:
            self._option(form.fields[self._select], given)
        if not name:
            return
        if tag == "input":
            self._input(form.fields.setdefault(name, Field()), given)
        elif tag == "button":
            form.fields.setdefault(name, Field()).kinds.add("button")
            form.fields[name].offered.append(given.get("value", ""))
        elif tag == "select":
            form.fields.setdefault(name, Field()).kinds.add("select")
            self._select, self._is_first = name, True
        elif tag == "textarea":
            form.fields.setdefault(name, Field()).kinds.add("textarea")
            form.fields[name].values.append("")
            self._area = name

    def _input(self, each: Field, given: Mapping[str, str]) -> None:
        kind, value = given.get("type", "text"), given.get("value", "")
        each.kinds.add(kind)
        if kind in ("radio", "checkbox"):
            each.offered.append(value or "on")
            if "checked" in given:
                each.values.append(value or "on")
        elif kind != "file":
            each.values.append(value)

    def _option(self, each: Field, given: Mapping[str, str]) -> None:
        # A text field of the same name may stand beside it: what that holds is kept.
        each.offered.append(given.get("value", ""))
        if self._is_first:
            each.values.append(given.get("value", ""))
        elif "selected" in given:
            each.values[-1] = given.get("value", "")
        self._is_first = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._here is not None and self._area:
            each = self._here.fields[self._area]
            each.values[-1] = each.values[-1].removeprefix("\r").removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._here = None

    def handle_data(self, data: str) -> None:
        if self._area and self._here is not None:
            self._here.fields[self._area].values[-1] += data


def on_page(text: str, page: str) -> list[Form]:
    """The POST forms of a page."""
    reader = _Reader(page)
    reader.feed(text)
    return reader.forms


def on_pages(app: Flask, browser: FlaskClient, pages: Iterable[str]) -> list[Form]:
    """The POST forms of several pages as this person sees them, one for each endpoint and set of fields."""
    adapter = app.url_map.bind("localhost")
    found: dict[tuple[str, tuple[str, ...]], Form] = {}
    for page in pages:
        answer = browser.get(page)
        if answer.status_code != 200 or "html" not in answer.content_type:
            continue
        for form in on_page(answer.text, page):
            try:
                form.endpoint = adapter.match(urlsplit(form.action).path, "POST")[0]
            except HTTPException:
                raise AssertionError(f"a form on {page} leads nowhere: {form.action}") from None
            found.setdefault((form.endpoint, tuple(sorted(form.fields))), form)
    return list(found.values())
