"""Hostile texts in every field of a report, and reports that would take for ever: the real child, the real job."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

from bench.faults.counts import Count
from bench.faults.service import environment
from tests import builders
from tests.reports import canary, poison
from tests.reports.canary import CANARY
from tests.reports.poison import acting_parts, poisoned, small, streams
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Report, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, WorkState
from vendorrisk.jobs import make_reports
from vendorrisk.jobs.make_reports import PAUSE, TRIES, Workshop
from vendorrisk.reports import pdf, snapshots, view
from vendorrisk.services.letters import stuck
from vendorrisk.services.operating import opening
from vendorrisk.settings import Settings
from vendorrisk.storage import open_storage

MOST_SECONDS = 30.0
_LONG = 20_000
_TEXTS = poison.text_fields() - poison.OWN_WORDS


def counts() -> Iterable[Count]:
    """The promises about reports."""
    yield from _payloads()
    yield from _bombs()


# ---------------------------------------------------------------- payloads


def _payloads() -> Iterable[Count]:
    """Each payload alone in every text field at once, rendered by the child as the job does it."""
    acted, leaked, tried = 0, 0, 0
    with TemporaryDirectory() as name, canary.listening() as (address, seen):
        secret = Path(name) / "secret.txt"
        secret.write_text(CANARY)
        for payload in poison.payloads(address, secret.as_uri()):
            made = pdf.render(poisoned(small(), lambda said=payload: said, _TEXTS))
            tried += 1
            acted += bool(acting_parts(made))
            leaked += CANARY.encode() in streams(made)
    fields = f"each in {len(_TEXTS)} fields"
    yield Count("a payload fetches nothing", tried, len(seen), fields)
    yield Count("a payload brings no byte of a file or an answer", tried, leaked, fields)
    yield Count("a payload leaves no action, link, script or attachment", tried, acted, fields)


# ---------------------------------------------------------------- bombs


def bombs() -> dict[str, view.Report]:
    """Reports that are far beyond what our own limits let in: the child's limits must hold without them."""
    base = small()
    fill = partial(poisoned, base, only=_TEXTS)
    answer = base.answers[0].sections[0].answers[0]
    return {
        "unbroken text in every field": fill(lambda: "x" * _LONG),
        "short lines in every field": fill(lambda: "a\n" * (_LONG // 2)),
        "combining marks in every field": fill(lambda: "e" + "\u0301" * _LONG),
        "right-to-left overrides in every field": fill(lambda: "\u202eabc\u202d" * (_LONG // 5)),
        "ten million characters in one comment": _with(base, replace(answer, comment="word " * 2_000_000)),
        "500 cells of 20,000 characters": _with(base, replace(answer, rows=((view.Cell("c", "x" * _LONG),),) * 500)),
        "a table of 20,000 rows": _with(base, replace(answer, rows=((view.Cell("c", "text"),) * 10,) * 20_000)),
        "20,000 answers": _with(base, *(replace(answer, anchor=f"a{n}") for n in range(20_000))),
        "10,000 files of evidence": replace(base, evidence=base.evidence[:1] * 10_000),
        "20,000 events": replace(base, trail=replace(base.trail, events=base.trail.events[:1] * 20_000)),
    }


def _with(base: view.Report, *answers: view.Answer) -> view.Report:
    chapter = base.answers[0]
    section = replace(chapter.sections[0], answers=answers)
    return replace(base, answers=(replace(chapter, sections=(section,)), *base.answers[1:]))


def _bombs() -> Iterable[Count]:
    late, held_up, said = [], [], []
    with TemporaryDirectory() as name:
        settings = Settings.from_env(environment(Path(name)))
        database = opening.database(settings)
        clock = _Clock()
        workshop = Workshop(database, open_storage(settings.storage), clock)
        every = bombs()
        for what, report in every.items():
            seconds, state = _make(workshop, _ask(database, report, clock()))
            late += [what] if seconds > MOST_SECONDS else []
            said.append(f"{what}: {seconds:.1f} s, {'made' if state is WorkState.DONE else 'ended'}")
            _, after = _make(workshop, _ask(database, small(), clock()))
            held_up += [what] if after is not WorkState.DONE else []
        yield Count("a hostile rendering ends within 30 s", len(every), len(late), "; ".join(said))
        yield Count("the next report is made", len(every), len(held_up), ", ".join(held_up))
        yield _poison_job(workshop, clock)
        database.close()


class _Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, some: timedelta) -> None:
        self.now += some


def _ask(database: Database, report: view.Report, now: datetime) -> UUID:
    """A report that waits to be made; services would never compose such a one."""
    with database.writing() as session:
        case: Assessment = builders.add_assessment(session, status=AssessmentStatus.REVIEW)
        key_id = session.get_one(Vendor, case.vendor_id).key_id
        row = Report(
            id=uuid4(), reference=f"P-{uuid4().hex[:12]}", assessment_id=case.id, snapshot_hash="0" * 64,
            snapshot=vault.seal_json(session, key_id, snapshots.to_plain(report), context="report.snapshot"),
            state=WorkState.QUEUED, attempts=0, error="", not_before=now, asked_at=now,
        )  # fmt: skip
        session.add(row)
        return row.id


def _make(workshop: Workshop, report_id: UUID) -> tuple[float, WorkState]:
    begun = time.perf_counter()
    make_reports.make(workshop, report_id)
    seconds = time.perf_counter() - begun
    with workshop.database.reading() as session:
        return seconds, session.get_one(Report, report_id).state


def _poison_job(workshop: Workshop, clock: _Clock) -> Count:
    """One that never works out is parked after three tries, and shown; meanwhile another is made."""
    bad = _ask(workshop.database, _with(small(), *bombs()["20,000 answers"].answers[0].sections[0].answers), clock())
    wrong = 0
    for _ in range(TRIES + 2):
        _make(workshop, bad)
        clock.pass_by(PAUSE)
    _, good = _make(workshop, _ask(workshop.database, small(), clock()))
    with workshop.database.reading() as session:
        row = session.get_one(Report, bad)
        shown = [each for each in stuck.listed(session, 1, now=clock()).items if each.id == bad]
        wrong += row.attempts != TRIES or row.state is not WorkState.FAILED
    wrong += good is not WorkState.DONE
    wrong += not shown or not shown[0].error
    return Count("a poison job is parked after three tries and shown; others go on", 3, wrong, row.error)
