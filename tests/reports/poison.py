"""Puts hostile text into every text of a report, whatever fields it has, and looks for what acts in a PDF."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, get_args, get_type_hints

import pikepdf

from tests.reports import sample
from vendorrisk.reports import view

Value = TypeVar("Value")

OWN_WORDS = frozenset({"Result.band", "Risk.level", "Segment.band"})
"""The only texts that a template takes for more than text: words of our own, by which it chooses a colour."""
_ACTING = frozenset({"/URI", "/Launch", "/JavaScript", "/GoToR", "/GoToE", "/SubmitForm", "/ImportData", "/Rendition"})


def payloads(address: str, file: str) -> tuple[str, ...]:
    """Texts that would fetch, read or run something if they were ever taken for markup, styles or a template."""
    return (
        f'<img src="{address}/1">', f'<img src="{file}">', f'<img srcset="{address}/2 1x">',
        f'<link rel="stylesheet" href="{address}/3">', f'<link rel=attachment href="{file}">',
        f'<link rel="attachment" href="{address}/4">', f"<style>@import url({address}/5);</style>",
        f'<style>body{{background:url("{address}/6")}}</style>', f'</style><img src="{address}/7">',
        f"<p style=\"background:url('{address}/8')\">", f'<iframe src="{file}"></iframe>',
        f'<object data="{file}"></object>', f'<embed src="{address}/9">', f'<svg><use href="{address}/10#x"/></svg>',
        f'<svg><image xlink:href="{file}"/></svg>', f'<a href="{address}/11">click</a>',
        f'<a rel=attachment href="{file}">x</a>',
        f'<base href="{address}/">', f'<script>fetch("{address}/12")</script>',
        f"<?xml-stylesheet href='{address}/13'?>",
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "{file}">]>&e;', "{{7*7}} {% include '/etc/passwd' %} {{ config }}",
        f'<meta http-equiv="refresh" content="0;url={address}/14">', f'"><img src={address}/15 onerror=x>',
        f"content: url({address}/16); }} @font-face {{ src: url({file}) }}", "&lt;img src=x&gt; &amp;#60;b&#62;",
        "<a href=\"javascript:app.alert(1)\">x</a>", f'" href="{address}/17" rel="attachment',
    )  # fmt: skip


def text_fields(kind: Any = view.Report) -> frozenset[str]:
    """Every text that a report holds, as "Answer.comment": read from the dataclasses, so a new one is among them."""
    return frozenset(_text_fields(kind, set()))


def _text_fields(kind: Any, known: set[Any]) -> Iterator[str]:
    known.add(kind)
    hints = get_type_hints(kind)
    for field in fields(kind):
        for part in _parts(hints[field.name]):
            if part is str:
                yield f"{kind.__name__}.{field.name}"
            elif is_dataclass(part) and part not in known:
                yield from _text_fields(part, known)


def _parts(hint: Any) -> Iterator[Any]:
    inner = [part for part in get_args(hint) if part is not Ellipsis]
    if not inner:
        yield hint
    for part in inner:
        yield from _parts(part)


def poisoned(value: Value, draw: Callable[[], str], only: frozenset[str], at: str = "") -> Value:
    """The same with a text from `draw` in every field of `only`."""
    if isinstance(value, str):
        return draw() if at in only else value  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(poisoned(part, draw, only, at) for part in value)  # type: ignore[return-value]
    if is_dataclass(value):
        kind = type(value).__name__
        changed = {f.name: poisoned(getattr(value, f.name), draw, only, f"{kind}.{f.name}") for f in fields(value)}
        return replace(value, **changed)  # type: ignore[type-var]
    return value


def small() -> view.Report:
    """A report with every kind of part, and few of each."""
    report = sample.report(decision=sample.DECISION)
    row = ((view.Cell("label", "text"),),)
    chapters = tuple(
        replace(
            chapter,
            sections=tuple(
                replace(s, answers=(replace(s.answers[0], rows=row, files=("a.pdf",), contradicted_by=("C-03",)),))
                for s in chapter.sections[:1]
            ),
        )
        for chapter in report.answers
    )
    themes = tuple(replace(theme, gains=theme.gains[:1]) for theme in report.themes)
    aside = view.Contradiction("C-03", "high", "t", "m", "e", ("BH-02",), "reason", "who")
    return replace(
        report, answers=chapters, themes=themes, flags=report.flags[:2], contradictions=(aside,), trail=sample.trail(2),
        changes=(view.Change("DS-01", "q", "0.5", "High"),),
    )  # fmt: skip


def acting_parts(made: bytes) -> list[str]:
    """What in a PDF would open, run, attach or send something; links within it are fine."""
    found = []
    with pikepdf.open(io.BytesIO(made)) as opened:
        found += [str(key) for key in ("/OpenAction", "/AA", "/AcroForm") if key in opened.Root]
        names = opened.Root.get("/Names", pikepdf.Dictionary())
        found += [str(key) for key in ("/EmbeddedFiles", "/JavaScript") if key in names]
        for each in opened.objects:
            if isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
                found += _acts(each)
        for page in opened.pages:
            for note in page.get("/Annots", pikepdf.Array()):
                found += _acts(note) + (_acts(note.A) if "/A" in note else [])
                found += [] if note.Subtype == "/Link" else [str(note.Subtype)]
    return found


def _acts(part: Any) -> list[str]:
    kind, action = str(part.get("/Type", "")), str(part.get("/S", ""))
    found = [action] if action in _ACTING else []
    found += [kind] if kind in ("/EmbeddedFile", "/Filespec") else []
    return found + [key for key in ("/JS", "/URI", "/EF") if key in part]


def streams(made: bytes) -> bytes:
    """Every byte of a PDF, streams unpacked."""
    with pikepdf.open(io.BytesIO(made)) as opened:
        parts = [o.read_bytes() for o in opened.objects if isinstance(o, pikepdf.Stream)]
        buffer = io.BytesIO()
        opened.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return b"".join(parts) + buffer.getvalue()
