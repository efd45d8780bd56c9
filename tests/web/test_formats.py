"""How moments, days and counts are written; and the macros that pages are made of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask, render_template_string

from tests.builders import NOW
from vendorrisk.services.paging import Page
from vendorrisk.web import formats


@pytest.mark.parametrize(
    ("moment", "zone", "says"),
    [
        (datetime(2026, 12, 11, 17, 0, tzinfo=UTC), "Europe/London", "Fri 11 Dec 2026, 17:00 London"),
        (datetime(2026, 12, 11, 17, 0, tzinfo=UTC), "Pacific/Auckland", "Sat 12 Dec 2026, 06:00 Auckland"),
        (datetime(2026, 6, 11, 17, 0, tzinfo=UTC), "America/Port_of_Spain", "Thu 11 Jun 2026, 13:00 Port of Spain"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/London", "Sun 25 Oct 2026, 01:30 London"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "UTC", "Sun 25 Oct 2026, 01:30 UTC"),
    ],
)
def test_a_moment_names_the_place_whose_clock_is_meant(moment: datetime, zone: str, says: str) -> None:
    assert formats.moment(moment, zone) == says


def test_a_day_is_that_of_the_organisations_zone(app: Flask) -> None:
    with app.test_request_context():
        assert formats.day(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == "1 Jul 2026"
        assert formats.day(date(2026, 6, 30)) == "30 Jun 2026"


@pytest.mark.parametrize(
    ("away", "says"),
    [
        (timedelta(days=19, hours=5), "in 19 days"),
        (timedelta(days=-1), "1 day ago"),
        (timedelta(hours=3), "in 3 hours"),
        (timedelta(minutes=-2, seconds=-5), "2 minutes ago"),
        (timedelta(seconds=20), "now"),
    ],
)
def test_how_far_away_a_moment_is(away: timedelta, says: str) -> None:
    assert formats.relative(NOW + away, NOW) == says


def test_counts_agree_with_their_noun() -> None:
    assert formats.count(1, "question") == "1 question"
    assert formats.count(1200, "question") == "1,200 questions"
    assert formats.count(2, "reply", "replies") == "2 replies"


def drawn(app: Flask, call: str, url: str = "/", **values: object) -> str:
    """What a macro gives."""
    with app.test_request_context(url):
        return render_template_string('{% import "layout/ui.html" as ui %}{{ ' + call + " }}", **values)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Low", "low"), ("Moderate", "moderate"), ("High", "high"), ("Critical", "critical"), ("Not assessed", "none")],
)
def test_a_band_is_a_shape_and_a_word_and_a_colour(app: Flask, name: str, kind: str) -> None:
    band = drawn(app, "ui.band(name)", name=name)
    assert f'class="band band-{kind}"' in band
    assert f"<span>{name}</span>" in band
    assert '<svg class="shape"' in band
    assert 'aria-hidden="true"' in band


def test_no_band_is_said_in_words(app: Flask) -> None:
    assert "Not assessed" in drawn(app, "ui.band(none)")


def test_the_pages_of_a_list_keep_its_filters(app: Flask) -> None:
    page = Page(range(25), number=2, size=25, total=60)
    drawn_page = drawn(app, "ui.pagination(page)", url="/accessibility?tier=1&tier=2&page=2", page=page)
    assert "26–50 of 60" in drawn_page
    assert 'href="/accessibility?tier=1&amp;tier=2&amp;page=3"' in drawn_page
    assert 'href="/accessibility?tier=1&amp;tier=2&amp;page=1"' in drawn_page


def test_no_query_string_can_bend_the_links_of_a_list(app: Flask) -> None:
    page = Page(range(25), number=1, size=25, total=60)
    url = "/accessibility?_scheme=javascript&_external=1&endpoint=x&_anchor=y"
    assert 'href="/accessibility?_scheme=javascript' in drawn(app, "ui.pagination(page)", url=url, page=page)


def test_what_people_typed_is_never_markup(app: Flask) -> None:
    evil = "<script>alert(1)</script>"
    for call in ("ui.notice('info', evil)", "ui.tag(evil)", "ui.error_summary([('', evil)])", "ui.empty(evil, evil)"):
        assert "<script>" not in drawn(app, call, evil=evil)
