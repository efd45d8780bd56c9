"""Every odd text in every field that people type into: kept and shown again as it was, or refused with a reason."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import pypdf

from bench.faults.counts import Count
from bench.faults.inprocess import stage
from tests import dump, odd_strings
from tests.reports.test_odd_texts import missing, report_with
from tests.web import fuzzing, round_trips
from tests.web.fuzzing import Target
from tests.web.test_forged_forms import typed
from tests.web.test_odd_texts import SCRIPTED, can_be_sent, with_texts
from vendorrisk.reports import pdf

ASKED = ("text", "long_text", "number", "date", "table", "declaration", "yes_no")


def counts() -> Iterator[Count]:
    """Field by field through pages and database; then all of them in a report."""
    with stage(ASKED) as made:
        targets = [t for t in with_texts(fuzzing.find(made.app, made.world).targets) if t.form.endpoint not in SCRIPTED]
        snapshot = dump.Snapshot(made.runtime.database)
        for target in targets:
            yield _in_every_field(target, snapshot)
        snapshot.close()
    yield _printed()


def _in_every_field(target: Target, snapshot: dump.Snapshot) -> Count:
    strings = [text for text in odd_strings.STRINGS if can_be_sent(text)]
    data, tried, wrong = typed(target.form), 0, list[str]()
    free = round_trips.free_texts(target, data)
    snapshot.restore()
    for name, text in itertools.product(free, strings):
        complaint = round_trips.follow(target, data, [name], text)
        snapshot.restore()
        tried += 1
        wrong += [complaint] if complaint else []
    what = f"{target.form.endpoint}: odd texts kept equal, or refused with what was typed"
    more = f"{len(strings)} texts × {len(free)} fields"
    return Count(what, tried, len(wrong), "; ".join([more, *wrong[:3]]))


def _printed() -> Count:
    shown = [text for text in odd_strings.STRINGS if odd_strings.is_shown_by_fonts(text)]
    made = pypdf.PdfReader(io.BytesIO(pdf.render(report_with(shown))))
    lost = missing(made, shown)
    return Count(
        "odd texts that the report's font has: printed as they are", len(shown), len(lost), ", ".join(lost)[:200]
    )
