"""Every odd text in every field that people type into: kept and shown again as it was, or refused with a reason."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pypdf

from bench.faults.counts import Count
from bench.faults.inprocess import stage
from tests import dump, odd_strings
from tests.reports.test_odd_texts import printed, report_with
from tests.web import fuzzing, round_trips
from tests.web.test_forged_forms import typed
from tests.web.test_odd_texts import SCRIPTED, can_be_sent, with_texts
from vendorrisk.reports import pdf

ASKED = ("text", "long_text", "number", "date", "table", "declaration", "yes_no")


def counts() -> Iterator[Count]:
    """Field by field through pages and database; then all of them in a report."""
    strings = [text for text in odd_strings.STRINGS if can_be_sent(text)]
    with stage(ASKED) as made:
        targets = [t for t in with_texts(fuzzing.find(made.app, made.world).targets) if t.form.endpoint not in SCRIPTED]
        snapshot, tried, wrong, fields = dump.Snapshot(made.runtime.database), 0, list[str](), 0
        for target in targets:
            data = typed(target.form)
            free = round_trips.free_texts(target, data)
            snapshot.restore()
            fields += len(free)
            for name in free:
                for text in strings:
                    complaint = round_trips.follow(target, data, [name], text)
                    snapshot.restore()
                    tried += 1
                    wrong += [complaint] if complaint else []
        snapshot.close()
    more = f"{len(strings)} texts × {fields} fields of {len(targets)} forms"
    yield Count("odd texts kept equal or refused with what was typed", tried, len(wrong), "; ".join([more, *wrong[:5]]))
    shown = [text for text in odd_strings.STRINGS if odd_strings.is_shown_by_fonts(text)]
    made_pdf = pypdf.PdfReader(io.BytesIO(pdf.render(report_with(shown))))
    lost = [text for text in shown if not printed(made_pdf, text)]
    yield Count(
        "odd texts that the report's font has: printed as they are", len(shown), len(lost), ", ".join(lost)[:200]
    )
